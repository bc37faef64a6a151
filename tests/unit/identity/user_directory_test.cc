#include "agent/identity/user_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "agent/identity/profile_cache.h"
#include "common/error.h"
#include "common/log.h"
#include "tests/fakes/fake_clock.h"
#include "tests/support/eventually.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/common/scripted_server.h"
#include "tests/unit/identity/fake_issuer.h"

namespace resmgr::identity {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr char kAda[] = "11111111-1111-4111-8111-111111111111";
constexpr char kBob[] = "22222222-2222-4222-8222-222222222222";
constexpr char kAdaJson[] = R"({"email": "ada@example.org", "username": "ada"})";

std::string said(const std::optional<UserProfile>& profile) {
  return profile ? profile->email + " " + profile->full_name : "nobody";
}

class UserDirectoryTest : public testing::Test {
 protected:
  UserDirectoryTest() { service_.answer(200, kAdaJson); }

  std::string asked(const std::string& json) {
    service_.answer(200, json);
    UserDirectory directory({"identity", "https://id.example", "", {}}, clock_, service_.client());
    return said(directory.profile_of(kAda));
  }

  FakeClock clock_;
  FakeIssuer service_;
  UserDirectory directory_{{"identity", "https://id.example", "", {}}, clock_, service_.client()};
};

TEST_F(UserDirectoryTest, ReadsWhatServicesAnswer) {
  EXPECT_EQ(asked(kAdaJson), "ada@example.org ada");
  EXPECT_EQ(service_.last_target(), std::string("/api/users/") + kAda);
  EXPECT_EQ(asked(R"({"data": {"email": "a@b", "fullName": "Ada L", "username": "ada"}})"),
            "a@b Ada L");
  EXPECT_EQ(asked(R"({"email": "a@b", "firstName": "Ada", "lastName": "L"})"), "a@b Ada L");
  EXPECT_EQ(asked(R"({"username": "ada"})"), " ada");
  EXPECT_EQ(asked(R"({"email": "a@b\r\nBcc: all", "name": "A\u0000da"})"), "a@bBcc: all Ada");
  EXPECT_EQ(asked(R"({"email": 7})"), "nobody");
  EXPECT_EQ(asked("[]"), "nobody");
  EXPECT_EQ(asked("{}"), "nobody");
  EXPECT_EQ(asked("no json"), "nobody");
  EXPECT_EQ(asked("{\"email\": \"" + std::string(70'000, 'x') + "\"}"), "nobody");
}

TEST_F(UserDirectoryTest, NeverWaitsInARequest) {
  EXPECT_EQ(said(directory_.known(kAda)), "nobody");
  EXPECT_EQ(said(directory_.known(kAda)), "nobody");
  EXPECT_EQ(service_.requests(), 0);
  EXPECT_TRUE(directory_.step());
  EXPECT_FALSE(directory_.step());  // it was asked for once
  EXPECT_EQ(said(directory_.known(kAda)), "ada@example.org ada");
  EXPECT_EQ(service_.requests(), 1);
}

TEST_F(UserDirectoryTest, RemembersForTenMinutes) {
  EXPECT_EQ(said(directory_.profile_of(kAda)), "ada@example.org ada");
  service_.answer(200, R"({"email": "new@example.org", "username": "ada"})");
  clock_.advance(UserDirectory::kMaxAge - Millis{1});
  EXPECT_EQ(said(directory_.profile_of(kAda)), "ada@example.org ada");
  clock_.advance(Millis{1});
  // A request gets the old one once more; a new one is on its way.
  EXPECT_EQ(said(directory_.known(kAda)), "ada@example.org ada");
  EXPECT_TRUE(directory_.step());
  EXPECT_EQ(said(directory_.known(kAda)), "new@example.org ada");
}

TEST_F(UserDirectoryTest, RemembersForAShorterTimeWhoIsNotThere) {
  service_.answer(404, "{}");
  EXPECT_EQ(said(directory_.profile_of(kAda)), "nobody");
  EXPECT_EQ(said(directory_.profile_of(kAda)), "nobody");
  EXPECT_EQ(service_.requests(), 1);
  service_.answer(200, kAdaJson);
  clock_.advance(UserDirectory::kMaxAgeOfUnknown);
  EXPECT_EQ(said(directory_.profile_of(kAda)), "ada@example.org ada");
}

TEST_F(UserDirectoryTest, LeavesAFailingServiceInPeace) {
  EXPECT_EQ(said(directory_.profile_of(kAda)), "ada@example.org ada");
  clock_.advance(UserDirectory::kMaxAge);
  service_.go_away();
  EXPECT_EQ(said(directory_.profile_of(kAda)), "ada@example.org ada");  // the old one
  EXPECT_EQ(service_.requests(), 2);
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(said(directory_.profile_of(kBob)), "nobody");
    directory_.known(kBob);
    directory_.step();
  }
  EXPECT_EQ(service_.requests(), 2);
  service_.answer(200, kAdaJson);
  clock_.advance(UserDirectory::kMaxPause);
  EXPECT_EQ(said(directory_.profile_of(kBob)), "ada@example.org ada");
}

TEST_F(UserDirectoryTest, DropsWhoWaitedWhenTheServiceFails) {
  service_.go_away();
  directory_.known(kAda);
  directory_.known(kBob);
  EXPECT_TRUE(directory_.step());
  EXPECT_FALSE(directory_.step());
  clock_.advance(UserDirectory::kMaxPause);
  EXPECT_FALSE(directory_.step());
  EXPECT_EQ(service_.requests(), 1);
}

TEST_F(UserDirectoryTest, SaysOnceThatItFailsAndOnceThatItAnswersAgain) {
  log::set_level(log::Level::information);
  testing::internal::CaptureStderr();
  service_.answer(401, "");
  for (int i = 0; i < 5; ++i) {
    directory_.profile_of(kAda);
    clock_.advance(UserDirectory::kMaxPause);
  }
  service_.answer(200, kAdaJson);
  directory_.profile_of(kAda);
  const std::string log = testing::internal::GetCapturedStderr();
  log::set_level(log::Level::warning);
  EXPECT_EQ(std::ranges::count(log, '\n'), 2) << log;
  EXPECT_THAT(log, AllOf(HasSubstr("refuses the token (401)"), HasSubstr("token_file"),
                         HasSubstr("answers again")));
}

TEST_F(UserDirectoryTest, BoundsWhoWaits) {
  for (int i = 0; i < 1'000; ++i) directory_.known(std::to_string(i));
  int asked = 0;
  while (directory_.step()) ++asked;
  EXPECT_EQ(asked, static_cast<int>(UserDirectory::kMaxWaiting));
}

TEST(ProfileCacheTest, DropsWhoWasNotReadForLongest) {
  ProfileCache cache(2);
  cache.put({"a", UserProfile{"a", ""}, Millis{0}});
  cache.put({"b", UserProfile{"b", ""}, Millis{0}});
  ASSERT_NE(cache.find("a"), nullptr);
  cache.put({"c", std::nullopt, Millis{0}});
  EXPECT_EQ(cache.find("b"), nullptr);
  EXPECT_NE(cache.find("a"), nullptr);
  cache.put({"a", UserProfile{"new", ""}, Millis{1}});
  EXPECT_EQ(cache.find("a")->profile->email, "new");
  EXPECT_EQ(cache.size(), 2U);
}

class UserDirectoryHttpTest : public testing::Test {
 protected:
  Destination destination(const ScriptedServer& server) {
    return {"identity", server.url() + "/v1", "", Secret::in_file(folder_.write("token", "t0ken"))};
  }
  support::TempDir folder_;
  SystemClock clock_;
};

TEST_F(UserDirectoryHttpTest, ShowsItsTokenAndAsksInTheBackground) {
  std::string seen;
  const ScriptedServer server([&](Peer& peer, int) {
    seen = peer.read_request();
    peer.answer(kAdaJson);
  });
  UserDirectory directory(destination(server), clock_);
  directory.run();
  EXPECT_TRUE(support::eventually([&] { return directory.known(kAda).has_value(); }));
  EXPECT_THAT(seen, AllOf(HasSubstr("GET /v1/api/users/" + std::string(kAda)),
                          HasSubstr("Authorization: Bearer t0ken\r\n")));
}

TEST_F(UserDirectoryHttpTest, EndsThoughTheServiceHangs) {
  const ScriptedServer server([](Peer& peer, int) {
    peer.read_request();
    peer.wait_for_close();
  });
  {
    UserDirectory directory(destination(server), clock_);
    directory.run();
    directory.known(kAda);
    EXPECT_TRUE(support::eventually([&] { return server.open() == 1; }));
  }
  EXPECT_TRUE(support::eventually([&] { return server.open() == 0; }));
}

TEST_F(UserDirectoryHttpTest, HoldsUpNoSinkOnceItIsStopped) {
  const ScriptedServer server([](Peer& peer, int) {
    peer.read_request();
    peer.wait_for_close();
  });
  UserDirectory directory(destination(server), clock_);
  std::jthread sink([&] { directory.profile_of(kAda); });
  EXPECT_TRUE(support::eventually([&] { return server.open() == 1; }));
  directory.stop();
  sink.join();
  EXPECT_FALSE(directory.profile_of(kAda));
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(UserDirectoryHttpTest, ChecksWithoutNamingAnybody) {
  std::string status = "404 Not Found";
  const ScriptedServer server([&](Peer& peer, int) {
    peer.read_request();
    peer.answer("{}", status);
  });
  EXPECT_NO_THROW(UserDirectory(destination(server), clock_).check());
  status = "403 Forbidden";
  try {
    UserDirectory(destination(server), clock_).check();
    ADD_FAILURE() << "taken";
  } catch (const Error& error) {
    EXPECT_THAT(error.message(), AllOf(HasSubstr("403"), Not(HasSubstr("t0ken"))));
  }
}

}  // namespace
}  // namespace resmgr::identity
