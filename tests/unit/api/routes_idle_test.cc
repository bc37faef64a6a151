// POST /api/tasks/{id}/touch and /extend, GET /api/tasks/{id}/why.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "common/wire.h"
#include "tests/unit/api/routes_world.h"

namespace resmgr::api {
namespace {

using testing::HasSubstr;

class IdleRoutesTest : public RoutesTest {
 protected:
  IdleRoutesTest() {
    world_.set_catalog(R"(
      name = "web"
      title = "Web"
      image = "web:1"
      container_port = 8080
      probe = "none"
      [idle]
      timeout = "2h"
      warn = "30m"
      [lifetime]
      max = "8h"
    )");
  }

  RawAnswer ask_touch(const std::string& id, const std::string& headers = alice()) const {
    return ask("POST " + wire::touch_path(id) + " HTTP/1.1\r\nHost: a\r\n" + headers +
               "Content-Length: 0\r\n\r\n");
  }
  RawAnswer ask_extend(const std::string& id, const std::string& body,
                       const std::string& headers = alice()) const {
    return ask(post(wire::extend_path(id), body, headers));
  }
};

TEST_F(IdleRoutesTest, WhyListsEachSignalAndWhatHappensWhen) {
  const std::string id = started();
  world_.service->sample_now();
  world_.clock.advance(world_.options.sample_interval);
  world_.service->sample_now();
  const RawAnswer answer = ask_get(wire::why_path(id));
  ASSERT_EQ(answer.status, 200) << answer.body;
  const Json why = answer.json();
  EXPECT_EQ(why["taskId"], id);
  EXPECT_EQ(why["serviceType"], "web");
  EXPECT_EQ(why["status"], "Running");
  std::vector<std::string> names;
  for (const Json& signal : why["signals"]) {
    names.push_back(string_or(signal, "name"));
    EXPECT_EQ(signal["state"], "quiet") << signal;
    EXPECT_NE(string_or(signal, "observedAt"), "");
    EXPECT_TRUE(signal.contains("ageSeconds") && signal.contains("lastBusyAt"));
    EXPECT_NE(string_or(signal, "detail"), "");
  }
  EXPECT_THAT(names, testing::ElementsAre("network", "cpu", "touch"));
  EXPECT_EQ(why["idle"]["timeoutSeconds"], 7200.0);
  EXPECT_FALSE(why["idle"]["warned"].get<bool>());
  EXPECT_EQ(why["idle"]["since"], "2026-11-22T17:04:05.000Z");
  EXPECT_EQ(why["idle"]["warnAt"], "2026-11-22T18:34:05.000Z");
  EXPECT_EQ(why["idle"]["stopAt"], "2026-11-22T19:04:05.000Z");
  EXPECT_TRUE(why["idle"]["extendedUntil"].is_null());
  EXPECT_EQ(why["lifetime"]["maxSeconds"], 28800.0);
  EXPECT_EQ(why["lifetime"]["stopAt"], "2026-11-23T01:04:05.000Z");
  EXPECT_THAT(string_or(why["lifetime"], "outlook"), HasSubstr("maximum lifetime of 8h"));
}

TEST_F(IdleRoutesTest, ExtendAnswersTheTaskAsItThenIs) {
  const std::string id = started();
  const RawAnswer answer = ask_extend(id, R"({"by": "1h"})");
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.json()["taskId"], id);
  EXPECT_EQ(answer.json()["status"], "Running");
  EXPECT_EQ(answer.json()["lifetimeUntil"], "2026-11-23T02:04:05.000Z");
  EXPECT_EQ(answer.json(), ask_get(wire::task_path(id)).json());
  EXPECT_EQ(ask_get(wire::why_path(id)).json()["lifetime"]["extendedUntil"],
            "2026-11-23T02:04:05.000Z");
  EXPECT_EQ(ask_extend(id, R"({"by": "1h"})", admin()).json()["lifetimeUntil"],
            "2026-11-23T03:04:05.000Z");
}

TEST_F(IdleRoutesTest, ExtendChecksItsBody) {
  const std::string id = started();
  const RawAnswer answer = ask_extend(id, R"({"by": "soon", "for": "me"})");
  EXPECT_EQ(answer.status, 400);
  ASSERT_EQ(answer.json()["errors"].size(), 2U) << answer.body;
  EXPECT_EQ(answer.json()["errors"][0]["pointer"], "/by");
  EXPECT_EQ(ask_extend(id, R"({"by": "1h", "by": "2h"})").status, 400);
  EXPECT_EQ(ask_extend(id, "").status, 400);
}

TEST_F(IdleRoutesTest, TouchIsUse) {
  const std::string id = started();
  world_.clock.advance(Millis{60'000});
  const RawAnswer answer = ask_touch(id);
  EXPECT_EQ(answer.status, 204) << answer.body;
  EXPECT_EQ(answer.body, "");
  const Json signals = ask_get(wire::why_path(id)).json()["signals"];
  ASSERT_EQ(signals.size(), 3U);
  EXPECT_EQ(signals[2]["lastBusyAt"], "2026-11-22T17:05:05.000Z");
}

TEST_F(IdleRoutesTest, AreTheOwnersAndTheAdmins) {
  const std::string id = started();
  EXPECT_EQ(ask_get(wire::why_path(id), bob()).status, 404);
  EXPECT_EQ(ask_touch(id, bob()).status, 404);
  EXPECT_EQ(ask_extend(id, R"({"by": "1h"})", bob()).status, 404);
  EXPECT_EQ(ask_get(wire::why_path(id), admin()).status, 200);
  EXPECT_EQ(ask_touch(id, admin()).status, 204);
  EXPECT_EQ(ask_touch(id, "").status, 401);
  EXPECT_EQ(ask_touch("none").status, 404);
}

TEST_F(IdleRoutesTest, OnlyARunningTaskHasLimits) {
  const std::string id = started();
  ASSERT_EQ(ask_delete(id).status, 200);
  for (const RawAnswer& answer :
       {ask_get(wire::why_path(id)), ask_touch(id), ask_extend(id, R"({"by": "1h"})")}) {
    EXPECT_EQ(answer.status, 409) << answer.body;
    EXPECT_EQ(answer.json()["type"], "urn:resmgr:problem:not-running");
  }
}

TEST_F(IdleRoutesTest, ASingleTaskTellsWhatItUsed) {
  const std::string id = started();
  EXPECT_TRUE(ask_get(wire::task_path(id)).json()["usage"].is_null());
  world_.engine.set_stats(world_.name(id), {Millis{1'500}, 0, 1 << 20, 300, 40});
  world_.service->sample_now();
  const Json usage = ask_get(wire::task_path(id)).json()["usage"];
  EXPECT_EQ(usage["cpuMs"], 1'500);
  EXPECT_EQ(usage["peakMemoryBytes"], 1 << 20);
  EXPECT_EQ(usage["networkRxBytes"], 300);
  EXPECT_EQ(usage["networkTxBytes"], 40);
  EXPECT_EQ(usage["sampledAt"], "2026-11-22T17:04:05.000Z");
}

}  // namespace
}  // namespace resmgr::api
