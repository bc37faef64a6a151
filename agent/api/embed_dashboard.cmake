# cmake -DOUTPUT=file.cc -DFILES=index.html;app.js;… -DCHART_JS=chart.min.js -P embed_dashboard.cmake
#
# Writes a source file with the name, kind, entity tag and text of each file of the dashboard.
# Chart.js is called chart.js in it, whatever the package calls it.

include("${CMAKE_CURRENT_LIST_DIR}/../../packaging/cmake/RawLiteral.cmake")

set(kind_html "text/html; charset=utf-8")
set(kind_js "text/javascript; charset=utf-8")
set(kind_css "text/css; charset=utf-8")
set(kind_svg "image/svg+xml")

set(entries "")
function(add_asset name file)
  get_filename_component(extension "${name}" LAST_EXT)
  string(SUBSTRING "${extension}" 1 -1 extension)
  if(NOT DEFINED kind_${extension})
    message(FATAL_ERROR "'${name}' is of no kind that a browser is served")
  endif()
  # The tag changes with the bytes, and with nothing else.
  file(SHA256 "${file}" hash)
  string(SUBSTRING "${hash}" 0 32 tag)
  resmgr_raw_literal(literal "${file}")
  set(entries "${entries}    {\"${name}\", \"${kind_${extension}}\", \"\\\"${tag}\\\"\",\n${literal}},\n"
      PARENT_SCOPE)
endfunction()

list(SORT FILES)
foreach(file IN LISTS FILES)
  get_filename_component(name "${file}" NAME)
  add_asset("${name}" "${file}")
endforeach()
add_asset(chart.js "${CHART_JS}")

file(WRITE "${OUTPUT}"
"// Made from web/ and Chart.js.
#include \"agent/api/dashboard.h\"

namespace resmgr::api {
namespace {

constexpr Asset kAssets[] = {
${entries}};

}  // namespace

std::span<const Asset> assets() { return kAssets; }

}  // namespace resmgr::api
")
