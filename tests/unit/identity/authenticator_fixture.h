// An authenticator of this test's making, a clock to move, and an issuer to rotate keys.
#ifndef RESMGR_TESTS_UNIT_IDENTITY_AUTHENTICATOR_FIXTURE_H_
#define RESMGR_TESTS_UNIT_IDENTITY_AUTHENTICATOR_FIXTURE_H_

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "agent/identity/authenticator.h"
#include "common/error.h"
#include "tests/fakes/fake_clock.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/identity/fake_issuer.h"
#include "tests/unit/identity/signer.h"

namespace resmgr::identity {

inline constexpr char kAgentId[] = "77777777-7777-4777-8777-777777777777";
inline constexpr char kUser[] = "11111111-1111-4111-8111-111111111111";
inline constexpr char kSecret[] = "a secret of this test, 32 bytes and more";
inline constexpr char kUrl[] = "https://id.example/jwks";

class AuthenticatorTest : public testing::Test {
 protected:
  long long now_seconds() const { return to_millis(clock_.now()) / 1000; }
  std::string claims(long long lifetime = 3600) const {
    return Json{{"sub", kUser}, {"exp", now_seconds() + lifetime}}.dump();
  }
  std::string hs256(const std::string& payload) const {
    return Signer::secret(kSecret).token("HS256", {{"alg", "HS256"}}, payload);
  }
  std::string es256(const Signer& signer, const char* kid, long long lifetime = 3600) const {
    return signer.token("ES256", {{"alg", "ES256"}, {"kid", kid}}, claims(lifetime));
  }

  std::unique_ptr<Authenticator> with_secret() {
    AuthOptions options;
    options.hmac_key_file = folder_.write("hmac.key", kSecret);
    return make(options);
  }
  std::unique_ptr<Authenticator> with_url() {
    AuthOptions options;
    options.jwks_url = kUrl;
    return make(options);
  }
  std::unique_ptr<Authenticator> make(const AuthOptions& options) {
    options_ = options;
    return std::make_unique<Authenticator>(options, clock_, kAgentId, issuer_.client());
  }

  // What it says of a token: the user id, "fetch first", or the error's kind and message.
  static std::string say(Authenticator& authenticator, const std::string& token,
                         bool may_fetch = true) {
    try {
      const auto principal = authenticator.authenticate_token(token, may_fetch);
      return principal ? principal->user_id : "fetch first";
    } catch (const Error& e) {
      EXPECT_EQ(e.message().find_first_of("\"\\\r\n"), std::string::npos) << e.message();
      return std::string(to_string(e.kind())) + ": " + e.message();
    }
  }
  static std::string say_header(Authenticator& authenticator, const std::string& header) {
    try {
      return authenticator.authenticate(header, false)->user_id;
    } catch (const Error& e) {
      return e.problem.empty() ? e.message() : e.problem;
    }
  }

  static constexpr char kUnknown[] =
      "unauthenticated: the token was signed with a key that is not known";
  static constexpr char kExpired[] = "unauthenticated: the token expired";

  support::TempDir folder_;
  AuthOptions options_;  // what make() was told last
  FakeClock clock_;
  FakeIssuer issuer_;
};

}  // namespace resmgr::identity

#endif  // RESMGR_TESTS_UNIT_IDENTITY_AUTHENTICATOR_FIXTURE_H_
