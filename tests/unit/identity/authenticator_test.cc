#include "agent/identity/authenticator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/crypto.h"
#include "common/error.h"
#include "tests/unit/identity/authenticator_fixture.h"

namespace resmgr::identity {
namespace {

using testing::HasSubstr;

TEST_F(AuthenticatorTest, TheHeaderIsBearerAndAToken) {
  const auto authenticator = with_secret();
  const std::string token = hs256(claims());
  EXPECT_EQ(say_header(*authenticator, "Bearer " + token), kUser);
  EXPECT_EQ(say_header(*authenticator, "bearer " + token), kUser);
  EXPECT_EQ(say_header(*authenticator, "BEARER   " + token), kUser);
  EXPECT_EQ(say_header(*authenticator, ""), "token-missing");
  for (const std::string& header :
       {std::string("Basic dTpw"), token, "Bearer" + token, std::string("Bearer"),
        std::string("Bearer "), "Token " + token, std::string(" ")}) {
    EXPECT_THAT(say_header(*authenticator, header), HasSubstr("Bearer")) << header;
  }
  EXPECT_NE(say_header(*authenticator, "Bearer " + token + " "), kUser);
  EXPECT_NE(say_header(*authenticator, "Bearer " + token + "," + token), kUser);
}

TEST_F(AuthenticatorTest, WithoutAnyKeyItNamesTheSectionToSet) {
  const auto authenticator = make({});
  EXPECT_FALSE(authenticator->configured());
  EXPECT_EQ(say_header(*authenticator, ""), "auth-not-configured");
  EXPECT_EQ(say_header(*authenticator, "Bearer x"), "auth-not-configured");
  EXPECT_THAT(say(*authenticator, "x"), HasSubstr("[auth]"));
  EXPECT_TRUE(with_secret()->configured());
  EXPECT_TRUE(with_url()->configured());
}

TEST_F(AuthenticatorTest, APrincipalKnowsWhenItsTokenExpires) {
  const auto authenticator = with_secret();
  const auto principal = authenticator->authenticate_token(hs256(claims(60)), false);
  ASSERT_TRUE(principal);
  EXPECT_EQ(principal->expires_at, clock_.now() + Millis{60'000});
  EXPECT_FALSE(principal->via_socket);
}

TEST_F(AuthenticatorTest, KeysOfEveryFileServe) {
  const Signer rsa = Signer::rsa();
  const Signer ec = Signer::ec();
  AuthOptions options;
  options.hmac_key_file = folder_.write("hmac.key", std::string(kSecret) + "\n");
  options.public_key_file = folder_.write("public.pem", rsa.public_pem());
  options.jwks_file = folder_.write("jwks.json", jwks({ec.jwk("ec")}));
  const auto authenticator = make(options);
  EXPECT_EQ(say(*authenticator, hs256(claims())), kUser);
  EXPECT_EQ(say(*authenticator, rsa.token("RS256", {{"alg", "RS256"}}, claims())), kUser);
  EXPECT_EQ(say(*authenticator, es256(ec, "ec")), kUser);
  EXPECT_EQ(say(*authenticator, es256(ec, "other")), kUnknown);
  EXPECT_EQ(issuer_.requests(), 0);
}

TEST_F(AuthenticatorTest, ATokenMacedWithThePublicPemIsForged) {
  const Signer rsa = Signer::rsa();
  AuthOptions options;
  options.public_key_file = folder_.write("public.pem", rsa.public_pem());
  const auto authenticator = make(options);
  const std::string forged =
      Signer::secret(rsa.public_pem()).token("HS256", {{"alg", "HS256"}}, claims());
  EXPECT_EQ(say(*authenticator, forged), kUnknown);
  options.hmac_key_file = folder_.write("hmac.key", kSecret);
  EXPECT_EQ(say(*make(options), forged),
            "unauthenticated: the signature of the token does not verify");
}

TEST_F(AuthenticatorTest, FaultsOfKeyFilesNameTheFile) {
  const auto fault = [&](const AuthOptions& options) -> std::string {
    try {
      make(options);
    } catch (const Error& e) {
      EXPECT_EQ(e.kind(), ErrorKind::config);
      EXPECT_THAT(e.message(), testing::Not(HasSubstr("short secret")));
      return e.message();
    }
    return "no error";
  };
  AuthOptions options;
  options.hmac_key_file = folder_.write("hmac.key", "short secret");
  EXPECT_THAT(fault(options),
              testing::AllOf(HasSubstr(options.hmac_key_file), HasSubstr("12 bytes")));
  options = {};
  options.hmac_key_file = "/nonexistent/hmac.key";
  EXPECT_THAT(fault(options), HasSubstr("/nonexistent/hmac.key"));
  options = {};
  options.public_key_file = "/nonexistent/key.pem";
  EXPECT_THAT(fault(options),
              testing::AllOf(HasSubstr("'/nonexistent/key.pem'"), HasSubstr("No such file")));
  options.public_key_file = folder_.path().string();
  EXPECT_THAT(fault(options), HasSubstr(folder_.path().string()));
  options.public_key_file = folder_.write("private.pem", Signer::ec().private_pem());
  EXPECT_THAT(fault(options), HasSubstr("private key"));
  options = {};
  options.jwks_file = folder_.write("jwks.json", "{}");
  EXPECT_THAT(fault(options), testing::AllOf(HasSubstr(options.jwks_file), HasSubstr("'keys'")));
  options = {};
  options.jwks_url = "ftp://id.example/";
  EXPECT_THAT(fault(options), HasSubstr("jwks_url"));
}

TEST_F(AuthenticatorTest, LongTokensAreRefusedBeforeAnything) {
  const auto authenticator = with_secret();
  const std::string why = "unauthenticated: the token is longer than 8 KiB";
  EXPECT_EQ(say(*authenticator, std::string(8193, 'a')), why);
  EXPECT_EQ(say(*authenticator, hs256(Json{{"sub", std::string(2 << 20, 'x')}}.dump())), why);
}

TEST_F(AuthenticatorTest, ACachedTokenStillExpires) {
  const auto authenticator = with_secret();
  const std::string token = hs256(claims(60));
  EXPECT_EQ(say(*authenticator, token), kUser);
  EXPECT_EQ(say(*authenticator, token), kUser);
  clock_.advance(Millis{89'999});  // the leeway's last instant
  EXPECT_EQ(say(*authenticator, token), kUser);
  clock_.advance(Millis{1});
  EXPECT_EQ(say(*authenticator, token), kExpired);
  EXPECT_EQ(say(*authenticator, token), kExpired);
}

TEST_F(AuthenticatorTest, ReloadTakesNewKeysAndForgetsTokensOfOldOnes) {
  const auto authenticator = with_secret();
  const std::string token = hs256(claims());
  EXPECT_EQ(say(*authenticator, token), kUser);
  folder_.write("hmac.key", std::string(40, 'n'));
  EXPECT_EQ(say(*authenticator, token), kUser);
  authenticator->reload(options_);
  EXPECT_EQ(say(*authenticator, token),
            "unauthenticated: the signature of the token does not verify");
  const std::string fresh =
      Signer::secret(std::string(40, 'n')).token("HS256", {{"alg", "HS256"}}, claims());
  EXPECT_EQ(say(*authenticator, fresh), kUser);
}

TEST_F(AuthenticatorTest, ReloadTakesWhatIsAskedOfTokens) {
  const auto authenticator = with_secret();
  const std::string token = hs256(claims());
  EXPECT_EQ(say(*authenticator, token), kUser);
  options_.issuer = "https://id.example";
  authenticator->reload(options_);
  EXPECT_THAT(say(*authenticator, token), testing::HasSubstr("issuer"));
  options_.issuer.clear();
  authenticator->reload(options_);
  EXPECT_EQ(say(*authenticator, token), kUser);
}

TEST_F(AuthenticatorTest, ReloadCanTakeTheOnlyKeyAwayAndBringIt) {
  const auto authenticator = with_secret();
  const std::string token = hs256(claims());
  EXPECT_EQ(say(*authenticator, token), kUser);
  authenticator->reload({});
  EXPECT_FALSE(authenticator->configured());
  EXPECT_THAT(say(*authenticator, token), testing::HasSubstr("no key is configured"));
  authenticator->reload(options_);
  EXPECT_EQ(say(*authenticator, token), kUser);
}

TEST_F(AuthenticatorTest, AFailedReloadKeepsTheOldKeys) {
  const auto authenticator = with_secret();
  folder_.write("hmac.key", "short");
  EXPECT_THROW(authenticator->reload(options_), Error);
  EXPECT_EQ(say(*authenticator, hs256(claims())), kUser);
}

TEST_F(AuthenticatorTest, SocketPeersAreAdminsUnderTheirLoginNames) {
  const auto authenticator = make({});
  const Principal root = authenticator->socket_peer(0);
  EXPECT_TRUE(root.admin);
  EXPECT_TRUE(root.via_socket);
  EXPECT_EQ(root.name, "root");
  EXPECT_EQ(root.user_id, uuid_v5(kAgentId, "uid:0"));
  EXPECT_FALSE(root.expires_at);
  EXPECT_EQ(authenticator->socket_peer(3'999'999'999).name, "3999999999");
  EXPECT_NE(authenticator->socket_peer(1).user_id, root.user_id);
}

}  // namespace
}  // namespace resmgr::identity
