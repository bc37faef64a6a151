// Containers that are ready before anybody asks, on a real engine.

#include <future>
#include <set>
#include <vector>

#include "common/time_format.h"
#include "tests/e2e/fixture.h"

namespace resmgr::e2e {
namespace {

using support::Answer;
using support::eventually;
using ::testing::HasSubstr;

constexpr char kKept[] = R"(
name = "kept"
title = "A page that is kept warm"
image = "resmgr/hello:latest"
container_port = 8080
probe = { http = "/", interval = "50ms" }
env = { TOKEN = "{token}" }
start_timeout = "60s"
stop_timeout = "2s"
warm = {warm}
)";

// It has waited for longer than its patience when somebody takes it.
constexpr char kWarmNotebook[] = R"(
name = "notebook"
title = "Jupyter that is kept warm"
image = "resmgr/jupyter:latest"
container_port = 8888
url_path = "/tree?token={token}"
env = { JUPYTER_TOKEN = "{token}" }
probe = { http = "/api", interval = "200ms" }
start_timeout = "3m"
stop_timeout = "10s"
pull = "never"
warm = 1
[idle]
timeout = "20s"
warn = "5s"
probe = "jupyter"
)";

std::string kept(int warm) {
  std::string text = kKept;
  const std::string place = "{warm}";
  return text.replace(text.find(place), place.size(), std::to_string(warm));
}

class WarmTest : public ::testing::Test {
 protected:
  void run_agent(std::map<std::string, std::string> services) {
    support::ensure_hello_image();
    support::AgentOptions options;
    options.config =
        std::string(support::kAuthWithTestKey) + "[engine]\nsample_interval = \"1s\"\n";
    options.services = std::move(services);
    agent_ = std::make_unique<support::AgentProcess>(options);
  }
  void TearDown() override {
    if (HasFailure() && agent_) std::cerr << "the agent's log:\n" << agent_->log() << '\n';
  }

  support::RestClient admin() const { return agent_->as(support::admin_token()); }
  support::RestClient alice() const { return agent_->as(support::user_token(support::kAlice)); }
  Json pool() const {
    const Json host = admin().get("/api/host").json;
    const Json& pools = array_at(host, "pools");
    return pools.empty() ? Json::object() : pools[0];
  }
  bool has_ready(int count) const {
    return eventually([&] { return integer_or(pool(), "ready", -1) == count; },
                      std::chrono::minutes(3));
  }
  std::set<std::string> containers() const {
    std::set<std::string> ids;
    for (const auto& container : support::containers_of(agent_->agent_id())) {
      ids.insert(container.id);
    }
    return ids;
  }
  // The engine is told whose it is after whoever asked for it.
  bool has_name_of(const std::string& container, const std::string& task,
                   const std::string& user) const {
    return eventually([&] {
      const auto name = support::docker({"inspect", "--format", "{{.Name}}", container});
      return name.starts_with("/resmgr-") && name.ends_with("." + task + "." + user);
    });
  }

  std::unique_ptr<support::AgentProcess> agent_;
};

TEST_F(WarmTest, AStartGetsOneThatWasReady) {
  run_agent({{"kept.toml", kept(2)}});
  ASSERT_TRUE(has_ready(2));
  const auto warm = containers();
  ASSERT_EQ(warm.size(), 2U);
  const Answer started = alice().start("kept");
  ASSERT_EQ(started.status, 201) << started.response.body;
  const std::string container = started.text("containerId");
  EXPECT_TRUE(warm.contains(container));
  EXPECT_TRUE(has_name_of(container, started.text("taskId"), support::kAlice));
  EXPECT_EQ(fetch(started.text("iframeUrl")).status, 200);
  // It is billed from the claim on, and by what it does from then on.
  const Json task = alice().get(wire::task_path(started.text("taskId"))).json;
  EXPECT_EQ(string_or(task, "startTime"), string_or(task, "createdAt"));
  EXPECT_LT(string_or(task, "createdAt"), format_rfc3339(SystemClock().now()));
  ASSERT_TRUE(has_ready(2));
  EXPECT_EQ(containers().size(), 3U);

  const Answer ended = alice().del(wire::task_path(started.text("taskId")));
  EXPECT_EQ(ended.status, 200);
  EXPECT_TRUE(eventually([&] { return !support::container_exists(container); }));
  EXPECT_EQ(containers().size(), 2U);

  const auto status = agent_->cli({"status"});
  EXPECT_THAT(status.out, HasSubstr("pools"));
  const std::string metrics = admin().get("/metrics").response.body;
  EXPECT_THAT(metrics, HasSubstr(R"(resmgr_warm_claims_total{service="kept",result="hit"} 1)"));
  EXPECT_THAT(metrics, HasSubstr(R"(resmgr_warm_containers{service="kept",state="ready"} 2)"));
}

TEST_F(WarmTest, OfManyStartsAtOnceNoTwoGetTheSame) {
  run_agent({{"kept.toml", kept(3)}});
  ASSERT_TRUE(has_ready(3));
  std::vector<std::future<Answer>> starts;
  for (int i = 0; i < 8; ++i) {
    starts.push_back(std::async(std::launch::async, [this] { return admin().start("kept"); }));
  }
  std::set<std::string> given;
  for (auto& start : starts) {
    const Answer answer = start.get();
    EXPECT_EQ(answer.status, 201) << answer.response.body;
    EXPECT_TRUE(given.insert(answer.text("containerId")).second) << answer.response.body;
  }
  ASSERT_TRUE(has_ready(3));
  const Json now = pool();
  EXPECT_EQ(integer_or(now, "hits", 0) + integer_or(now, "misses", 0), 8);
  EXPECT_GE(integer_or(now, "hits", 0), 3);
}

TEST_F(WarmTest, TheyOutliveTheAgentAndAreNeverGivenTwice) {
  run_agent({{"kept.toml", kept(2)}});
  ASSERT_TRUE(has_ready(2));
  const Answer started = alice().start("kept");
  ASSERT_EQ(started.status, 201);
  ASSERT_TRUE(has_ready(2));
  const auto before = containers();
  agent_->kill9();
  agent_->start();
  ASSERT_TRUE(has_ready(2));
  EXPECT_EQ(containers(), before);
  const std::string taken = started.text("containerId");
  for (int i = 0; i < 2; ++i) EXPECT_NE(admin().start("kept").text("containerId"), taken);
  const Json task = alice().get(wire::task_path(started.text("taskId"))).json;
  EXPECT_EQ(string_or(task, "status"), "Running");
  EXPECT_EQ(string_or(task, "iframeUrl"), started.text("iframeUrl"));
}

// Neither what somebody was given after the copy was made, nor what may have been.
TEST_F(WarmTest, AJournalThatIsPutBackGivesNobodyWhatItTakesForFree) {
  run_agent({{"kept.toml", kept(2)}});
  ASSERT_TRUE(has_ready(2));
  const auto before = containers();
  agent_->stop();
  const auto journal = agent_->data_dir() / "journal.db";
  const auto copy = agent_->dir() / "copy.db";
  std::filesystem::copy_file(journal, copy);
  agent_->start();
  ASSERT_TRUE(has_ready(2));
  EXPECT_EQ(containers(), before) << "the journal is as it was";
  const Answer alices = alice().start("kept");
  ASSERT_EQ(alices.status, 201) << alices.response.body;
  ASSERT_TRUE(has_name_of(alices.text("containerId"), alices.text("taskId"), support::kAlice));
  agent_->kill9();
  for (const char* rest : {"-wal", "-shm"}) std::filesystem::remove(journal.string() + rest);
  std::filesystem::copy_file(copy, journal, std::filesystem::copy_options::overwrite_existing);
  agent_->start();
  for (int i = 0; i < 2; ++i) {
    const Answer next = admin().start("kept");
    EXPECT_EQ(next.status, 201) << next.response.body;
    EXPECT_FALSE(before.contains(next.text("containerId")));
  }
  EXPECT_THAT(agent_->log(), HasSubstr("Warm containers are made anew"));
  const Json task = alice().get(wire::task_path(alices.text("taskId"))).json;
  EXPECT_EQ(string_or(task, "status"), "Running");
  EXPECT_EQ(string_or(task, "containerId"), alices.text("containerId"));
}

TEST_F(WarmTest, OneThatIsRemovedByHandIsMadeAnew) {
  run_agent({{"kept.toml", kept(1)}});
  ASSERT_TRUE(has_ready(1));
  const std::string lost = *containers().begin();
  support::docker({"rm", "--force", lost});
  EXPECT_TRUE(eventually([&] {
    const auto now = containers();
    return now.size() == 1 && *now.begin() != lost && integer_or(pool(), "ready", 0) == 1;
  }));
}

TEST_F(WarmTest, ADrainedHostHasNone) {
  run_agent({{"kept.toml", kept(2)}});
  ASSERT_TRUE(has_ready(2));
  admin().post("/api/host/drain", {{"reason", "new cables"}});
  EXPECT_TRUE(eventually([&] { return containers().empty(); }));
  EXPECT_EQ(agent_->cli({"resume"}).code, 0);
  EXPECT_TRUE(has_ready(2));
}

// What Jupyter says of its last activity is of before the claim.
TEST_F(WarmTest, ANotebookThatHasWaitedIsNotIdle) {
  support::ensure_jupyter_image();
  run_agent({{"notebook.toml", kWarmNotebook}});
  ASSERT_TRUE(has_ready(1));
  std::this_thread::sleep_for(std::chrono::seconds(25));
  const Answer started = alice().start("notebook");
  ASSERT_EQ(started.status, 201) << started.response.body;
  EXPECT_EQ(integer_or(pool(), "hits", 0), 1);
  std::this_thread::sleep_for(std::chrono::seconds(8));
  const std::string path = wire::task_path(started.text("taskId"));
  EXPECT_EQ(string_or(alice().get(path).json, "status"), "Running");
  EXPECT_TRUE(eventually([&] { return string_or(alice().get(path).json, "status") == "Stopped"; },
                         std::chrono::minutes(3)));
  const Json task = alice().get(path).json;
  EXPECT_GE(task.value("durationSeconds", 0.0), 20.0);
}

}  // namespace
}  // namespace resmgr::e2e
