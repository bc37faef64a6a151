// The engine under 30 running tasks is restarted, stopped, killed, or loses everything: no task is
// lost or ended wrongly, and none leaks.

#include <signal.h>

#include <algorithm>
#include <map>
#include <set>
#include <thread>

#include "common/time_format.h"
#include "tests/e2e/fixture.h"
#include "tests/support/own_engine.h"

namespace resmgr::e2e {
namespace {

using support::Answer;

constexpr int kTasks = 30;
constexpr int kAtOnce = 4;
// An engine that comes back is busy with what it left for a while, on a busy machine for minutes.
constexpr std::chrono::minutes kPatience{10};

constexpr char kQuiet[] = R"(
name = "quiet"
title = "Waits"
image = "resmgr/hello:latest"
container_port = 8080
probe = "none"
stop_timeout = "1s"
command = ["/bin/busybox", "sleep", "1000000"]
)";

support::AgentOptions options_for(const support::OwnEngine& engine) {
  support::AgentOptions options;
  options.config = support::kAuthWithTestKey;
  options.services = {{"quiet.toml", kQuiet}};
  options.env = {{"DOCKER_HOST", engine.url()}};
  return options;
}

class EngineTest : public ::testing::Test {
 protected:
  explicit EngineTest(bool live_restore = false)
      : engine_(live_restore), agent_(options_for(engine_)) {}

  support::RestClient alice() const { return agent_.as(support::user_token(support::kAlice)); }

  void TearDown() override {
    if (HasFailure()) std::cerr << "the agent's log:\n" << agent_.log() << '\n';
  }

  void start_tasks(int count = kTasks) {
    {
      std::vector<std::jthread> clients;
      for (int i = 0; i < kAtOnce; ++i) {
        clients.emplace_back([this, share = count / kAtOnce + (i < count % kAtOnce)] {
          for (int n = 0; n < share; ++n) alice().start("quiet");
        });
      }
    }
    for (const auto& task : tasks()) before_[string_or(task, "taskId")] = task;
    ASSERT_EQ(before_.size(), static_cast<std::size_t>(count));
  }
  Json tasks() const { return alice().get("/api/tasks?limit=500").json; }
  Json task(const std::string& id) const { return alice().get(wire::task_path(id)).json; }

  bool agent_sees_engine() const {
    const Json host = agent_.as(support::admin_token()).get(wire::kHost).json;
    return bool_or(object_at(host, "engine"), "reachable", false);
  }
  void await_agent_sees_engine(bool there) const {
    ASSERT_TRUE(support::eventually([&] { return agent_sees_engine() == there; }, kPatience));
  }

  // Whatever became of them, the engine has the containers of those that run and no other.
  void expect_none_leaks() const {
    const bool settled = support::eventually(
        [&] {
          std::set<std::string> running;
          for (const auto& task : tasks()) {
            const std::string status = string_or(task, "status");
            if (status == "Running") running.insert(string_or(task, "containerId"));
            if (status == "Starting" || status == "Stopping") return false;
          }
          std::istringstream listed(engine_.docker({"ps", "--all", "--quiet", "--no-trunc"}));
          std::set<std::string> there;
          for (std::string id; listed >> id;) there.insert(id);
          return there == running;
        },
        kPatience);
    EXPECT_TRUE(settled) << engine_.docker({"ps", "--all"}) << tasks();
  }

  void expect_all_run_on() const {
    await_agent_sees_engine(true);
    std::size_t running = 0;
    for (const auto& task : tasks()) {
      const Json& before = before_.at(string_or(task, "taskId"));
      EXPECT_EQ(string_or(task, "status"), "Running") << task;
      EXPECT_EQ(task.at("containerId"), before.at("containerId"));
      EXPECT_EQ(task.at("startTime"), before.at("startTime"));
      ++running;
    }
    EXPECT_EQ(running, before_.size());
    expect_none_leaks();
  }
  bool all_ended() const {
    for (const auto& task : tasks()) {
      const std::string status = string_or(task, "status");
      if (status != "Stopped" && status != "Error") return false;
    }
    return true;
  }
  void expect_all_ended(Precision precision) const {
    await_agent_sees_engine(true);
    // At first the agent has not looked at each: it and the engine agree on what ran before.
    EXPECT_TRUE(support::eventually([&] { return all_ended(); }, kPatience)) << tasks();
    expect_none_leaks();
    for (const auto& task : tasks()) {
      EXPECT_EQ(string_or(task, "precision"), to_string(precision)) << task;
      EXPECT_EQ(string_or(task, "usageHash").size(), 64u) << task;
      EXPECT_GE(string_or(task, "stopTime"), string_or(task, "startTime")) << task;
      EXPECT_EQ(task.at("startTime"), before_.at(string_or(task, "taskId")).at("startTime"));
    }
  }
  void stop_all() const {
    for (const auto& [id, task] : before_) {
      EXPECT_EQ(alice().del(wire::task_path(id)).status, 200) << id;
    }
    expect_none_leaks();
  }

  support::OwnEngine engine_;
  support::AgentProcess agent_;
  std::map<std::string, Json> before_;
};

class LiveRestoreTest : public EngineTest {
 protected:
  LiveRestoreTest() : EngineTest(true) {}
};

// Hazard 12: without live-restore a restart of the daemon ends every task. Each end is on record
// with the engine's own time.
TEST_F(EngineTest, RestartWithoutLiveRestoreEndsEachTaskOnce) {
  start_tasks();
  engine_.stop();
  await_agent_sees_engine(false);
  engine_.start();
  expect_all_ended(Precision::exact);
  // It serves as before.
  const Answer next = alice().start("quiet");
  EXPECT_EQ(next.status, 201) << next.response.body;
}

TEST_F(EngineTest, KilledDaemonWithoutLiveRestoreEndsEachTaskOnce) {
  start_tasks();
  engine_.kill9();
  await_agent_sees_engine(false);
  engine_.start();
  expect_all_ended(Precision::exact);
}

TEST_F(LiveRestoreTest, RestartWithLiveRestoreEndsNone) {
  start_tasks();
  engine_.stop();
  await_agent_sees_engine(false);
  // Away is not gone (hazard 3), and nothing is started meanwhile.
  for (const auto& task : tasks()) EXPECT_EQ(string_or(task, "status"), "Running");
  EXPECT_EQ(alice().start("quiet").status, 503);
  engine_.start();
  expect_all_run_on();
  stop_all();
}

// Hazard 10: what ends while the daemon is dead keeps its true time. Hazard 14: a stop that is
// asked for meanwhile is done when it is back.
TEST_F(LiveRestoreTest, KilledDaemonEndsOnlyWhatEndedMeanwhile) {
  start_tasks();
  const std::string ended = before_.begin()->first;
  const std::string stopped = before_.rbegin()->first;
  const int pid = engine_.pid_of(string_or(before_[ended], "containerId"));
  engine_.kill9();
  await_agent_sees_engine(false);
  const auto now = [] { return SystemClock().now(); };
  const Instant from = now();
  ASSERT_EQ(::kill(pid, SIGKILL), 0);
  EXPECT_EQ(alice().del(wire::task_path(stopped)).status, 503);
  std::this_thread::sleep_for(std::chrono::seconds(2));
  const Instant before_start = now();
  engine_.start();
  ASSERT_TRUE(support::eventually(
      [&] {
        return string_or(task(ended), "status") == "Error" &&
               string_or(task(stopped), "status") == "Stopped";
      },
      kPatience));
  const Json dead = task(ended);
  EXPECT_EQ(string_or(dead, "precision"), "exact") << dead;
  const Instant stop = parse_rfc3339(string_or(dead, "stopTime")).value();
  EXPECT_GE(stop, from);
  EXPECT_LT(stop, before_start);
  before_.erase(ended);
  before_.erase(stopped);
  for (const auto& [id, row] : before_) EXPECT_EQ(string_or(task(id), "status"), "Running");
  expect_none_leaks();
  stop_all();
}

// Hazard 10: the engine finds its containers dead and takes its own start for their end. The bound
// is when they were last seen alive.
TEST_F(EngineTest, EngineThatLosesEverythingLeavesABound) {
  start_tasks(3);
  engine_.kill_everything();
  const Instant killed = SystemClock().now();
  await_agent_sees_engine(false);
  engine_.start();
  expect_all_ended(Precision::bounded);
  for (const auto& task : tasks()) {
    EXPECT_LE(parse_rfc3339(string_or(task, "stopTime")).value(), killed) << task;
    EXPECT_NE(string_or(task, "statusReason"), "");
  }
}

TEST_F(EngineTest, EngineThatLosesEverythingWhileTheAgentIsDownLeavesABound) {
  start_tasks(3);
  agent_.kill9();
  engine_.kill_everything();
  const Instant killed = SystemClock().now();
  engine_.start();
  agent_.start();
  expect_all_ended(Precision::bounded);
  for (const auto& task : tasks()) {
    EXPECT_LE(parse_rfc3339(string_or(task, "stopTime")).value(), killed) << task;
  }
}

// Hazard 10: the engine found its containers dead in another boot of the host, and took that for
// the time of their end.
TEST_F(EngineTest, PowerLossIsBoundedByTheHeartbeatAndNotByTheNextBoot) {
  start_tasks(3);
  ASSERT_TRUE(await_heartbeat_after(agent_, SystemClock().now()));
  agent_.kill9();
  engine_.kill_everything();
  const Instant beat = heartbeat_of(agent_);
  engine_.start();
  agent_.start_after_boot();
  expect_all_ended(Precision::bounded);
  for (const auto& task : tasks()) {
    EXPECT_EQ(parse_rfc3339(string_or(task, "stopTime")), beat) << task;
    EXPECT_EQ(string_or(task, "status"), "Error");
    EXPECT_EQ(string_or(task, "statusReason"), "the host lost power or was reset");
  }
}

}  // namespace
}  // namespace resmgr::e2e
