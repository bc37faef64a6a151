#include "agent/api/asset.h"

#include <string>

namespace resmgr::api {
namespace {

// RFC 9110, section 13.1.2: compared weakly, for a proxy may have weakened the tag.
bool has_current(const Request& request, std::string_view etag) {
  std::string_view rest = request.header("If-None-Match");
  while (!rest.empty()) {
    const std::size_t comma = rest.find(',');
    std::string_view tag = trimmed(rest.substr(0, comma));
    if (tag.starts_with("W/")) tag.remove_prefix(2);
    if (tag == "*" || tag == etag) return true;
    rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
  }
  return false;
}

}  // namespace

Response asset_response(const Asset& asset, const Request& request) {
  Response response;
  response.set("ETag", std::string(asset.etag));
  // It may be kept, but a newer agent's must be seen at once.
  response.set("Cache-Control", "no-cache");
  if (has_current(request, asset.etag)) {
    response.status = 304;
    return response;
  }
  response.content_type = asset.content_type;
  response.body = asset.text;
  return response;
}

}  // namespace resmgr::api
