// A task from its start to what is left of it, through the REST API.

#include <set>

#include "tests/e2e/fixture.h"

namespace resmgr::e2e {
namespace {

using support::Answer;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

class LifecycleTest : public WithAgent {};

const Json* find_task(const Json& tasks, const std::string& task_id) {
  for (const auto& task : tasks) {
    if (string_or(task, "taskId") == task_id) return &task;
  }
  return nullptr;
}

constexpr char kTimePattern[] = "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\\.[0-9]{3}Z";

TEST_F(LifecycleTest, StartedTaskServesItsPage) {
  const Answer started = alice().start("hello");
  ASSERT_EQ(started.status, 201) << started.response.body;
  const std::string id = started.text("taskId");
  EXPECT_EQ(started.response.header("Location"), wire::task_path(id));
  EXPECT_EQ(started.text("status"), "Running");
  EXPECT_EQ(started.text("userId"), support::kAlice);
  EXPECT_EQ(started.text("serviceType"), "hello");
  EXPECT_GT(integer_or(started.json, "containerPort", 0), 0);

  const auto page = fetch(started.text("iframeUrl"));
  EXPECT_EQ(page.status, 200);
  EXPECT_THAT(page.body, HasSubstr("Hello"));

  const auto containers = support::containers_of(agent().agent_id());
  ASSERT_EQ(containers.size(), 1u);
  EXPECT_EQ(containers[0].id, started.text("containerId"));
  EXPECT_EQ(containers[0].name, "resmgr-" + id);
  EXPECT_EQ(containers[0].state, "running");
  // What docker says about the port is what the caller was told.
  EXPECT_EQ(support::docker({"port", containers[0].id, "8080/tcp"}),
            "127.0.0.1:" + std::to_string(integer_or(started.json, "containerPort", 0)));
}

TEST_F(LifecycleTest, ListHoldsItWithoutTheUrl) {
  const std::string id = alice().start("hello").text("taskId");
  const Answer list = alice().get("/api/tasks");
  ASSERT_EQ(list.status, 200);
  ASSERT_TRUE(list.json.is_array());
  const Json* task = find_task(list.json, id);
  ASSERT_NE(task, nullptr);
  EXPECT_EQ(string_or(*task, "status"), "Running");
  EXPECT_FALSE(task->contains("iframeUrl"));
  EXPECT_FALSE(task->contains("events"));
  EXPECT_TRUE(task->at("stopTime").is_null());
  EXPECT_TRUE(task->at("duration").is_null());
  EXPECT_TRUE(task->at("durationSeconds").is_null());
}

TEST_F(LifecycleTest, SingleTaskTellsWhatHappened) {
  const Answer started = alice().start("hello");
  const Answer task = alice().get(wire::task_path(started.text("taskId")));
  ASSERT_EQ(task.status, 200);
  EXPECT_EQ(task.text("iframeUrl"), started.text("iframeUrl"));
  EXPECT_THAT(task.text("startTime"), MatchesRegex(kTimePattern));
  std::vector<std::string> types;
  std::int64_t last = 0;
  for (const auto& event : array_at(task.json, "events")) {
    EXPECT_GT(integer_or(event, "seq", 0), last);
    last = integer_or(event, "seq", 0);
    types.push_back(string_or(event, "type"));
  }
  EXPECT_THAT(types, ::testing::IsSupersetOf(
                         {std::string("task.start_requested"), std::string("task.created"),
                          std::string("task.started"), std::string("task.ready")}));
}

TEST_F(LifecycleTest, LogsAreTheContainersOwn) {
  const Answer started = alice().start("hello");
  fetch(started.text("iframeUrl"));
  const std::string path = wire::task_path(started.text("taskId")) + "/logs";
  const Answer logs = alice().get(path);
  EXPECT_EQ(logs.status, 200);
  EXPECT_THAT(std::string(logs.response.header("Content-Type")), HasSubstr("text/plain"));
  EXPECT_THAT(logs.response.body, HasSubstr("hello: serving on port 8080\n"));
  EXPECT_EQ(alice().get(path + "?tail=0").response.body, "");

  // What it printed is still wanted when it is gone.
  ASSERT_EQ(alice().del(wire::task_path(started.text("taskId"))).status, 200);
  ASSERT_TRUE(
      support::eventually([&] { return support::containers_of(agent().agent_id()).empty(); }));
  EXPECT_THAT(alice().get(path).response.body, HasSubstr("hello: serving on port 8080\n"));
}

TEST_F(LifecycleTest, StopRecordsTheUseAndLeavesNothing) {
  const Answer started = alice().start("hello");
  const std::string path = wire::task_path(started.text("taskId"));
  const Answer stopped = alice().del(path);
  ASSERT_EQ(stopped.status, 200) << stopped.response.body;
  EXPECT_TRUE(bool_or(stopped.json, "success", false));
  EXPECT_THAT(stopped.text("duration"), MatchesRegex("PT[0-9HMS.]+"));
  EXPECT_GE(stopped.json.at("durationSeconds").get<double>(), 0.0);

  const Answer again = alice().del(path);
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(again.json, stopped.json);

  const Answer task = alice().get(path);
  EXPECT_EQ(task.text("status"), "Stopped");
  EXPECT_THAT(task.text("stopTime"), MatchesRegex(kTimePattern));
  EXPECT_THAT(task.text("usageHash"), MatchesRegex("[0-9a-f]{64}"));
  EXPECT_EQ(task.text("precision"), "exact");
  EXPECT_EQ(task.text("duration"), stopped.text("duration"));
  EXPECT_TRUE(
      support::eventually([&] { return !support::container_exists(started.text("containerId")); }));
}

TEST_F(LifecycleTest, AsyncStartAnswersAtOnceAndGetsReady) {
  const Answer accepted = alice().start("hello", {{"Prefer", "respond-async"}});
  ASSERT_EQ(accepted.status, 202) << accepted.response.body;
  EXPECT_EQ(accepted.text("status"), "Starting");
  const std::string path = wire::task_path(accepted.text("taskId"));
  EXPECT_EQ(accepted.response.header("Location"), path);
  EXPECT_TRUE(support::eventually([&] { return alice().get(path).text("status") == "Running"; }));
}

TEST_F(LifecycleTest, ServiceThatNeverGetsReadyIsAnErrorAndLeavesNothing) {
  const Answer failed = alice().start("never-ready");
  EXPECT_EQ(failed.status, 504) << failed.response.body;
  EXPECT_EQ(failed.response.header("Content-Type"), "application/problem+json");
  const Answer list = alice().get("/api/tasks?status=Error&serviceType=never-ready");
  ASSERT_EQ(list.json.size(), 1u) << list.response.body;
  EXPECT_NE(string_or(list.json[0], "statusReason"), "");
  // Its container ran, so its use is on record.
  EXPECT_THAT(string_or(list.json[0], "usageHash"), MatchesRegex("[0-9a-f]{64}"));
  EXPECT_TRUE(
      support::eventually([&] { return support::containers_of(agent().agent_id()).empty(); }));
}

TEST_F(LifecycleTest, StopDuringAStartEndsIt) {
  const Answer accepted = alice().start("slow", {{"Prefer", "respond-async"}});
  const std::string path = wire::task_path(accepted.text("taskId"));
  ASSERT_TRUE(
      support::eventually([&] { return !support::containers_of(agent().agent_id()).empty(); }));
  EXPECT_EQ(alice().get(path).text("status"), "Starting");
  EXPECT_EQ(alice().del(path).status, 200);
  EXPECT_THAT(alice().get(path).text("status"), ::testing::AnyOf("Stopped", "Error"));
  EXPECT_TRUE(
      support::eventually([&] { return support::containers_of(agent().agent_id()).empty(); }));
}

TEST_F(LifecycleTest, ContainerThatIsKilledByHandEndsItsTask) {
  const Answer started = alice().start("hello");
  support::docker({"kill", started.text("containerId")});
  const std::string path = wire::task_path(started.text("taskId"));
  EXPECT_TRUE(support::eventually([&] {
    const std::string status = alice().get(path).text("status");
    return status == "Stopped" || status == "Error";
  }));
  const Answer task = alice().get(path);
  EXPECT_THAT(task.text("usageHash"), MatchesRegex("[0-9a-f]{64}"));
  EXPECT_NE(task.text("statusReason"), "");
  EXPECT_TRUE(
      support::eventually([&] { return !support::container_exists(started.text("containerId")); }));
}

TEST_F(LifecycleTest, TasksOutliveTheAgent) {
  const Answer started = alice().start("hello");
  const std::string path = wire::task_path(started.text("taskId"));
  EXPECT_EQ(agent().stop(), 0);
  EXPECT_FALSE(std::filesystem::exists(agent().dir() / "run" / "agent.json"));
  EXPECT_EQ(fetch(started.text("iframeUrl")).status, 200);
  agent().start();
  ASSERT_TRUE(support::eventually([&] { return alice().get(path).text("iframeUrl") != ""; }));
  const Answer task = alice().get(path);
  EXPECT_EQ(task.text("status"), "Running");
  EXPECT_EQ(task.text("containerId"), started.text("containerId"));
  EXPECT_EQ(task.text("startTime"), started.text("startTime"));
  EXPECT_EQ(alice().del(path).status, 200);
}

TEST_F(LifecycleTest, PagesOfAListAreWholeAndInOrder) {
  std::set<std::string> started;
  for (int i = 0; i < 3; ++i) started.insert(alice().start("hello").text("taskId"));
  std::string target = "/api/tasks?status=Running&limit=1";
  std::vector<std::string> seen;
  while (!target.empty() && seen.size() < 10) {
    const Answer page = alice().get(target);
    ASSERT_EQ(page.status, 200);
    for (const auto& task : page.json) seen.push_back(string_or(task, "taskId"));
    // <…>; rel="next"
    const std::string link(page.response.header("Link"));
    target = link.empty() ? "" : link.substr(1, link.find('>') - 1);
  }
  EXPECT_EQ(seen.size(), 3u);
  EXPECT_EQ(std::set<std::string>(seen.begin(), seen.end()), started);
  EXPECT_TRUE(std::is_sorted(seen.rbegin(), seen.rend()));  // newest first
}

TEST_F(LifecycleTest, HostShowsItself) {
  const Answer host = admin().get(wire::kHost);
  ASSERT_EQ(host.status, 200) << host.response.body;
  EXPECT_NE(host.text("version"), "");
  EXPECT_TRUE(host.json.contains("engine"));
  EXPECT_EQ(alice().get(wire::kHost).status, 403);
}

}  // namespace
}  // namespace resmgr::e2e
