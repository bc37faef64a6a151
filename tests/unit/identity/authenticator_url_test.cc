// How an authenticator lives with a key set behind an URL.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <thread>
#include <vector>

#include "agent/identity/authenticator.h"
#include "agent/identity/remote_key_set.h"
#include "common/error.h"
#include "tests/unit/identity/authenticator_fixture.h"

namespace resmgr::identity {
namespace {

using testing::HasSubstr;

TEST_F(AuthenticatorTest, ARotatedKeyIsFetchedWhenItsIdIsMet) {
  const Signer first = Signer::ec();
  const Signer second = Signer::ec();
  issuer_.answer(200, jwks({first.jwk("first")}));
  const auto authenticator = with_url();
  EXPECT_EQ(say(*authenticator, es256(first, "first"), false), "fetch first");
  EXPECT_EQ(issuer_.requests(), 0);
  EXPECT_EQ(say(*authenticator, es256(first, "first")), kUser);
  EXPECT_EQ(say(*authenticator, es256(first, "first"), false), kUser);
  EXPECT_EQ(issuer_.requests(), 1);

  issuer_.answer(200, jwks({first.jwk("first"), second.jwk("second")}));
  EXPECT_EQ(say(*authenticator, es256(second, "second")), kUnknown);  // within the minute
  clock_.advance(RemoteKeySet::kMinInterval);
  EXPECT_EQ(say(*authenticator, es256(second, "second"), false), "fetch first");
  EXPECT_EQ(say(*authenticator, es256(second, "second")), kUser);
  EXPECT_EQ(say(*authenticator, es256(first, "first")), kUser);
  EXPECT_EQ(issuer_.requests(), 2);
}

TEST_F(AuthenticatorTest, AWithdrawnKeyIsNoticedByAgeAlsoForCachedTokens) {
  const Signer first = Signer::ec();
  const Signer second = Signer::ec();
  issuer_.answer(200, jwks({first.jwk("first"), second.jwk("second")}));
  const auto authenticator = with_url();
  const std::string token = es256(first, "first");
  EXPECT_EQ(say(*authenticator, token), kUser);
  issuer_.answer(200, jwks({second.jwk("second")}));
  clock_.advance(RemoteKeySet::kMaxAge);
  EXPECT_EQ(say(*authenticator, token, false), "fetch first");
  EXPECT_EQ(say(*authenticator, token), kUnknown);
  EXPECT_EQ(issuer_.requests(), 2);
}

TEST_F(AuthenticatorTest, AFloodOfUnknownKeysCostsOneFetchAMinute) {
  const Signer signer = Signer::ec();
  issuer_.answer(200, jwks({signer.jwk("known")}));
  const auto authenticator = with_url();
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(say(*authenticator, es256(signer, ("id" + std::to_string(i)).c_str())), kUnknown);
  }
  EXPECT_EQ(issuer_.requests(), 1);
  EXPECT_EQ(say(*authenticator, es256(signer, "id"), false), kUnknown);
  EXPECT_EQ(say(*authenticator, es256(signer, "known"), false), kUser);
}

TEST_F(AuthenticatorTest, WhatIsNoTokenCausesNoFetch) {
  const auto authenticator = with_url();
  for (const char* text : {"", "x", "a.b.c", "..", "eyJhbGciOiJub25lIn0.e30."}) {
    EXPECT_THAT(say(*authenticator, text, false), testing::StartsWith("unauthenticated")) << text;
  }
  EXPECT_EQ(issuer_.requests(), 0);
}

TEST_F(AuthenticatorTest, WithTheIssuerAwayKnownKeysServeAndUnknownOnesAreUnavailable) {
  const Signer signer = Signer::ec();
  issuer_.answer(200, jwks({signer.jwk("known")}));
  const auto authenticator = with_url();
  EXPECT_EQ(say(*authenticator, es256(signer, "known")), kUser);
  issuer_.go_away();
  clock_.advance(RemoteKeySet::kMaxAge);
  EXPECT_EQ(say(*authenticator, es256(signer, "known")), kUser);
  EXPECT_EQ(issuer_.requests(), 2);
  EXPECT_THAT(say(*authenticator, es256(signer, "unknown")), testing::StartsWith("unavailable"));
  EXPECT_THAT(say(*authenticator, es256(signer, "unknown"), false),
              testing::StartsWith("unavailable"));
  EXPECT_EQ(issuer_.requests(), 2);
  EXPECT_EQ(say(*authenticator, es256(signer, "known"), false), kUser);
  EXPECT_EQ(say(*authenticator, es256(signer, "known", -60)), kExpired);
}

TEST_F(AuthenticatorTest, BeforeTheFirstFetchSucceedsEveryTokenIsUnavailable) {
  const auto authenticator = with_url();
  try {
    authenticator->authenticate_token(es256(Signer::ec(), "any"), true);
    FAIL() << "taken without a key";
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::unavailable);
    ASSERT_TRUE(e.retry_after);
    EXPECT_EQ(e.retry_after->count(), 60);
    EXPECT_THAT(e.message(), testing::Not(HasSubstr("id.example")));
  }
}

TEST_F(AuthenticatorTest, ReloadFetchesTheKeySetAgain) {
  const Signer first = Signer::ec();
  const Signer second = Signer::ec();
  issuer_.answer(200, jwks({first.jwk("first")}));
  const auto authenticator = with_url();
  EXPECT_EQ(say(*authenticator, es256(first, "first")), kUser);
  issuer_.answer(200, jwks({second.jwk("second")}));
  authenticator->reload(options_);
  EXPECT_EQ(say(*authenticator, es256(first, "first"), false), "fetch first");
  EXPECT_EQ(say(*authenticator, es256(second, "second")), kUser);
  EXPECT_EQ(say(*authenticator, es256(first, "first")), kUnknown);
}

TEST_F(AuthenticatorTest, AfterAReloadTheFetchedKeysServeOnWhileTheUrlIsAway) {
  const Signer signer = Signer::ec();
  issuer_.answer(200, jwks({signer.jwk("known")}));
  const auto authenticator = with_url();
  EXPECT_EQ(say(*authenticator, es256(signer, "known")), kUser);
  issuer_.answer(503, "");
  authenticator->reload(options_);
  EXPECT_EQ(say(*authenticator, es256(signer, "known")), kUser);
}

TEST_F(AuthenticatorTest, ReloadLeavesAnUrlThatIsConfiguredNoMore) {
  const Signer signer = Signer::ec();
  issuer_.answer(200, jwks({signer.jwk("known")}));
  const auto authenticator = with_url();
  EXPECT_EQ(say(*authenticator, es256(signer, "known")), kUser);
  AuthOptions options;
  options.hmac_key_file = folder_.write("hmac.key", kSecret);
  authenticator->reload(options);
  EXPECT_EQ(say(*authenticator, es256(signer, "known")), kUnknown);
  EXPECT_EQ(say(*authenticator, hs256(claims())), kUser);
}

TEST_F(AuthenticatorTest, FilesServeBesideAnUrlThatIsAway) {
  AuthOptions options;
  options.hmac_key_file = folder_.write("hmac.key", kSecret);
  options.jwks_url = kUrl;
  const auto authenticator = make(options);
  EXPECT_EQ(say(*authenticator, hs256(claims())), kUser);
  EXPECT_THAT(
      say(*authenticator,
          Signer::secret(std::string(32, 'x')).token("HS256", {{"alg", "HS256"}}, claims())),
      testing::StartsWith("unavailable"));
}

TEST_F(AuthenticatorTest, OneFetchServesAllWhoWait) {
  const Signer signer = Signer::ec();
  issuer_.answer(200, jwks({signer.jwk("known")}));
  const auto authenticator = with_url();
  constexpr int kThreads = 8;
  std::latch all_here(kThreads);
  std::atomic<int> taken{0};
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      const std::string token = es256(signer, "known", 1000 + t);
      all_here.arrive_and_wait();
      for (int i = 0; i < 50; ++i) {
        if (say(*authenticator, token) == kUser) ++taken;
        if (i == 25 && t == 0) authenticator->reload(options_);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(taken, kThreads * 50);
  // One at the start, and one after the reload.
  EXPECT_EQ(issuer_.requests(), 2);
}

}  // namespace
}  // namespace resmgr::identity
