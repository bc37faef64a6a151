// What operators ask of the whole host: reconcile, drain, resume; and what limits answer.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "common/time_format.h"
#include "tests/unit/api/routes_world.h"

namespace resmgr::api {
namespace {

using engine::Op;
using testing::HasSubstr;

const Json kWeb = {{"serviceType", "web"}};

class OperatorRoutesTest : public RoutesTest {
 protected:
  RawAnswer post_to(const std::string& target, const Json& body,
                    const std::string& headers = admin()) const {
    return ask(post(target, body.is_null() ? "" : dump_json(body), headers));
  }
  RawAnswer post_nothing(const std::string& target, const std::string& headers = admin()) const {
    return ask("POST " + target + " HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n" + headers +
               "\r\n");
  }
  // The service lives with other options from now on.
  void restart() {
    server_.reset();
    world_.boot();
    start_server();
  }
};

TEST_F(OperatorRoutesTest, AreForAdmins) {
  for (const char* const path : {"/api/reconcile", "/api/host/drain", "/api/host/resume"}) {
    EXPECT_EQ(post_nothing(path, alice()).status, 403) << path;
    EXPECT_EQ(post_nothing(path, "").status, 401) << path;
    EXPECT_EQ(ask_get(path, admin()).status, 405) << path;
    EXPECT_EQ(post_nothing(std::string(path) + "?x=1").status, 400) << path;
  }
}

TEST_F(OperatorRoutesTest, ReconcileTellsOfEachWhatItIs) {
  started();
  RawAnswer answer = post_nothing("/api/reconcile?dryRun=true");
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.json()["entries"], Json::array());
  EXPECT_EQ(answer.json()["agreeing"], 1);
  EXPECT_EQ(answer.json()["counts"]["adopt"], 0);

  engine::ContainerSpec spec;
  spec.name = "lazy_darwin";
  spec.image = "web:1";
  spec.labels = engine::ours(world_.options.agent_id);
  const std::string id = world_.engine.create(spec);
  answer = post_nothing("/api/reconcile?dryRun=1");
  EXPECT_EQ(answer.json()["dryRun"], true);
  EXPECT_EQ(answer.json()["counts"]["foreign"], 1);
  EXPECT_EQ(answer.json()["entries"][0],
            Json({{"class", "foreign"},
                  {"taskId", nullptr},
                  {"containerId", id},
                  {"containerName", "lazy_darwin"},
                  {"journal", nullptr},
                  {"engine", "created"},
                  {"action", "none"},
                  {"outcome", "planned"},
                  {"reason",
                   "it bears the agent's labels, and is not a container that the agent "
                   "made"}}));
  answer = post_nothing("/api/reconcile");
  EXPECT_EQ(answer.json()["dryRun"], false);
  EXPECT_EQ(answer.json()["entries"][0]["outcome"], "left");
  EXPECT_EQ(world_.containers(), 2U);
}

TEST_F(OperatorRoutesTest, ReconcileWithTheEngineAwaySaysUnknown) {
  const std::string id = started();
  world_.engine.set_reachable(false);
  ASSERT_TRUE(support::eventually([&] { return !world_.service->engine_health().reachable; }));
  for (const char* const query : {"?dryRun=true", "?dryRun=false", ""}) {
    const RawAnswer answer = post_nothing(std::string("/api/reconcile") + query);
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.json()["engine"]["reachable"], false);
    EXPECT_FALSE(answer.json()["engine"]["lastError"].is_null());
    EXPECT_EQ(answer.json()["entries"][0]["class"], "unknown");
    EXPECT_EQ(answer.json()["entries"][0]["taskId"], id);
    EXPECT_EQ(answer.json()["entries"][0]["journal"],
              Json({{"phase", "ready"}, {"status", "Running"}}));
  }
}

// Hazard 40.
TEST_F(OperatorRoutesTest, ADrainedHostRefusesStartsWithTheReason) {
  const std::string key = "Idempotency-Key: abc\r\n";
  const RawAnswer first = ask_post(kWeb, alice() + key);
  ASSERT_EQ(first.status, 201);
  RawAnswer answer = post_to("/api/host/drain", {{"reason", "new kernel"}});
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.json()["draining"], true);
  EXPECT_EQ(answer.json()["left"], Json({{"starting", 0}, {"running", 1}, {"stopping", 0}}));

  for (int life = 0; life < 2; ++life) {
    answer = ask_post(kWeb);
    EXPECT_EQ(answer.status, 503);
    EXPECT_EQ(answer.problem(), "draining");
    EXPECT_THAT(answer.json()["detail"].get<std::string>(), HasSubstr("new kernel"));
    EXPECT_NE(answer.header("retry-after"), "");
    EXPECT_EQ(ask_post(kWeb, alice() + key).json()["taskId"], first.json()["taskId"]);
    const Json host = ask_get("/api/host", admin()).json();
    EXPECT_EQ(host["draining"], true);
    EXPECT_EQ(host["drainReason"], "new kernel");
    EXPECT_EQ(host["drainedAt"], format_rfc3339(world_.clock.now()));
    EXPECT_EQ(ask_get("/readyz", "").status, 200);
    restart();
  }
  EXPECT_EQ(ask_delete(string_or(first.json(), "taskId")).status, 200);
  EXPECT_EQ(post_nothing("/api/host/resume").json(), Json({{"draining", false}}));
  EXPECT_EQ(ask_get("/api/host", admin()).json()["draining"], false);
  EXPECT_FALSE(ask_get("/api/host", admin()).json().contains("drainReason"));
  EXPECT_EQ(ask_post(kWeb).status, 201);
}

TEST_F(OperatorRoutesTest, ImagesAreForAdmins) {
  EXPECT_EQ(ask_get("/api/images").status, 403);
  EXPECT_EQ(ask(post("/api/images/pull", dump_json(kWeb), alice())).status, 403);
  const Json images = ask_get("/api/images", admin()).json();
  ASSERT_EQ(images.size(), 1U);
  EXPECT_EQ(images[0]["services"], Json({"web"}));
  EXPECT_EQ(images[0]["present"], true);
  EXPECT_EQ(images[0]["lastError"], nullptr);
}

TEST_F(OperatorRoutesTest, AnImageIsPulledForAServiceOfTheCatalog) {
  EXPECT_EQ(post_to("/api/images/pull", {{"serviceType", "web"}}).status, 202);
  EXPECT_TRUE(support::eventually(
      [&] { return ask_get("/api/images", admin()).json()[0]["pulling"] == false; }));
  EXPECT_EQ(post_to("/api/images/pull", {{"serviceType", "nope"}}).status, 400);
  EXPECT_EQ(post_to("/api/images/pull", {{"serviceType", 5}}).json()["errors"][0]["pointer"],
            "/serviceType");
  const Json faults = post_to("/api/images/pull", {{"image", "evil:1"}}).json()["errors"];
  EXPECT_EQ(faults.size(), 2U);
  EXPECT_EQ(ask(post("/api/images/pull", "[]", admin())).status, 400);
}

TEST_F(OperatorRoutesTest, AReasonIsOneShortLine) {
  EXPECT_EQ(post_to("/api/host/drain", {{"why", "x"}}).status, 400);
  EXPECT_EQ(post_to("/api/host/drain", {{"reason", 7}}).json()["errors"][0]["pointer"], "/reason");
  EXPECT_EQ(post_to("/api/host/drain", {{"reason", "a\nb"}}).status, 400);
  EXPECT_EQ(post_to("/api/host/drain", {{"reason", std::string(501, 'x')}}).status, 400);
  EXPECT_EQ(ask(post("/api/host/drain", "[]", admin())).status, 400);
  EXPECT_EQ(ask_get("/api/host", admin()).json()["draining"], false);
  EXPECT_EQ(post_nothing("/api/host/drain").status, 200);
  EXPECT_TRUE(ask_get("/api/host", admin()).json()["drainReason"].is_null());
}

TEST_F(OperatorRoutesTest, ALimitTellsItsFigures) {
  world_.options.limits.tasks_per_host = 2;
  world_.options.limits.starts_per_user_per_minute = 2;
  restart();
  const std::string alices = started();
  started(bob());
  RawAnswer answer = ask_post(kWeb);
  EXPECT_EQ(answer.status, 409);
  EXPECT_EQ(answer.problem(), "limit-tasks-per-host");
  EXPECT_EQ(answer.json()["limit"], Json({{"name", "tasks_per_host"}, {"max", 2}, {"used", 2}}));
  // Another's tasks are not named to who may not see them.
  EXPECT_EQ(answer.json()["taskIds"], Json({alices}));
  EXPECT_EQ(ask_post(kWeb, admin()).json()["taskIds"].size(), 2U);

  ask_delete(alices);
  ask_delete(started());
  answer = ask_post(kWeb);
  EXPECT_EQ(answer.status, 429);
  EXPECT_EQ(answer.problem(), "limit-starts-per-user-per-minute");
  EXPECT_EQ(answer.json()["limit"],
            Json({{"name", "starts_per_user_per_minute"}, {"max", 2}, {"used", 2}}));
  const int wait = std::stoi(answer.header("retry-after"));
  EXPECT_GE(wait, 60);
  EXPECT_LE(wait, 120);
}

}  // namespace
}  // namespace resmgr::api
