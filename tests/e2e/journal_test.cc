// resmgr-agent journal …, and who has a directory, with real agents and real containers.

#include <fstream>

#include "tests/e2e/fixture.h"

namespace resmgr::e2e {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr std::size_t kDamagedSize = 16'384;

class JournalCommandTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { support::ensure_hello_image(); }

  JournalCommandTest() {
    support::AgentOptions options;
    options.config = support::kAuthWithTestKey;
    agent_ = std::make_unique<support::AgentProcess>(options);
  }
  void TearDown() override {
    if (HasFailure()) std::cerr << "the agent's log:\n" << agent_->log() << '\n';
  }

  support::RestClient alice() const { return agent_->as(support::user_token(support::kAlice)); }
  std::string start() const {
    const auto started = alice().start("hello");
    EXPECT_EQ(started.status, 201) << started.response.body;
    return started.text("taskId");
  }
  int stop(const std::string& id) const { return alice().del(wire::task_path(id)).status; }
  support::Answer look(const std::string& id) const { return alice().get(wire::task_path(id)); }
  bool becomes_running(const std::string& id) const {
    return support::eventually([&] { return look(id).text("status") == "Running"; });
  }
  std::string journal_id() const {
    return string_or(agent_->over_socket().get("/api/host").json.at("journal"), "id");
  }
  support::Finished journal(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "journal");
    return agent_->agent_command(arguments);
  }
  // Also what lies in its log, which after kill -9 may be all of it.
  void damage() const {
    std::filesystem::remove(file() + "-wal");
    std::ofstream(file(), std::ios::binary) << std::string(kDamagedSize, '\xa5');
  }
  std::string file() const { return agent_->data_dir() / "journal.db"; }

  std::unique_ptr<support::AgentProcess> agent_;
};

TEST_F(JournalCommandTest, ChecksAndBacksUpBesideTheAgent) {
  const std::string task = start();
  const auto check = journal({"check"});
  EXPECT_EQ(check.code, 0) << check.err;
  EXPECT_THAT(check.out, AllOf(HasSubstr(journal_id()), HasSubstr("1 tasks")));
  const std::string backup = agent_->dir() / "backup.db";
  const auto made = journal({"backup", backup});
  EXPECT_EQ(made.code, 0) << made.err;
  EXPECT_EQ(journal({"check", backup}).code, 0);
  const auto again = journal({"backup", backup});
  EXPECT_EQ(again.code, 1);
  EXPECT_THAT(again.err, HasSubstr("there already"));
  for (const char* command : {"restore", "rebuild"}) {
    std::vector<std::string> arguments = {command};
    if (command == std::string("restore")) arguments.push_back(backup);
    const auto refused = journal(arguments);
    EXPECT_EQ(refused.code, 1);
    EXPECT_THAT(refused.err,
                HasSubstr("another agent has it (process " + std::to_string(agent_->pid()) + ")"));
  }
  EXPECT_EQ(stop(task), 200);
}

TEST_F(JournalCommandTest, ARestoredJournalIsAnotherAndAdoptsWhatRuns) {
  const std::string before = start();
  const std::string ended = start();
  const std::string backup = agent_->dir() / "backup.db";
  ASSERT_EQ(journal({"backup", backup}).code, 0);
  const std::string after = start();
  EXPECT_EQ(stop(ended), 200);
  const std::string id = journal_id();
  EXPECT_EQ(agent_->stop(), 0);

  const auto restored = journal({"restore", backup});
  EXPECT_EQ(restored.code, 0) << restored.err;
  EXPECT_THAT(restored.out, HasSubstr("the old one is kept as " + file()));
  agent_->start();
  EXPECT_NE(journal_id(), id);
  EXPECT_TRUE(becomes_running(before));
  EXPECT_TRUE(becomes_running(after)) << "the journal did not know it";
  EXPECT_EQ(look(after).text("userId"), support::kAlice);
  EXPECT_TRUE(support::eventually([&] {
    const std::string status = look(ended).text("status");
    return status == "Stopped" || status == "Error";
  })) << "its container is gone";
  EXPECT_EQ(stop(before), 200);
  EXPECT_EQ(stop(after), 200);
  EXPECT_EQ(journal({"check"}).code, 0);
}

TEST_F(JournalCommandTest, ADamagedJournalIsRefusedAndRebuilt) {
  const std::string running = start();
  agent_->kill9();
  damage();

  const auto refused = agent_->agent_command({"--listen", "127.0.0.1:0"});
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("cannot open journal '" + file() + "'"),
                                 HasSubstr("Try: "), HasSubstr("journal rebuild")));
  EXPECT_EQ(journal({"check"}).code, 1);

  const auto rebuilt = journal({"rebuild"});
  EXPECT_EQ(rebuilt.code, 0) << rebuilt.err;
  EXPECT_THAT(rebuilt.out, AllOf(HasSubstr(running), HasSubstr("is kept as " + file())));
  agent_->start();
  EXPECT_TRUE(becomes_running(running));
  EXPECT_EQ(look(running).text("userId"), support::kAlice);
  EXPECT_EQ(fetch(look(running).text("iframeUrl")).status, 200);
  EXPECT_EQ(stop(running), 200);
  EXPECT_EQ(journal({"check"}).code, 0);
  EXPECT_EQ(agent_->stop(), 0);
  const auto needless = journal({"rebuild"});
  EXPECT_EQ(needless.code, 1);
  EXPECT_THAT(needless.err, HasSubstr("it is good"));
}

TEST_F(JournalCommandTest, ARebuildAsksTheEngineFirst) {
  agent_->kill9();
  damage();
  std::ofstream(agent_->dir() / "away.toml") << "[engine]\nsocket = \"unix:///no/engine.sock\"\n";
  const auto refused =
      agent_->agent_command({"--config", agent_->dir() / "away.toml", "journal", "rebuild"});
  EXPECT_EQ(refused.code, 1);
  EXPECT_EQ(std::filesystem::file_size(file()), kDamagedSize) << "nothing was changed";
  ASSERT_EQ(journal({"rebuild"}).code, 0);
  agent_->start();
}

// Hazard 37: both directories are one agent's, and who has them is named.
TEST_F(JournalCommandTest, TwoAgentsDontShareADirectory) {
  const std::string other = agent_->dir() / "other";
  const std::string holder = "another agent has it (process " + std::to_string(agent_->pid()) + ")";
  const auto same_data = agent_->agent_command({"--run-dir", other, "--listen", "127.0.0.1:0"});
  EXPECT_EQ(same_data.code, 1);
  EXPECT_THAT(same_data.err,
              AllOf(HasSubstr("cannot use directory '" + agent_->data_dir().string() + "'"),
                    HasSubstr(holder)));
  const auto same_run = agent_->agent_command({"--data-dir", other, "--listen", "127.0.0.1:0"});
  EXPECT_EQ(same_run.code, 1);
  EXPECT_THAT(same_run.err,
              AllOf(HasSubstr("cannot use directory '" + (agent_->dir() / "run").string() + "'"),
                    HasSubstr(holder)));
  EXPECT_EQ(alice().get("/healthz").status, 200);
}

}  // namespace
}  // namespace resmgr::e2e
