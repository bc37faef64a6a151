#include "agent/identity/remote_key_set.h"

#include <gtest/gtest.h>

#include "common/error.h"
#include "tests/fakes/fake_clock.h"
#include "tests/unit/identity/fake_issuer.h"
#include "tests/unit/identity/signer.h"

namespace resmgr::identity {
namespace {

class RemoteKeySetTest : public testing::Test {
 protected:
  void issue(std::initializer_list<Json> keys) { issuer_.answer(200, jwks(keys)); }
  std::size_t size() const { return keys_.keys() ? keys_.keys()->size() : 0; }

  const Json one_ = Signer::ec().jwk("one");
  const Json two_ = Signer::ec().jwk("two");
  FakeClock clock_;
  FakeIssuer issuer_;
  RemoteKeySet keys_{"https://id.example/realm/jwks?x=1#part", "", clock_, issuer_.client()};
};

TEST_F(RemoteKeySetTest, NothingIsFetchedUnasked) {
  EXPECT_EQ(keys_.keys(), nullptr);
  EXPECT_TRUE(keys_.failing());
  EXPECT_TRUE(keys_.obtainable());
  EXPECT_EQ(issuer_.requests(), 0);
}

TEST_F(RemoteKeySetTest, AsksForPathAndQuery) {
  issue({one_});
  EXPECT_TRUE(keys_.obtain());
  EXPECT_EQ(issuer_.last_target(), "/realm/jwks?x=1");
  EXPECT_EQ(size(), 1U);
  EXPECT_FALSE(keys_.failing());
}

TEST_F(RemoteKeySetTest, AttemptsAreAMinuteApartWhetherTheySucceedOrNot) {
  EXPECT_FALSE(keys_.obtain());
  EXPECT_EQ(keys_.retry_after(), std::chrono::seconds(60));
  issue({one_});
  for (int i = 0; i < 50; ++i) EXPECT_FALSE(keys_.obtain());
  EXPECT_EQ(issuer_.requests(), 1);
  EXPECT_FALSE(keys_.obtainable());
  clock_.advance(Millis{59'999});
  EXPECT_FALSE(keys_.obtain());
  EXPECT_EQ(keys_.retry_after(), std::chrono::seconds(1));
  clock_.advance(Millis{1});
  EXPECT_TRUE(keys_.obtain());
  EXPECT_EQ(issuer_.requests(), 2);
  EXPECT_EQ(size(), 1U);
}

TEST_F(RemoteKeySetTest, TheSameAnswerIsNoChange) {
  issue({one_});
  EXPECT_TRUE(keys_.obtain());
  clock_.advance(RemoteKeySet::kMinInterval);
  EXPECT_FALSE(keys_.obtain());
  issue({one_, two_});
  clock_.advance(RemoteKeySet::kMinInterval);
  EXPECT_TRUE(keys_.obtain());
  EXPECT_EQ(size(), 2U);
}

TEST_F(RemoteKeySetTest, OldKeysAreDueForARefresh) {
  issue({one_});
  keys_.obtain();
  EXPECT_FALSE(keys_.refresh_due());
  clock_.advance(RemoteKeySet::kMaxAge - Millis{1});
  EXPECT_FALSE(keys_.refresh_due());
  clock_.advance(Millis{1});
  EXPECT_TRUE(keys_.refresh_due());
  issuer_.go_away();
  keys_.obtain();
  EXPECT_FALSE(keys_.refresh_due());  // not before the next attempt is allowed
  clock_.advance(RemoteKeySet::kMinInterval);
  EXPECT_TRUE(keys_.refresh_due());
}

TEST_F(RemoteKeySetTest, AFailureKeepsTheOldKeys) {
  issue({one_});
  keys_.obtain();
  const auto fail_with = [&](int status, const std::string& body) {
    issuer_.answer(status, body);
    clock_.advance(RemoteKeySet::kMinInterval);
    EXPECT_FALSE(keys_.obtain()) << body.substr(0, 40);
    EXPECT_TRUE(keys_.failing());
    EXPECT_EQ(size(), 1U);
  };
  fail_with(500, jwks({one_, two_}));
  fail_with(302, "");
  fail_with(204, "");
  fail_with(200, "");
  fail_with(200, "<html>");
  fail_with(200, R"({"keys":[]})");
  fail_with(200, jwks({Signer::secret(std::string(32, 's')).jwk("shared")}));
  fail_with(200, jwks({one_, two_}) + std::string(RemoteKeySet::kMaxBytes, ' '));
  issuer_.go_away();
  clock_.advance(RemoteKeySet::kMinInterval);
  EXPECT_FALSE(keys_.obtain());
  EXPECT_EQ(size(), 1U);
  issue({one_, two_});
  clock_.advance(RemoteKeySet::kMinInterval);
  EXPECT_TRUE(keys_.obtain());
  EXPECT_FALSE(keys_.failing());
}

TEST_F(RemoteKeySetTest, AServerThatDripsIsLeft) {
  issue({one_});
  issuer_.during = [this] { clock_.advance(RemoteKeySet::kMaxAttempt + Millis{1}); };
  EXPECT_FALSE(keys_.obtain());
  EXPECT_TRUE(keys_.failing());
  EXPECT_EQ(size(), 0U);
}

TEST_F(RemoteKeySetTest, ExpiredKeysStayButMayBeFetchedAtOnce) {
  issue({one_});
  keys_.obtain();
  keys_.expire();
  EXPECT_EQ(size(), 1U);
  EXPECT_TRUE(keys_.refresh_due());
  issue({two_});
  EXPECT_TRUE(keys_.obtain());
}

TEST(RemoteKeySet, UrlsAreHttpOrHttps) {
  const FakeClock clock;
  for (const char* url :
       {"", "id.example/jwks", "file:///etc/passwd", "unix:///run/x.sock", "ftp://id.example/"}) {
    FakeIssuer issuer;
    EXPECT_THROW(RemoteKeySet(url, "", clock, issuer.client()), Error) << url;
  }
}

TEST(RemoteKeySet, AnUrlWithoutPathAsksForTheRoot) {
  const FakeClock clock;
  FakeIssuer issuer;
  RemoteKeySet keys("http://127.0.0.1:1", "", clock, issuer.client());
  keys.obtain();
  EXPECT_EQ(issuer.last_target(), "/");
}

}  // namespace
}  // namespace resmgr::identity
