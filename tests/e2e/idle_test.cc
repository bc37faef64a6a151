// Idle timeout and maximum lifetime, with limits of seconds.

#include "tests/e2e/fixture.h"

namespace resmgr::e2e {
namespace {

using support::Answer;
using support::eventually;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// What a slow machine may take for a few of these seconds.
constexpr std::chrono::minutes kBound{4};

constexpr char kNapper[] = R"(
name = "napper"
title = "Stopped once idle"
image = "resmgr/hello:latest"
container_port = 8080
probe = { http = "/", interval = "50ms" }
start_timeout = "60s"
stop_timeout = "1s"
[idle]
timeout = "5s"
warn = "2s"
)";

constexpr char kMayfly[] = R"(
name = "mayfly"
title = "Stopped at an age"
image = "resmgr/hello:latest"
container_port = 8080
probe = { http = "/", interval = "50ms" }
start_timeout = "60s"
stop_timeout = "1s"
[idle]
warn = "1s"
[lifetime]
max = "5s"
)";

class IdleTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    support::ensure_hello_image();
    support::AgentOptions options;
    options.config =
        std::string(support::kAuthWithTestKey) + "[engine]\nsample_interval = \"1s\"\n";
    options.services = {{"napper.toml", kNapper}, {"mayfly.toml", kMayfly}};
    agent_ = std::make_unique<support::AgentProcess>(options);
  }
  static void TearDownTestSuite() { agent_.reset(); }

  static support::AgentProcess& agent() { return *agent_; }
  support::RestClient alice() const { return agent().as(support::user_token(support::kAlice)); }

  void TearDown() override {
    if (HasFailure()) std::cerr << "the agent's log:\n" << agent().log() << '\n';
    for (const auto& task : alice().get("/api/tasks?status=Running,Starting").json) {
      alice().del(wire::task_path(string_or(task, "taskId")));
    }
  }

  std::string start(const std::string& service) const {
    const Answer started = alice().start(service);
    EXPECT_EQ(started.status, 201) << started.response.body;
    return started.text("taskId");
  }
  Answer task(const std::string& id) const { return alice().get(wire::task_path(id)); }
  bool wait_for(const std::string& id, const std::string& status) const {
    return eventually([&] { return task(id).text("status") == status; }, kBound);
  }
  // The task's events of that type, their details.
  std::vector<Json> details_of(const std::string& id, const std::string& type) const {
    std::vector<Json> found;
    const Answer answer = task(id);
    for (const auto& event : array_at(answer.json, "events")) {
      if (string_or(event, "type") == type) found.push_back(object_at(event, "details"));
    }
    return found;
  }
  // Keeps a core as busy as the service may.
  static void compute_in(const std::string& id) {
    support::docker(
        {"exec", "--detach", "resmgr-" + id, "/bin/busybox", "sh", "-c", "while :; do :; done"});
  }

 private:
  inline static std::unique_ptr<support::AgentProcess> agent_;
};

TEST_F(IdleTest, AnIdleTaskIsWarnedAndStoppedAndABusyOneIsNot) {
  const std::string busy = start("napper");
  compute_in(busy);
  const std::string idle = start("napper");
  ASSERT_TRUE(wait_for(idle, "Stopped"));
  EXPECT_THAT(task(idle).text("statusReason"), StartsWith("was idle for "));
  const auto warnings = details_of(idle, "task.idle_warning");
  ASSERT_FALSE(warnings.empty());
  EXPECT_EQ(string_or(warnings.back(), "cause"), "idle");
  EXPECT_EQ(string_or(details_of(idle, "task.ended").at(0), "endedBy"), "idle");
  EXPECT_TRUE(eventually([&] { return !support::container_exists("resmgr-" + idle); }));

  // It is older, and the same rules hold for it.
  EXPECT_EQ(task(busy).text("status"), "Running");
  EXPECT_TRUE(details_of(busy, "task.stop_requested").empty());
  const Json why = alice().get(wire::why_path(busy)).json;
  for (const Json& signal : array_at(why, "signals")) {
    if (string_or(signal, "name") != "cpu") continue;
    EXPECT_EQ(string_or(signal, "state"), "busy") << why;
  }
}

TEST_F(IdleTest, TheLifetimeEndsATaskAndAnExtensionPutsThatOff) {
  const std::string extended = start("mayfly");
  const auto cli = agent().cli({"extend", extended, "--by", "2h", "--output", "json"});
  ASSERT_EQ(cli.code, 0) << cli.err;
  const std::string until = string_or(Json::parse(cli.out)[0], "lifetimeUntil");
  EXPECT_NE(until, "");
  const std::string mortal = start("mayfly");
  ASSERT_TRUE(wait_for(mortal, "Stopped"));
  EXPECT_EQ(task(mortal).text("statusReason"), "reached its maximum lifetime of 5s");
  ASSERT_FALSE(details_of(mortal, "task.idle_warning").empty());
  EXPECT_EQ(string_or(details_of(mortal, "task.idle_warning")[0], "cause"), "lifetime");
  EXPECT_EQ(task(extended).text("status"), "Running");

  // Another process knows of it.
  agent().kill9();
  agent().start();
  const std::string second = start("mayfly");
  ASSERT_TRUE(wait_for(second, "Stopped"));
  EXPECT_EQ(task(extended).text("status"), "Running");
  EXPECT_EQ(task(extended).text("lifetimeUntil"), until);
  const auto why = agent().cli({"why", extended});
  EXPECT_EQ(why.code, 0) << why.err;
  EXPECT_THAT(why.out, HasSubstr("lifetime.extendedUntil\t" + until + "\n"));
}

// What it used vanishes with its control group (hazard 9); the last sample before a kill -9 closes
// its record all the same.
TEST_F(IdleTest, UseOfATaskThatEndsWhileTheAgentIsDownIsOnRecord) {
  const std::string id = start("hello");
  compute_in(id);
  std::int64_t cpu_ms = 0;
  ASSERT_TRUE(eventually([&] {
    const Answer answer = task(id);
    const Json& usage = object_at(answer.json, "usage");
    cpu_ms = integer_or(usage, "cpuMs", 0);
    return cpu_ms > 200 && integer_or(usage, "networkRxBytes", 0) > 0;
  }));
  agent().kill9();
  support::docker({"kill", "resmgr-" + id});
  agent().start();
  ASSERT_TRUE(eventually([&] { return !details_of(id, "task.ended").empty(); }));
  const Json ended = details_of(id, "task.ended").at(0);
  EXPECT_GE(integer_or(ended, "cpuMs", 0), cpu_ms);
  EXPECT_GT(integer_or(ended, "peakMemoryBytes", 0), 0);
  EXPECT_GT(integer_or(ended, "networkRxBytes", 0), 0);
}

}  // namespace
}  // namespace resmgr::e2e
