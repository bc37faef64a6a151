// The request target (RFC 9112, section 3.2): path segments and query, decoded.
#ifndef RESMGR_AGENT_API_TARGET_H_
#define RESMGR_AGENT_API_TARGET_H_

#include <string_view>

#include "agent/api/message.h"

namespace resmgr::api {

// Fills path, segments and query from request.target: "/path?query", "http://host/path?query", or
// "*" with OPTIONS (no segments then). Returns what is wrong, or an empty text. '+' stays as it
// is. Control characters, encoded or not, are refused.
std::string_view read_target(Request& request);

}  // namespace resmgr::api

#endif  // RESMGR_AGENT_API_TARGET_H_
