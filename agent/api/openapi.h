// The description of the REST API, which is part of the program. tests/unit/api holds the routes
// against it.
#ifndef RESMGR_AGENT_API_OPENAPI_H_
#define RESMGR_AGENT_API_OPENAPI_H_

#include "agent/api/asset.h"

namespace resmgr::api {

// openapi.json: OpenAPI 3.1.
const Asset& openapi();

}  // namespace resmgr::api

#endif  // RESMGR_AGENT_API_OPENAPI_H_
