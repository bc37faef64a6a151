#include "agent/identity/jwt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/crypto.h"
#include "common/error.h"
#include "common/json.h"

namespace resmgr::identity {
namespace {

constexpr long long kNow = 1'800'000'000;  // seconds
constexpr char kUser[] = "11111111-1111-4111-8111-111111111111";
constexpr char kNameIdentifier[] =
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier";
constexpr char kRoleUri[] = "http://schemas.microsoft.com/ws/2008/06/identity/claims/role";

Json good_claims() { return {{"sub", kUser}, {"exp", kNow + 60}}; }

Json with(const char* name, const Json& value) {
  Json claims = good_claims();
  claims[name] = value;
  return claims;
}

Principal read_text(std::string_view payload, const AuthOptions& options = {}) {
  return principal_from_claims(payload, options, instant_from_millis(kNow * 1000));
}
Principal read(const Json& claims, const AuthOptions& options = {}) {
  return read_text(claims.dump(), options);
}

std::string reason_of_text(std::string_view payload, const AuthOptions& options = {}) {
  try {
    read_text(payload, options);
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::unauthenticated);
    EXPECT_EQ(e.message().find_first_of("\"\\\r\n"), std::string::npos) << e.message();
    return e.message();
  }
  return "taken";
}
std::string reason(const Json& claims, const AuthOptions& options = {}) {
  return reason_of_text(claims.dump(), options);
}

TEST(Jwt, AGoodTokenNamesItsUser) {
  const Principal principal = read(good_claims());
  EXPECT_EQ(principal.user_id, kUser);
  EXPECT_EQ(principal.name, kUser);
  EXPECT_FALSE(principal.admin);
  EXPECT_FALSE(principal.via_socket);
  EXPECT_EQ(principal.expires_at, instant_from_millis((kNow + 60) * 1000));
}

TEST(Jwt, ExpiryIsRequiredAndLeewayAllowed) {
  EXPECT_EQ(reason({{"sub", kUser}}), "the token has no expiry");
  EXPECT_EQ(reason(with("exp", kNow - 29)), "taken");
  EXPECT_EQ(reason(with("exp", kNow - 29.999)), "taken");
  EXPECT_EQ(reason(with("exp", kNow - 30)), "the token expired");
  EXPECT_EQ(reason(with("exp", 0)), "the token expired");
  EXPECT_EQ(reason(with("exp", -5)), "the token expired");
  AuthOptions strict;
  strict.leeway = Millis{0};
  EXPECT_EQ(reason(with("exp", kNow), strict), "the token expired");
  EXPECT_EQ(reason(with("exp", kNow + 0.5), strict), "taken");
  EXPECT_EQ(read(with("exp", kNow + 0.5)).expires_at, instant_from_millis(kNow * 1000 + 500));
}

TEST(Jwt, TimesAreNumbersInReach) {
  for (const Json& value : {Json("1800000060"), Json(nullptr), Json(true), Json::array({kNow + 60}),
                            Json(1e300), Json(-1e300), Json(253402300800), Json(9e18)}) {
    EXPECT_THAT(reason(with("exp", value)), testing::HasSubstr("exp is no time")) << value;
    EXPECT_THAT(reason(with("nbf", value)), testing::HasSubstr("nbf is no time")) << value;
    EXPECT_THAT(reason(with("iat", value)), testing::HasSubstr("iat is no time")) << value;
  }
  EXPECT_NE(reason_of_text(std::string(R"({"sub":")") + kUser + R"(","exp":1e999})"), "taken");
  EXPECT_NE(reason_of_text(std::string(R"({"sub":")") + kUser + R"(","exp":NaN})"), "taken");
  EXPECT_EQ(reason(with("exp", 253402300799)), "taken");
}

TEST(Jwt, NotBeforeAndIssuedAtAreNotInTheFuture) {
  EXPECT_EQ(reason(with("nbf", kNow + 30)), "taken");
  EXPECT_EQ(reason(with("nbf", kNow + 31)), "the token is not valid yet");
  EXPECT_EQ(reason(with("iat", kNow + 30)), "taken");
  EXPECT_EQ(reason(with("iat", kNow + 31)), "the token was issued in the future");
  EXPECT_EQ(reason(with("iat", 0)), "taken");
}

TEST(Jwt, TheIssuerIsCheckedWhenConfigured) {
  AuthOptions options;
  options.issuer = "https://id.example";
  EXPECT_EQ(reason(with("iss", "https://id.example"), options), "taken");
  const std::string why = "the token has no issuer that this agent takes";
  EXPECT_EQ(reason(with("iss", "https://id.example/"), options), why);
  EXPECT_EQ(reason(with("iss", Json::array({"https://id.example"})), options), why);
  EXPECT_EQ(reason(good_claims(), options), why);
  EXPECT_EQ(reason(with("iss", "anyone")), "taken");
}

TEST(Jwt, TheAudienceIsCheckedWhenConfigured) {
  AuthOptions options;
  options.audience = "resmgr";
  EXPECT_EQ(reason(with("aud", "resmgr"), options), "taken");
  EXPECT_EQ(reason(with("aud", {"other", "resmgr"}), options), "taken");
  const std::string why = "the token has no audience that this agent takes";
  for (const Json& aud : {Json("other"), Json::array(), Json::array({"other"}), Json("RESMGR"),
                          Json("resmgr "), Json(nullptr), Json({{"resmgr", true}}), Json(1)}) {
    EXPECT_EQ(reason(with("aud", aud), options), why) << aud;
  }
  EXPECT_EQ(reason(good_claims(), options), why);
  EXPECT_EQ(reason(with("aud", "anyone")), "taken");
}

TEST(Jwt, RefreshTokensAreNotTaken) {
  EXPECT_EQ(reason(with("token_type", "access_token")), "taken");
  EXPECT_EQ(reason(with("token_type", "Bearer")), "taken");
  EXPECT_EQ(reason(with("token_type", "refresh_token")),
            "the token is a refresh token, not an access token");
  EXPECT_EQ(reason(with("token_type", "Refresh_Token")),
            "the token is a refresh token, not an access token");
  EXPECT_NE(reason(with("token_type", 1)), "taken");
}

TEST(Jwt, TheFirstUserClaimThatIsThereDecides) {
  const char* other = "22222222-2222-4222-8222-222222222222";
  const long long exp = kNow + 60;
  EXPECT_EQ(read({{kNameIdentifier, kUser}, {"exp", exp}}).user_id, kUser);
  EXPECT_EQ(read({{kNameIdentifier, other}, {"sub", kUser}, {"exp", exp}}).user_id, kUser);
  AuthOptions options;
  options.user_claims = {"uid"};
  EXPECT_EQ(read({{"uid", other}, {"sub", kUser}, {"exp", exp}}, options).user_id, other);
  EXPECT_EQ(reason(good_claims(), options), "the token names no user");
  EXPECT_EQ(reason({{"exp", exp}}), "the token names no user");
  for (const Json& subject : {Json(""), Json(5), Json(nullptr), Json::array({kUser})}) {
    EXPECT_EQ(reason({{"sub", subject}, {kNameIdentifier, kUser}, {"exp", exp}}),
              "the token names no user");
  }
}

TEST(Jwt, UserIdsAreUuidsInTheirCanonicalForm) {
  EXPECT_EQ(read(with("sub", "AAAAAAAA-BBBB-4CCC-8DDD-EEEEEEEEEEEE")).user_id,
            "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee");
  EXPECT_EQ(reason(with("sub", "alice")), "the token names a user whose id is no UUID");
  AuthOptions options;
  options.map_subject = true;
  const Principal mapped = read(with("sub", "alice"), options);
  EXPECT_EQ(mapped.user_id, uuid_v5(kSubjectNamespace, "alice"));
  EXPECT_EQ(mapped.name, "alice");
  EXPECT_EQ(read(good_claims(), options).user_id, kUser);
  EXPECT_EQ(reason(with("sub", ""), options), "the token names no user");
}

TEST(Jwt, RolesAreStringsOrArraysWhateverTheirCase) {
  for (const char* claim : {"role", "roles", kRoleUri}) {
    EXPECT_TRUE(read(with(claim, "admin")).admin) << claim;
    EXPECT_TRUE(read(with(claim, "ADMIN")).admin) << claim;
    EXPECT_TRUE(read(with(claim, {"user", "Admin"})).admin) << claim;
    EXPECT_TRUE(read(with(claim, {1, "admin"})).admin) << claim;
    for (const Json& roles : {Json("user"), Json("admin user"), Json("administrator"), Json(""),
                              Json::array(), Json::array({"user"}), Json({{"admin", true}}),
                              Json(true), Json(nullptr), Json::array({Json::array({"admin"})})}) {
      EXPECT_FALSE(read(with(claim, roles)).admin) << claim << " " << roles;
    }
  }
  EXPECT_FALSE(read(with("groups", "admin")).admin);
  Json both = with("role", "user");
  both["roles"] = {"admin"};
  EXPECT_TRUE(read(both).admin);
}

TEST(Jwt, TheAdminRoleIsConfigurable) {
  AuthOptions options;
  options.admin_role = "Operators";
  EXPECT_TRUE(read(with("role", "operators"), options).admin);
  EXPECT_FALSE(read(with("role", "admin"), options).admin);
  options.admin_role = "";
  EXPECT_FALSE(read(with("role", ""), options).admin);
  options.role_claims = {"groups"};
  options.admin_role = "admin";
  EXPECT_TRUE(read(with("groups", {"admin"}), options).admin);
  EXPECT_FALSE(read(with("role", "admin"), options).admin);
}

TEST(Jwt, DuplicateClaimsAreRefused) {
  const std::string why = "the token's claims are not valid JSON without duplicate members";
  const std::string exp = R"(,"exp":1800000060})";
  EXPECT_EQ(reason_of_text(R"({"sub":"11111111-1111-4111-8111-111111111111","sub":"x")" + exp),
            why);
  EXPECT_EQ(reason_of_text(R"({"sub":"x","role":"user","role":"admin")" + exp), why);
  EXPECT_EQ(reason_of_text(R"({"sub":"x","a":{"b":1,"b":2})" + exp), why);
  EXPECT_EQ(reason_of_text("{"), why);
  EXPECT_EQ(reason_of_text(""), why);
  EXPECT_EQ(reason_of_text("{}{}"), why);
  EXPECT_EQ(reason_of_text("[]"), "the token's claims are no JSON object");
  EXPECT_EQ(reason_of_text(R"("text")"), "the token's claims are no JSON object");
}

}  // namespace
}  // namespace resmgr::identity
