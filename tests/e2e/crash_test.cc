// kill -9 of the agent in the middle of things, and what the next one makes of it.

#include <algorithm>
#include <set>
#include <thread>

#include "tests/e2e/fixture.h"

namespace resmgr::e2e {
namespace {

using support::Answer;

constexpr int kEach = 20;

// What one call was told; status 0 if the agent died before it answered.
struct Told {
  std::string task_id;
  int status = 0;
};

template <typename Call>
Told ask(const Call& call) {
  try {
    const Answer answer = call();
    return {answer.text("taskId"), answer.status};
  } catch (const Error&) {
    return {};
  }
}

class CrashTest : public ::testing::TestWithParam<std::chrono::milliseconds> {
 protected:
  static void SetUpTestSuite() { support::ensure_hello_image(); }

  CrashTest() : agent_(options()) {}

  static support::AgentOptions options() {
    support::AgentOptions result;
    result.config = support::kAuthWithTestKey;
    return result;
  }
  support::RestClient alice() const { return agent_.as(support::user_token(support::kAlice)); }

  std::vector<Told> start_some() const {
    std::vector<Told> told(kEach);
    std::vector<std::jthread> clients;
    for (auto& one : told) {
      clients.emplace_back([&one, this] { one = ask([&] { return alice().start("hello"); }); });
    }
    clients.clear();
    return told;
  }

  // Nothing is on the way any more, and the engine has exactly the containers of what runs.
  bool settled() const {
    std::set<std::string> running;
    for (const auto& task : alice().get("/api/tasks?limit=500").json) {
      const std::string status = string_or(task, "status");
      if (status == "Starting" || status == "Stopping") return false;
      if (status == "Running") running.insert(string_or(task, "containerId"));
    }
    std::set<std::string> there;
    for (const auto& container : support::containers_of(agent_.agent_id())) {
      there.insert(container.id);
    }
    return running == there;
  }

  void expect_settled() const {
    EXPECT_TRUE(support::eventually([&] { return settled(); }, std::chrono::minutes(3)))
        << alice().get("/api/tasks?limit=500").response.body << '\n'
        << support::docker({"ps", "--all"}) << '\n'
        << agent_.log();
    for (const auto& task : alice().get("/api/tasks?limit=500").json) {
      if (string_or(task, "status") == "Running") {
        EXPECT_EQ(
            fetch(alice().get(wire::task_path(string_or(task, "taskId"))).text("iframeUrl")).status,
            200);
      } else if (!task.at("startTime").is_null()) {
        EXPECT_EQ(string_or(task, "usageHash").size(), 64u) << task;
        EXPECT_FALSE(task.at("stopTime").is_null()) << task;
      }
    }
  }

  support::AgentProcess agent_;
};

TEST_P(CrashTest, InTheMiddleOfStartsAndStops) {
  const auto running = start_some();
  for (const auto& one : running) ASSERT_EQ(one.status, 201);

  std::vector<Told> started(kEach);
  std::vector<Told> stopped(kEach);
  {
    std::vector<std::jthread> clients;
    for (std::size_t i = 0; i < kEach; ++i) {
      clients.emplace_back([&, i] { started[i] = ask([&] { return alice().start("hello"); }); });
      clients.emplace_back([&, i] {
        stopped[i] = ask([&] { return alice().del(wire::task_path(running[i].task_id)); });
      });
    }
    std::this_thread::sleep_for(GetParam());
    agent_.kill9();
  }
  agent_.start();
  expect_settled();

  // What a caller was told before the end is still so.
  for (std::size_t i = 0; i < kEach; ++i) {
    if (started[i].status == 201) {
      EXPECT_EQ(alice().get(wire::task_path(started[i].task_id)).text("status"), "Running");
    }
    if (stopped[i].status == 200) {
      EXPECT_EQ(alice().get(wire::task_path(running[i].task_id)).text("status"), "Stopped");
    }
  }
}

INSTANTIATE_TEST_SUITE_P(After, CrashTest,
                         ::testing::Values(std::chrono::milliseconds(60),
                                           std::chrono::milliseconds(500),
                                           std::chrono::milliseconds(1500)),
                         [](const auto& after) {
                           return std::to_string(after.param.count()) + "ms";
                         });

class CrashOfNothingTest : public CrashTest {};

TEST_F(CrashOfNothingTest, ManyCrashesInARow) {
  std::vector<Told> told(5);
  for (auto& one : told) {
    one = ask([&] { return alice().start("hello", {{"Prefer", "respond-async"}}); });
    ASSERT_EQ(one.status, 202);
    agent_.kill9();
    agent_.start();
  }
  expect_settled();
  for (const auto& one : told) {
    EXPECT_EQ(alice().get(wire::task_path(one.task_id)).text("status"), "Running");
  }
  EXPECT_EQ(support::containers_of(agent_.agent_id()).size(), told.size());
}

TEST_F(CrashOfNothingTest, ContainerRemovedMeanwhileEndsItsTask) {
  const Answer started = alice().start("hello");
  const std::string path = wire::task_path(started.text("taskId"));
  agent_.kill9();
  support::docker({"rm", "--force", started.text("containerId")});
  agent_.start();
  ASSERT_TRUE(support::eventually([&] { return alice().get(path).text("status") != "Running"; }));
  const Answer task = alice().get(path);
  EXPECT_EQ(task.text("precision"), "bounded") << task.response.body;
  EXPECT_EQ(task.text("usageHash").size(), 64u);
  EXPECT_GE(task.text("stopTime"), task.text("startTime"));
}

TEST_F(CrashOfNothingTest, ForeignContainersStay) {
  const Answer started = alice().start("hello");
  // All the labels, another name.
  const std::string image = "resmgr-tests/copy:" + agent_.agent_id();
  support::docker({"commit", started.text("containerId"), image});
  const std::string foreign = support::docker({"run", "--detach", image});
  agent_.kill9();
  agent_.start();
  EXPECT_EQ(alice().del(wire::task_path(started.text("taskId"))).status, 200);
  EXPECT_TRUE(
      support::eventually([&] { return !support::container_exists(started.text("containerId")); }));
  EXPECT_EQ(support::docker({"inspect", "--format", "{{.State.Running}}", foreign}), "true");
  support::docker({"rm", "--force", foreign});
  support::docker({"rmi", image});
}

}  // namespace
}  // namespace resmgr::e2e
