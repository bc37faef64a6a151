#include "tests/support/tokens.h"

#include "common/clock.h"
#include "common/crypto.h"

namespace resmgr::support {

Json claims_of(std::string_view user_id, std::chrono::seconds lifetime) {
  const long long now = to_millis(SystemClock().now()) / 1000;
  return {{"sub", user_id}, {"iat", now}, {"exp", now + lifetime.count()}};
}

std::string sign_hs256(const Json& claims, std::string_view key) {
  const std::string signed_part = base64url_encode(R"({"alg":"HS256","typ":"JWT"})") + "." +
                                  base64url_encode(dump_json(claims));
  return signed_part + "." + base64url_encode(hmac_sha256(key, signed_part));
}

std::string user_token(std::string_view user_id) { return sign_hs256(claims_of(user_id)); }

std::string admin_token() {
  Json claims = claims_of(kRoot);
  claims["role"] = "admin";
  return sign_hs256(claims);
}

}  // namespace resmgr::support
