# cmake -DOUTPUT=file.cc -DFILE=openapi.json -P embed_openapi.cmake
#
# Writes a source file with the description of the REST API.

include("${CMAKE_CURRENT_LIST_DIR}/../../packaging/cmake/RawLiteral.cmake")

# The tag changes with the bytes, and with nothing else.
file(SHA256 "${FILE}" hash)
string(SUBSTRING "${hash}" 0 32 tag)
resmgr_raw_literal(literal "${FILE}")

file(WRITE "${OUTPUT}"
"// Made from openapi.json.
#include \"agent/api/openapi.h\"

namespace resmgr::api {

const Asset& openapi() {
  static constexpr Asset kOpenApi = {\"openapi.json\", kJson, \"\\\"${tag}\\\"\",
${literal}};
  return kOpenApi;
}

}  // namespace resmgr::api
")
