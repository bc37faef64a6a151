// Containers that end by themselves, or by somebody's hand past the agent: status, reason, times,
// exit code and precision, compared with what Docker itself says.

#include <signal.h>

#include <sstream>

#include "common/time_format.h"
#include "tests/e2e/fixture.h"
#include "tests/e2e/tool_service.h"

namespace resmgr::e2e {
namespace {

using support::Answer;
using support::docker;
using ::testing::AnyOf;
using ::testing::HasSubstr;

class EndsTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    support::ensure_hello_image();
    support::AgentOptions options;
    options.config = support::kAuthWithTestKey;
    options.services = {{"tool.toml", tool_service("tool")},
                        {"small.toml", tool_service("small", "memory = \"16MiB\"")}};
    agent_ = std::make_unique<support::AgentProcess>(options);
  }
  static void TearDownTestSuite() { agent_.reset(); }

  static support::AgentProcess& agent() { return *agent_; }
  support::RestClient alice() const { return agent().as(support::user_token(support::kAlice)); }

  void TearDown() override {
    if (HasFailure()) std::cerr << "the agent's log:\n" << agent().log() << '\n';
    // A test that broke off may have left it killed, or standing still.
    if (agent().running()) return thaw();
    agent().start();
  }

  void start(const std::string& service = "tool") {
    const Answer started = alice().start(service);
    ASSERT_EQ(started.status, 201) << started.response.body;
    path_ = wire::task_path(started.text("taskId"));
    container_ = started.text("containerId");
  }
  // While it stands still nothing is removed, and the end can be looked at.
  static void freeze() { ::kill(agent().pid(), SIGSTOP); }
  static void thaw() { ::kill(agent().pid(), SIGCONT); }

  // Docker's word on a container that has ended, cut to milliseconds as the agent's times are.
  Instant docker_time(const char* which) const {
    const auto time = parse_rfc3339(
        docker({"inspect", "--format", std::string("{{.State.") + which + "}}", container_}));
    return time.value();
  }
  void await_exit() const {
    ASSERT_TRUE(support::eventually([&] {
      return docker({"inspect", "--format", "{{.State.Running}}", container_}) == "false";
    }));
  }
  // The times of its `die` events, oldest first. There is one at least; the command tells of what
  // has just happened a little later.
  std::vector<Instant> deaths() const {
    std::vector<Instant> times;
    EXPECT_TRUE(support::eventually([&] {
      times = told_deaths();
      return !times.empty();
    }));
    if (times.empty()) throw std::runtime_error("the engine tells of no end of " + container_);
    return times;
  }
  std::vector<Instant> told_deaths() const {
    std::istringstream lines(
        docker({"events", "--since", "10m", "--until", "0s", "--filter", "container=" + container_,
                "--filter", "event=die", "--format", "{{.TimeNano}}"}));
    std::vector<Instant> times;
    for (std::int64_t nanos = 0; lines >> nanos;) {
      times.push_back(instant_from_millis(nanos / 1'000'000));
    }
    return times;
  }

  // The task as it is once it has ended and nothing of it is left.
  Json ended() const {
    EXPECT_TRUE(support::eventually([&] {
      const std::string status = alice().get(path_).text("status");
      return status == "Stopped" || status == "Error";
    }));
    EXPECT_TRUE(support::eventually([&] { return !support::container_exists(container_); }));
    const Json task = alice().get(path_).json;
    EXPECT_EQ(string_or(task, "usageHash").size(), 64u) << task;
    EXPECT_GE(time_of(task, "stopTime"), time_of(task, "startTime")) << task;
    return task;
  }
  static Instant time_of(const Json& task, const char* member) {
    return parse_rfc3339(string_or(task, member)).value();
  }
  static Json end_details(const Json& task) {
    for (const auto& event : array_at(task, "events")) {
      if (string_or(event, "type") == "task.ended") return event.at("details");
    }
    ADD_FAILURE() << "no end: " << task;
    return Json::object();
  }
  static int count_events(const Json& task, std::string_view type) {
    int count = 0;
    for (const auto& event : array_at(task, "events")) count += string_or(event, "type") == type;
    return count;
  }

  // The main program runs `script` to its end; the agent's record against Docker's.
  Json end_of(const std::string& service, const std::string& script, const std::string& status,
              const std::string& reason, int exit_code) {
    start(service);
    freeze();
    tell(container_, script);
    await_exit();
    const Instant started_at = docker_time("StartedAt");
    const Instant finished_at = docker_time("FinishedAt");
    thaw();
    Json task = ended();
    EXPECT_EQ(string_or(task, "status"), status) << task;
    EXPECT_EQ(string_or(task, "statusReason"), reason);
    EXPECT_EQ(string_or(task, "precision"), "exact");
    EXPECT_EQ(time_of(task, "startTime"), started_at);
    EXPECT_EQ(time_of(task, "stopTime"), finished_at);
    EXPECT_EQ(integer_or(end_details(task), "exitCode", -2), exit_code);
    return task;
  }

  std::string path_;
  std::string container_;

 private:
  inline static std::unique_ptr<support::AgentProcess> agent_;
};

TEST_F(EndsTest, ExitWithSuccessIsStopped) {
  const Json task = end_of("tool", "exit 0", "Stopped", "ended by itself", 0);
  EXPECT_EQ(string_or(end_details(task), "endedBy"), "exit");
}

TEST_F(EndsTest, ExitWithAnotherCodeIsAnError) {
  const Json task = end_of("tool", "exit 3", "Error", "exited with code 3", 3);
  EXPECT_EQ(string_or(end_details(task), "endedBy"), "exit");
}

TEST_F(EndsTest, CrashIsNamed) {
  end_of("tool", "kill -SEGV $$", "Error", "crashed (SIGSEGV)", 139);
}

// Hazard 10: a program may say 255 by itself.
TEST_F(EndsTest, ExitWith255IsExact) {
  end_of("tool", "exit 255", "Error", "exited with code 255", 255);
}

TEST_F(EndsTest, MainProgramKilledForMemoryRanOutOfIt) {
  const Json task =
      end_of("small", "exec tail /dev/zero", "Error", "ran out of its 16 MiB of memory", 137);
  EXPECT_EQ(string_or(end_details(task), "endedBy"), "oom");
}

// Hazard 8: with an init process the kernel may take a child, and the container goes on; its later
// end is not for want of memory.
TEST_F(EndsTest, ChildKilledForMemoryIsAnEventAndTheTaskGoesOn) {
  start("small");
  tell(container_, "tail /dev/zero; until [ -e /tmp/go ]; do sleep 0.1; done; exit 0");
  ASSERT_TRUE(
      support::eventually([&] { return count_events(alice().get(path_).json, "task.oom") > 0; }));
  EXPECT_EQ(alice().get(path_).text("status"), "Running");
  EXPECT_EQ(docker({"inspect", "--format", "{{.State.Running}}", container_}), "true");
  ASSERT_EQ(inside(container_, "touch /tmp/go").code, 0);
  const Json task = ended();
  EXPECT_EQ(string_or(task, "status"), "Stopped") << task;
  EXPECT_EQ(string_or(task, "statusReason"), "ended by itself");
}

TEST_F(EndsTest, DockerStopByHandIsStopped) {
  start();
  freeze();
  docker({"stop", container_});
  const Instant finished_at = docker_time("FinishedAt");
  thaw();
  const Json task = ended();
  EXPECT_EQ(string_or(task, "status"), "Stopped") << task;
  EXPECT_EQ(string_or(task, "statusReason"), "was stopped outside resmgr (SIGTERM)");
  EXPECT_EQ(string_or(task, "precision"), "exact");
  EXPECT_EQ(time_of(task, "stopTime"), finished_at);
  EXPECT_EQ(string_or(end_details(task), "endedBy"), "outside");
}

TEST_F(EndsTest, RemovalByHandIsExactWhileTheAgentWatches) {
  start();
  docker({"rm", "--force", container_});
  const Json task = ended();
  EXPECT_EQ(string_or(task, "status"), "Error") << task;
  EXPECT_THAT(string_or(task, "statusReason"), HasSubstr("outside resmgr"));
  EXPECT_EQ(string_or(task, "precision"), "exact");
  EXPECT_EQ(integer_or(end_details(task), "exitCode", -2), 137);
  // The event is all that is left of it: Docker notes the end just before it tells it.
  const auto died = deaths();
  ASSERT_EQ(died.size(), 1u);
  EXPECT_LE(time_of(task, "stopTime"), died[0]);
  EXPECT_GE(time_of(task, "stopTime"), died[0] - std::chrono::seconds(1));
}

// Hazard 10: nobody saw the end, so it is bounded by the heartbeat, not by the start.
TEST_F(EndsTest, RemovalWhileTheAgentIsDownIsBoundedByTheHeartbeat) {
  start();
  const Instant started = time_of(alice().get(path_).json, "startTime");
  ASSERT_TRUE(await_heartbeat_after(agent(), started));
  agent().kill9();
  const Instant beat = heartbeat_of(agent());
  docker({"rm", "--force", container_});
  const Instant removed = deaths().at(0);
  agent().start();
  const Json task = ended();
  EXPECT_EQ(string_or(task, "status"), "Error") << task;
  EXPECT_EQ(string_or(task, "statusReason"), "its container was removed outside resmgr");
  EXPECT_EQ(string_or(task, "precision"), "bounded");
  EXPECT_EQ(time_of(task, "stopTime"), beat);
  EXPECT_GT(time_of(task, "stopTime"), started);
  EXPECT_LE(time_of(task, "stopTime"), removed);
  EXPECT_EQ(integer_or(end_details(task), "exitCode", -2), -1);
}

// Hazard 6: a restart overwrites the times of the first run, which ended the task.
TEST_F(EndsTest, RestartByHandEndsTheTaskAtItsFirstEnd) {
  for (const bool watched : {true, false}) {
    start();
    const std::string first_start = string_or(alice().get(path_).json, "startTime");
    if (!watched) agent().kill9();
    docker({"restart", "--time", "1", container_});
    const auto died = deaths();
    ASSERT_GE(died.size(), 1u);
    if (!watched) agent().start();
    const Json task = ended();
    EXPECT_EQ(string_or(task, "startTime"), first_start);
    EXPECT_EQ(string_or(task, "precision"), "exact") << task;
    EXPECT_LE(time_of(task, "stopTime"), died[0]);
    EXPECT_GE(time_of(task, "stopTime"), died[0] - std::chrono::seconds(1));
    EXPECT_THAT(string_or(task, "statusReason"), AnyOf("its container was restarted outside resmgr",
                                                       "was stopped outside resmgr (SIGTERM)"));
  }
}

// What ended while the agent was down is found with Docker's own time and code.
TEST_F(EndsTest, ExitWhileTheAgentIsDownIsExact) {
  start();
  agent().kill9();
  tell(container_, "exit 3");
  await_exit();
  const Instant finished_at = docker_time("FinishedAt");
  agent().start();
  const Json task = ended();
  EXPECT_EQ(string_or(task, "statusReason"), "exited with code 3") << task;
  EXPECT_EQ(string_or(task, "precision"), "exact");
  EXPECT_EQ(time_of(task, "stopTime"), finished_at);
}

}  // namespace
}  // namespace resmgr::e2e
