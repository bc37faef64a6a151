// Bearer tokens as an identity provider would make them (RFC 7515, RFC 7519), HS256 only. Made
// here and not by the program, so that the program isn't the judge of its own work.
#ifndef RESMGR_TESTS_SUPPORT_TOKENS_H_
#define RESMGR_TESTS_SUPPORT_TOKENS_H_

#include <chrono>
#include <string>
#include <string_view>

#include "common/json.h"

namespace resmgr::support {

inline constexpr char kTestKey[] = "a key of the tests, at least 32 bytes long";

// Fixed ids of people who appear in tests.
inline constexpr char kAlice[] = "11111111-1111-4111-8111-111111111111";
inline constexpr char kBob[] = "22222222-2222-4222-8222-222222222222";
inline constexpr char kRoot[] = "99999999-9999-4999-8999-999999999999";

// The claims `sub`, `iat` and `exp`; the token is valid for `lifetime` from now (negative: it has
// expired).
Json claims_of(std::string_view user_id, std::chrono::seconds lifetime = std::chrono::hours(1));

std::string sign_hs256(const Json& claims, std::string_view key = kTestKey);

std::string user_token(std::string_view user_id);
std::string admin_token();  // kRoot's, with the role

}  // namespace resmgr::support

#endif  // RESMGR_TESTS_SUPPORT_TOKENS_H_
