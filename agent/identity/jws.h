// Compact JWS (RFC 7515): taking a token apart, before and apart from any claim in it.
#ifndef RESMGR_AGENT_IDENTITY_JWS_H_
#define RESMGR_AGENT_IDENTITY_JWS_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "agent/identity/verification_key.h"

namespace resmgr::identity {

inline constexpr std::size_t kMaxTokenBytes = 8192;

struct Jws {
  Algorithm algorithm{};           // what the header names; only a key that fits may verify it
  std::optional<std::string> kid;  // compared with the kids of keys, and used for nothing else
  std::string_view signing_input;  // of the token's bytes, which must outlive this
  std::string payload;             // not to be believed before the signature is verified
  std::string signature;
};

// Throws Error(unauthenticated), with the reason as its message, for what is no token: over
// kMaxTokenBytes (nothing is parsed then), not three parts of canonical base64url, a header with
// duplicate members, with `crit` or `b64`, or with an algorithm that is not taken. Other header
// members (`jwk`, `jku`, `x5u`, `x5c`, `typ`, …) are passed over and never followed.
Jws parse_jws(std::string_view token);

}  // namespace resmgr::identity

#endif  // RESMGR_AGENT_IDENTITY_JWS_H_
