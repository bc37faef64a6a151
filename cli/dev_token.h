// Tokens for development: JSON Web Tokens (RFC 7519), signed HS256 (RFC 7515, RFC 7518 section
// 3.2) with the agent's own key. In production an identity service makes them.
#ifndef RESMGR_CLI_DEV_TOKEN_H_
#define RESMGR_CLI_DEV_TOKEN_H_

#include <string>
#include <string_view>
#include <vector>

#include "common/clock.h"

namespace resmgr::cli {

struct TokenClaims {
  std::string user_id;  // a UUID
  std::string user_claim = "sub";
  std::vector<std::string> roles;  // none: an ordinary user
  std::string role_claim = "role";
  std::string issuer;    // empty: none
  std::string audience;  // empty: none
  Instant issued_at{};
  Millis lifetime{};  // whole seconds count
};

// `key` has 32 bytes or more: throws Error(config).
std::string mint_token(const TokenClaims& claims, std::string_view key);

}  // namespace resmgr::cli

#endif  // RESMGR_CLI_DEV_TOKEN_H_
