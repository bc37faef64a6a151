# Compiler settings that hold for every target.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()

# For sanitizers. Line tables are enough for a backtrace, and quick to link. Optimised, they would take
# three times as long to compile, and save less when they run.
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O0 -g1 -fno-omit-frame-pointer")

find_program(RESMGR_CCACHE ccache)
if(RESMGR_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${RESMGR_CCACHE}")
endif()

add_library(resmgr_options INTERFACE)
target_include_directories(resmgr_options INTERFACE "${CMAKE_SOURCE_DIR}" "${CMAKE_BINARY_DIR}/generated")
target_compile_options(resmgr_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Woverloaded-virtual
  -Wcast-qual -Wno-missing-field-initializers
  # libpqxx 7 deprecates exec_params, which is the call that libpqxx 6 has too.
  -Wno-error=deprecated-declarations
  -fstack-protector-strong)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # GCC 12 sees overlaps in 'literal + std::string' that are not there (its bug 105329).
  target_compile_options(resmgr_options INTERFACE -Wno-restrict)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_UNITY_BUILD)
  # It asks of an included file what it does not ask of the file that is compiled.
  target_compile_options(resmgr_options INTERFACE -Wno-subobject-linkage)
endif()
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  # What is embedded (the dashboard, openapi.json) is a literal, longer than each compiler must take.
  target_compile_options(resmgr_options INTERFACE -Wno-overlength-strings)
endif()
# What Clang warns of from 15 on (Debian 13 has 19) nobody has looked at yet: it is shown, and no more.
if(RESMGR_WERROR AND
   NOT (CMAKE_CXX_COMPILER_ID MATCHES "Clang" AND CMAKE_CXX_COMPILER_VERSION VERSION_GREATER_EQUAL 15))
  target_compile_options(resmgr_options INTERFACE -Werror)
endif()
target_compile_definitions(resmgr_options INTERFACE
  $<$<CONFIG:Release>:_FORTIFY_SOURCE=2>
  $<$<BOOL:${RESMGR_FAILPOINTS}>:RESMGR_FAILPOINTS>)

if(RESMGR_SANITIZE)
  target_compile_options(resmgr_options INTERFACE
    -fsanitize=${RESMGR_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(resmgr_options INTERFACE -fsanitize=${RESMGR_SANITIZE})
  target_compile_definitions(resmgr_options INTERFACE RESMGR_SANITIZED)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND RESMGR_SANITIZE MATCHES "thread")
    # Asio fences with atomic_thread_fence, which this sanitizer can't model; it says so loudly.
    target_compile_options(resmgr_options INTERFACE -Wno-error=tsan -Wno-tsan)
  endif()
else()
  target_link_options(resmgr_options INTERFACE -Wl,-z,relro,-z,now -Wl,--as-needed)
endif()
