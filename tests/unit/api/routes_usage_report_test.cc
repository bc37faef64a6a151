// GET /api/usage.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/api/routes_world.h"

namespace resmgr::api {
namespace {

using testing::HasSubstr;

class UsageRouteTest : public RoutesTest {
 protected:
  // Runs a task of the caller's for so long.
  void use(const std::string& headers, Millis time) {
    const std::string id = started(headers);
    world_.clock.advance(time);
    ASSERT_EQ(ask_delete(id, headers).status, 200);
  }
};

TEST_F(UsageRouteTest, SumsUpWhatTheCallerUsed) {
  use(alice(), Millis{1'500});
  use(alice(), Millis{1'000});
  use(bob(), Millis{7'000});
  RawAnswer answer = ask_get("/api/usage?groupBy=user,service");
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.json(), Json::array({{{"userId", support::kAlice},
                                         {"serviceType", "web"},
                                         {"tasks", 2},
                                         {"seconds", 2.5},
                                         {"cpuSeconds", 0.0},
                                         {"peakMemoryBytes", 1'048'576}}}));
  answer = ask_get("/api/usage", admin());
  ASSERT_EQ(answer.json().size(), 1U) << answer.body;
  EXPECT_EQ(answer.json()[0]["tasks"], 3);
  EXPECT_EQ(answer.json()[0]["seconds"], 9.5);
  EXPECT_FALSE(answer.json()[0].contains("userId"));
  answer = ask_get("/api/usage?userId=me&groupBy=user", admin());
  EXPECT_EQ(answer.json(), Json::array());
}

TEST_F(UsageRouteTest, GivesCsvToWhoAsksForIt) {
  use(alice(), Millis{1'500});
  const RawAnswer answer = ask_get("/api/usage?groupBy=service", alice() + "Accept: text/csv\r\n");
  EXPECT_THAT(answer.header("content-type"), HasSubstr("text/csv"));
  EXPECT_EQ(
      answer.body,
      "serviceType,tasks,seconds,cpuSeconds,peakMemoryBytes\r\nweb,1,1.500,0.000,1048576\r\n");
}

TEST_F(UsageRouteTest, SaysWhatIsWrongWithAQuery) {
  RawAnswer answer =
      ask_get("/api/usage?groupBy=user,colour&from=then&to=2026-11-01T00:00:00Z&x=1");
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(array_at(answer.json(), "errors").size(), 3U) << answer.body;
  answer = ask_get("/api/usage?from=2026-11-02T00:00:00Z&to=2026-11-01T00:00:00Z");
  EXPECT_EQ(answer.status, 400);
  EXPECT_THAT(answer.body, HasSubstr("must not be later than to"));
  EXPECT_EQ(ask_get(std::string("/api/usage?userId=") + support::kBob).status, 403);
}

}  // namespace
}  // namespace resmgr::api
