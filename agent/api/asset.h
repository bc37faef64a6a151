// Files that are part of the program, and how they are served.
#ifndef RESMGR_AGENT_API_ASSET_H_
#define RESMGR_AGENT_API_ASSET_H_

#include <string_view>

#include "agent/api/message.h"

namespace resmgr::api {

// The views last for ever.
struct Asset {
  std::string_view name;  // of its file
  std::string_view content_type;
  std::string_view etag;  // with its quotes
  std::string_view text;
};

// The answer to a GET of it; 304 where the caller has it already.
Response asset_response(const Asset& asset, const Request& request);

}  // namespace resmgr::api

#endif  // RESMGR_AGENT_API_ASSET_H_
