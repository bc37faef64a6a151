// GET /openapi.json: what this API is. It holds nobody's data, so that it needs no token.
#include "agent/api/openapi.h"
#include "agent/api/routes.h"

namespace resmgr::api {

void add_openapi_route(Router& router) {
  router.add({.method = Method::get,
              .pattern = "/openapi.json",
              .access = Access::open,
              .handler = [](const Responder& responder) {
                return asset_response(openapi(), responder.request());
              }});
}

}  // namespace resmgr::api
