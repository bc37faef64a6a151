// POST /api/tasks and DELETE /api/tasks/{id}.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>

#include "tests/unit/api/routes_world.h"

namespace resmgr::api {
namespace {

using engine::Op;
using support::kAlice;
using support::kBob;
using testing::HasSubstr;
using testing::MatchesRegex;

const Json kStartWeb = {{"serviceType", "web"}};

class StartRouteTest : public RoutesTest {};
class StopRouteTest : public RoutesTest {};

TEST_F(StartRouteTest, AnswersWhenTheServiceIsReady) {
  const RawAnswer answer = ask_post(kStartWeb);
  ASSERT_EQ(answer.status, 201) << answer.body;
  const Json task = answer.json();
  EXPECT_EQ(task["status"], "Running");
  EXPECT_EQ(task["userId"], kAlice);
  EXPECT_EQ(task["serviceType"], "web");
  EXPECT_GT(task["containerPort"].get<int>(), 0);
  EXPECT_THAT(task["iframeUrl"].get<std::string>(),
              MatchesRegex("http://127\\.0\\.0\\.1:[0-9]+/\\?t=[0-9a-f]+"));
  EXPECT_EQ(answer.header("location"), "/api/tasks/" + string_or(task, "taskId"));
  EXPECT_EQ(answer.header("cache-control"), "no-store");
  EXPECT_EQ(world_.containers(), 1U);
}

TEST_F(StartRouteTest, PutsThePublicUrlBeforeLinks) {
  server_.reset();
  ServerOptions options;
  options.public_url = "https://tasks.example.org/resmgr/";
  start_server(options);
  EXPECT_THAT(ask_post(kStartWeb).header("location"),
              testing::StartsWith("https://tasks.example.org/resmgr/api/tasks/"));
}

TEST_F(StartRouteTest, AnswersAtOnceWhenAskedTo) {
  world_.engine.hold(Op::create);
  const RawAnswer answer = ask_post(kStartWeb, alice() + "Prefer: wait=5, respond-async\r\n");
  EXPECT_EQ(answer.status, 202);
  EXPECT_EQ(answer.header("preference-applied"), "respond-async");
  EXPECT_EQ(answer.json()["status"], "Starting");
  EXPECT_TRUE(answer.json()["iframeUrl"].is_null());
  world_.engine.release(Op::create);
  EXPECT_TRUE(support::eventually(
      [&] { return ask_get(answer.header("location")).json()["status"] == "Running"; }));
}

TEST_F(StartRouteTest, HoldsNoThreadWhileItWaits) {
  world_.engine.hold(Op::create);
  std::vector<std::unique_ptr<RawClient>> waiting;
  for (int i = 0; i < 50; ++i) {
    waiting.push_back(std::make_unique<RawClient>(address_));
    waiting.back()->send(post("/api/tasks", dump_json(kStartWeb), alice()));
  }
  // More wait than there are workers; others are served.
  EXPECT_TRUE(support::eventually(
      [&] { return ask_get("/api/tasks?status=Starting&limit=500").json().size() == 50; }));
  world_.engine.release(Op::create);
  for (const auto& client : waiting) EXPECT_EQ(client->read().status, 201);
}

TEST_F(StartRouteTest, ReportsAllFaultsTogether) {
  const RawAnswer answer = ask_post({{"userId", "me"}, {"image", "evil:1"}});
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.header("content-type"), "application/problem+json");
  EXPECT_EQ(answer.json()["errors"].size(), 3U) << answer.body;
  EXPECT_EQ(ask_post({{"serviceType", "nope"}}).json()["errors"][0]["pointer"], "/serviceType");
  EXPECT_EQ(ask(post("/api/tasks", "{", alice())).status, 400);
  EXPECT_EQ(ask(post("/api/tasks", "", alice())).status, 400);
  EXPECT_EQ(ask(post("/api/tasks", R"({"serviceType":"web","serviceType":"web"})", alice())).status,
            400);
  EXPECT_EQ(ask(post("/api/tasks", std::string(60'000, '['), alice())).status, 400);
  EXPECT_EQ(world_.containers(), 0U);
}

TEST_F(StartRouteTest, IsForOneselfExceptForAdmins) {
  const Json for_bob = {{"serviceType", "web"}, {"userId", kBob}};
  EXPECT_EQ(ask_post(for_bob).status, 403);
  EXPECT_EQ(ask_post(for_bob, "").status, 401);
  EXPECT_EQ(ask_post(for_bob, bob()).status, 201);
  const RawAnswer by_admin = ask_post(for_bob, admin());
  EXPECT_EQ(by_admin.status, 201);
  EXPECT_EQ(by_admin.json()["userId"], kBob);
}

TEST_F(StartRouteTest, ServesTheOperatorOnTheSocket) {
  const RawAnswer answer = RawClient(socket_).ask(post("/api/tasks", dump_json(kStartWeb)));
  EXPECT_EQ(answer.status, 201);
  EXPECT_EQ(RawClient(socket_).ask(get("/api/tasks?userId=me")).json().size(), 1U);
}

TEST_F(StartRouteTest, RepeatsTheFirstAnswerForAKey) {
  const std::string key = "Idempotency-Key: abc\r\n";
  const RawAnswer first = ask_post(kStartWeb, alice() + key);
  EXPECT_EQ(first.status, 201);
  // Spaces and order are no difference.
  const RawAnswer again = ask(post("/api/tasks", "{ \"serviceType\" : \"web\" }", alice() + key));
  EXPECT_EQ(again.status, 201);
  EXPECT_EQ(again.json()["taskId"], first.json()["taskId"]);
  EXPECT_EQ(again.header("location"), first.header("location"));
  EXPECT_EQ(world_.containers(), 1U);

  const RawAnswer other = ask_post({{"serviceType", "web"}, {"userId", kAlice}}, alice() + key);
  EXPECT_EQ(other.status, 422);
  EXPECT_EQ(other.problem(), "idempotency-key-reused");
  // Another's key is another key.
  EXPECT_NE(ask_post(kStartWeb, bob() + key).json()["taskId"], first.json()["taskId"]);

  ask_delete(string_or(first.json(), "taskId"));
  const RawAnswer ended = ask_post(kStartWeb, alice() + key);
  EXPECT_EQ(ended.status, 201);
  EXPECT_EQ(ended.json()["status"], "Stopped");
  EXPECT_TRUE(ended.json()["iframeUrl"].is_null());
}

TEST_F(StartRouteTest, JoinsAStartUnderWayWithTheSameKey) {
  world_.engine.hold(Op::create);
  const std::string request =
      post("/api/tasks", dump_json(kStartWeb), alice() + "Idempotency-Key: k\r\n");
  RawClient first(address_);
  first.send(request);
  ASSERT_TRUE(world_.engine.wait_until_held(Op::create));
  RawClient second(address_);
  second.send(request);
  world_.engine.release(Op::create);
  const RawAnswer one = first.read();
  const RawAnswer two = second.read();
  EXPECT_EQ(one.status, 201);
  EXPECT_EQ(two.status, 201);
  EXPECT_EQ(one.json()["taskId"], two.json()["taskId"]);
}

TEST_F(StartRouteTest, RefusesKeysThatAreNone) {
  EXPECT_EQ(ask_post(kStartWeb, alice() + "Idempotency-Key: \r\n").status, 400);
  EXPECT_EQ(ask_post(kStartWeb, alice() + "Idempotency-Key: a b\r\n").status, 400);
  EXPECT_EQ(
      ask_post(kStartWeb, alice() + "Idempotency-Key: " + std::string(256, 'k') + "\r\n").status,
      400);
  EXPECT_EQ(
      ask_post(kStartWeb, alice() + "Idempotency-Key: " + std::string(255, 'k') + "\r\n").status,
      201);
}

TEST_F(StartRouteTest, SaysWhatWentWrongWithAStart) {
  world_.engine.fail_next(Op::create, Error(ErrorKind::rejected, "no such runtime"), 100);
  const RawAnswer refused = ask_post(kStartWeb);
  EXPECT_EQ(refused.status, 502);
  EXPECT_THAT(refused.body, HasSubstr("no such runtime"));
  EXPECT_EQ(refused.json()["taskId"].get<std::string>().size(), 36U);
}

TEST_F(StartRouteTest, CallsAMissingImageTheEnginesFault) {
  world_.engine.remove_image("web:1");
  const RawAnswer answer = ask_post(kStartWeb, alice() + "Idempotency-Key: k\r\n");
  EXPECT_EQ(answer.status, 502) << answer.body;
  // The first result again.
  EXPECT_EQ(ask_post(kStartWeb, alice() + "Idempotency-Key: k\r\n").status, 502);
}

TEST_F(StartRouteTest, AnswersForAServiceThatIsNotReadyInTime) {
  world_.set_catalog(R"(
    name = "web"
    title = "Web"
    image = "web:1"
    container_port = 8080
    probe = { tcp = true, interval = "20ms" }
    start_timeout = "1s"
  )");
  RawClient client(address_);
  client.send(post("/api/tasks", dump_json(kStartWeb), alice()));
  ASSERT_TRUE(support::eventually([&] { return world_.containers() == 1; }));
  // Nothing listens on the fake engine's ports, and time passes.
  std::atomic<bool> answered{false};
  std::thread passing([&] {
    while (!answered) {
      world_.clock.advance(Millis{100});
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  });
  const RawAnswer read = client.read();
  answered = true;
  passing.join();
  EXPECT_EQ(read.status, 504) << read.body;
  EXPECT_EQ(read.problem(), "not-ready");
}

TEST_F(StartRouteTest, SaysThatItWasStoppedMeanwhile) {
  world_.engine.hold(Op::create);
  RawClient client(address_);
  client.send(post("/api/tasks", dump_json(kStartWeb), alice()));
  ASSERT_TRUE(world_.engine.wait_until_held(Op::create));
  const std::string id = string_or(ask_get("/api/tasks").json()[0], "taskId");
  RawClient stopping(address_);
  stopping.send("DELETE /api/tasks/" + id + " HTTP/1.1\r\nHost: a\r\n" + alice() + "\r\n");
  ASSERT_TRUE(support::eventually(
      [&] { return ask_get("/api/tasks/" + id).json()["status"] == "Stopping"; }));
  world_.engine.release(Op::create);
  const RawAnswer answer = client.read();
  EXPECT_EQ(answer.status, 409) << answer.body;
  EXPECT_EQ(answer.json()["taskId"], id);
  const RawAnswer stopped = stopping.read();
  EXPECT_EQ(stopped.status, 200);
  EXPECT_EQ(stopped.json()["success"], true);
}

TEST_F(StartRouteTest, RefusesAtOnceWhenTheEngineIsAway) {
  world_.engine.set_reachable(false);
  ASSERT_TRUE(support::eventually([&] { return !world_.service->engine_health().reachable; }));
  const RawAnswer answer = ask_post(kStartWeb);
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.problem(), "engine-unavailable");
  EXPECT_NE(answer.header("retry-after"), "");
}

TEST_F(StartRouteTest, NamesTheLimitAndWhoHoldsIt) {
  server_.reset();
  world_.options.limits.tasks_per_user = 1;
  world_.boot();
  start_server();
  const std::string id = started();
  const RawAnswer answer = ask_post(kStartWeb);
  EXPECT_EQ(answer.status, 409);
  EXPECT_THAT(answer.problem(), HasSubstr("limit"));
  EXPECT_EQ(answer.json()["taskIds"], Json({id}));
}

TEST_F(StopRouteTest, AnswersWhatWasUsedAgainAndAgain) {
  const std::string id = started();
  world_.clock.advance(Millis{90'500});
  const RawAnswer answer = ask_delete(id);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.json(),
            Json({{"success", true}, {"duration", "PT1M30.5S"}, {"durationSeconds", 90.5}}));
  EXPECT_EQ(ask_delete(id).body, answer.body);
  EXPECT_EQ(ask_get("/api/tasks/" + id).json()["status"], "Stopped");
  EXPECT_TRUE(support::eventually([&] { return world_.containers() == 0; }));
}

TEST_F(StopRouteTest, IsForOwnerAndAdmins) {
  const std::string id = started();
  EXPECT_EQ(ask_delete(id, "").status, 401);
  EXPECT_EQ(ask_delete(id, bob()).status, 404);
  EXPECT_EQ(ask_get("/api/tasks/" + id).json()["status"], "Running");
  EXPECT_EQ(ask_delete(id, admin()).status, 200);
  const Json events = ask_get("/api/tasks/" + id).json()["events"];
  EXPECT_THAT(dump_json(events), HasSubstr("\"by\":\"admin\""));
}

TEST_F(StopRouteTest, KnowsNoOtherTasks) {
  EXPECT_EQ(ask_delete("018f2f6e-7b1c-7000-8000-000000000001").status, 404);
  EXPECT_EQ(ask_delete("nonsense").status, 404);
}

TEST_F(StopRouteTest, RecordsAStopWhileTheEngineIsAway) {
  const std::string id = started();
  world_.engine.set_reachable(false);
  ASSERT_TRUE(support::eventually([&] { return !world_.service->engine_health().reachable; }));
  const RawAnswer answer = ask_delete(id);
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.problem(), "stop-recorded");
  EXPECT_THAT(answer.body, HasSubstr("will be done"));
  EXPECT_EQ(ask_delete(id).status, 503);
  world_.engine.set_reachable(true);
  EXPECT_TRUE(support::eventually(
      [&] { return ask_get("/api/tasks/" + id).json()["status"] == "Stopped"; }));
  EXPECT_EQ(ask_delete(id).status, 200);
}

TEST_F(StopRouteTest, SaysZeroForWhatNeverRan) {
  world_.engine.remove_image("web:1");
  const std::string id = string_or(ask_post(kStartWeb).json(), "taskId");
  EXPECT_EQ(ask_delete(id).json(),
            Json({{"success", true}, {"duration", "PT0S"}, {"durationSeconds", 0.0}}));
}

TEST_F(StopRouteTest, OutlivesTheServer) {
  world_.engine.hold(Op::stop);
  const std::string id = started();
  RawClient client(address_);
  client.send("DELETE /api/tasks/" + id + " HTTP/1.1\r\nHost: a\r\n" + alice() + "\r\n");
  ASSERT_TRUE(world_.engine.wait_until_held(Op::stop));
  server_.reset();
  world_.engine.release(Op::stop);
  EXPECT_TRUE(support::eventually([&] { return !is_active(world_.row(id).task.status); }));
  EXPECT_TRUE(client.ends());
}

}  // namespace
}  // namespace resmgr::api
