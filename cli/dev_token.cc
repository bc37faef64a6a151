#include "cli/dev_token.h"

#include "common/crypto.h"
#include "common/error.h"
#include "common/ids.h"
#include "common/json.h"

namespace resmgr::cli {
namespace {

constexpr std::size_t kShortestKey = 32;

Json payload_of(const TokenClaims& claims) {
  const std::int64_t now = to_millis(claims.issued_at) / 1000;
  Json payload = {{claims.user_claim, claims.user_id},
                  {"iat", now},
                  {"exp", now + claims.lifetime.count() / 1000},
                  {"jti", new_uuid_v4()}};
  if (claims.roles.size() == 1) payload[claims.role_claim] = claims.roles.front();
  if (claims.roles.size() > 1) payload[claims.role_claim] = claims.roles;
  if (!claims.issuer.empty()) payload["iss"] = claims.issuer;
  if (!claims.audience.empty()) payload["aud"] = claims.audience;
  return payload;
}

}  // namespace

std::string mint_token(const TokenClaims& claims, std::string_view key) {
  if (key.size() < kShortestKey) {
    throw Error(ErrorKind::config,
                "cannot make a token: the key has " + std::to_string(key.size()) +
                    " bytes, and HS256 wants 32 or more",
                "head -c 32 /dev/urandom | base64 | sed 's/^/base64:/' makes one");
  }
  const Json header = {{"alg", "HS256"}, {"typ", "JWT"}};
  const std::string signed_part =
      base64url_encode(dump_json(header)) + "." + base64url_encode(dump_json(payload_of(claims)));
  return signed_part + "." + base64url_encode(hmac_sha256(key, signed_part));
}

}  // namespace resmgr::cli
