// The dashboard's files, which are part of the program.
#ifndef RESMGR_AGENT_API_DASHBOARD_H_
#define RESMGR_AGENT_API_DASHBOARD_H_

#include <span>
#include <string_view>

#include "agent/api/asset.h"

namespace resmgr::api {

std::span<const Asset> assets();

// The answer to a GET of the file; 304 where the caller has it already. Throws Error(not_found).
Response asset_response(std::string_view name, const Request& request);

}  // namespace resmgr::api

#endif  // RESMGR_AGENT_API_DASHBOARD_H_
