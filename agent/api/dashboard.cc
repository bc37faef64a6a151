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
  Response response = asset_response(*asset, request);
  response.set("Content-Security-Policy", kContentSecurityPolicy);
  response.set("Referrer-Policy", "no-referrer");
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
