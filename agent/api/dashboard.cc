// GET / and GET /dashboard/{file}.
#include "agent/api/dashboard.h"

#include <algorithm>
#include <string>

#include "agent/api/routes.h"
#include "common/error.h"

namespace resmgr::api {
namespace {

// Nothing from elsewhere and nothing inline; services alone are framed, each from its own address.
// 'self' lets connections of the WebSocket kind through as well.
constexpr char kContentSecurityPolicy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; frame-src http: https:; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'self'";

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

Response asset_response(std::string_view name, const Request& request) {
  const auto all = assets();
  const auto asset =
      std::find_if(all.begin(), all.end(), [&](const Asset& known) { return known.name == name; });
  if (asset == all.end()) {
    constexpr std::size_t kShown = 64;
    throw Error(ErrorKind::not_found, "cannot find file '" + std::string(name.substr(0, kShown)) +
                                          "' of the dashboard: there is none");
  }
  Response response;
  response.set("ETag", std::string(asset->etag));
  // It may be kept, but a newer agent's must be seen at once.
  response.set("Cache-Control", "no-cache");
  response.set("Content-Security-Policy", kContentSecurityPolicy);
  response.set("Referrer-Policy", "no-referrer");
  if (has_current(request, asset->etag)) {
    response.status = 304;
    return response;
  }
  response.content_type = asset->content_type;
  response.body = asset->text;
  return response;
}

// The files hold nobody's data, so that they need no token: what they show is asked for with one.
void add_dashboard_routes(Router& router) {
  router.add({.method = Method::get,
              .pattern = "/",
              .access = Access::open,
              .handler = [](const Responder& responder) {
                return asset_response("index.html", responder.request());
              }});
  router.add({.method = Method::get,
              .pattern = "/dashboard/{file}",
              .access = Access::open,
              .handler = [](const Responder& responder) {
                const Request& request = responder.request();
                return asset_response(request.captures.front(), request);
              }});
}

}  // namespace resmgr::api
