// Whose task it is, for admins, where an identity service tells.
#include <gmock/gmock.h>

#include "agent/identity/user_directory.h"
#include "tests/unit/api/routes_world.h"
#include "tests/unit/identity/fake_issuer.h"

namespace resmgr::api {
namespace {

class RoutesUsersTest : public RoutesTest {
 protected:
  void SetUp() override {
    RoutesTest::SetUp();
    server_.reset();
    users_ = &directory_;
    start_server();
  }
  void TearDown() override {
    server_.reset();
    RoutesTest::TearDown();
  }

  identity::FakeIssuer service_;
  FakeClock time_;
  identity::UserDirectory directory_{
      {"identity", "https://id.example", "", {}}, time_, service_.client()};
};

TEST_F(RoutesUsersTest, AdminsSeeTheNameOnceItIsKnown) {
  service_.answer(200, R"({"email": "ada@example.org", "fullName": "Ada \"L\""})");
  const std::string id = started();
  EXPECT_FALSE(ask_get("/api/tasks", admin()).json()[0].contains("user"));
  // Neither the start nor the list asked anybody.
  EXPECT_EQ(service_.requests(), 0);
  EXPECT_TRUE(directory_.step());
  const Json user = {{"email", "ada@example.org"}, {"fullName", "Ada \"L\""}};
  EXPECT_EQ(ask_get("/api/tasks", admin()).json()[0]["user"], user);
  EXPECT_EQ(ask_get("/api/tasks/" + id, admin()).json()["user"], user);
}

TEST_F(RoutesUsersTest, NobodyElseDoes) {
  service_.answer(200, R"({"email": "ada@example.org"})");
  const std::string id = started();
  directory_.profile_of(support::kAlice);
  EXPECT_FALSE(ask_get("/api/tasks").json()[0].contains("user"));
  EXPECT_FALSE(ask_get("/api/tasks/" + id).json().contains("user"));
  EXPECT_TRUE(ask_get("/api/tasks", admin()).json()[0]["user"]["fullName"].is_null());
}

TEST_F(RoutesUsersTest, AServiceThatIsAwayIsNotNoticed) {
  service_.go_away();
  const std::string id = started();
  EXPECT_EQ(ask_get("/api/tasks", admin()).status, 200);
  EXPECT_TRUE(directory_.step());
  EXPECT_EQ(ask_get("/api/tasks/" + id, admin()).status, 200);
  EXPECT_EQ(ask_delete(id, admin()).status, 200);
}

}  // namespace
}  // namespace resmgr::api
