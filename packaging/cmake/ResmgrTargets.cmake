# A folder is a target: resmgr_library(name DEPS … PRIVATE_DEPS …) takes every .cc in it.

function(resmgr_library name)
  cmake_parse_arguments(ARG "" "" "DEPS;PRIVATE_DEPS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.cc")
  if(sources)
    add_library(${name} STATIC ${sources})
    target_link_libraries(${name} PUBLIC resmgr_options ${ARG_DEPS} PRIVATE ${ARG_PRIVATE_DEPS})
  else()
    add_library(${name} INTERFACE)
    target_link_libraries(${name} INTERFACE resmgr_options ${ARG_DEPS})
  endif()
endfunction()

# resmgr_test(name LIBS … [LABELS …] [TIMEOUT seconds] [SOURCES …] [PROGRAMS] [OWN_MAIN] [COST n]):
# a GoogleTest program made of every .cc in the folder (or of SOURCES), registered with CTest as one
# test. COST: what takes long begins first. PROGRAMS: it runs resmgr-agent and resmgr, which are
# built before it. OWN_MAIN: it has a main(), and its folder registers its tests.
function(resmgr_test name)
  cmake_parse_arguments(ARG "PROGRAMS;OWN_MAIN" "TIMEOUT;COST" "LIBS;LABELS;SOURCES" ${ARGN})
  if(NOT ARG_SOURCES)
    file(GLOB ARG_SOURCES CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.cc")
  endif()
  if(NOT ARG_SOURCES)
    return()
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE resmgr_options ${ARG_LIBS} GTest::gmock
    $<IF:$<BOOL:${ARG_OWN_MAIN}>,GTest::gtest,GTest::gtest_main>)
  # What is tested is optimised; to optimise the tests themselves would double the time to build.
  target_compile_options(${name} PRIVATE $<$<NOT:$<CONFIG:Debug>>:-O0;-U_FORTIFY_SOURCE>)
  # Nor are they asked for undefined behaviour of their own, which is a third of that time.
  if(RESMGR_SANITIZE MATCHES "undefined")
    target_compile_options(${name} PRIVATE -fno-sanitize=undefined)
  endif()
  if(ARG_PROGRAMS)
    add_dependencies(${name} resmgr-agent resmgr)
  endif()
  if(ARG_OWN_MAIN)
    return()
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES
    LABELS "${ARG_LABELS}" TIMEOUT ${ARG_TIMEOUT})
  if(ARG_COST)
    set_tests_properties(${name} PROPERTIES COST ${ARG_COST})
  endif()
endfunction()
