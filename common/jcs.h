// The JSON Canonicalization Scheme, RFC 8785, for what usage records hold.
#ifndef RESMGR_COMMON_JCS_H_
#define RESMGR_COMMON_JCS_H_

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace resmgr {

// The canonical bytes of an object, array, string, integer (|n| <= 2^53 - 1), boolean or null.
// Throws Error(internal) for a number with a fraction or beyond that range, a member name that is
// not ASCII, and a string that is not UTF-8.
std::string canonical_json(const nlohmann::json& value);

}  // namespace resmgr

#endif  // RESMGR_COMMON_JCS_H_
