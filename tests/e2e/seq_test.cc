// An agent whose Seq comes and goes: what happened and what was logged is there in the end.

#include <algorithm>
#include <fstream>
#include <functional>

#include "tests/contract/seq_server.h"
#include "tests/e2e/fixture.h"

namespace resmgr::e2e {
namespace {

using support::SeqMishap;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kKey[] = "s3cret-ingestion-key";

class SeqE2eTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { support::ensure_hello_image(); }

  SeqE2eTest() {
    server_.require_key(kKey);
    options_.config = std::string(support::kAuthWithTestKey) +
                      "[sinks]\nbackoff_min = \"50ms\"\nbackoff_max = \"200ms\"\n" +
                      "[agent]\nlog_level = \"error\"\n[seq]\nurl = \"" + server_.url() +
                      "\"\napi_key_file = \"{dir}/seq-key\"\n";
    options_.start_at_once = false;
    agent_ = std::make_unique<support::AgentProcess>(options_);
    write_key(kKey);
    agent_->start();
  }

  void write_key(const std::string& key) const {
    std::ofstream(agent_->dir() / "seq-key") << key << "\n";
  }
  std::string start() const {
    const auto finished = agent_->cli({"start", "hello", "--quiet"});
    EXPECT_EQ(finished.code, 0) << finished.err;
    return finished.out.substr(0, finished.out.find('\n'));
  }
  std::vector<std::string> types_of(const std::string& task_id) const {
    std::vector<std::string> types;
    for (const Json& event : server_.events()) {
      if (string_or(event, "TaskId") == task_id && event.contains("EventType")) {
        types.push_back(string_or(event, "EventType"));
      }
    }
    return types;
  }
  bool has(const std::function<bool(const Json&)>& wanted) const {
    return support::eventually([&] {
      const auto events = server_.events();
      return std::ranges::any_of(events, wanted);
    });
  }
  bool has_type(const std::string& task_id, const std::string& type) const {
    return has([&](const Json& event) {
      return string_or(event, "TaskId") == task_id && string_or(event, "EventType") == type;
    });
  }
  std::string status() const { return agent_->cli({"status", "-o", "table"}).out; }

  support::SeqServer server_;
  support::AgentOptions options_;
  std::unique_ptr<support::AgentProcess> agent_;
};

TEST_F(SeqE2eTest, ServesWithoutItAndCatchesUp) {
  const std::string first = start();
  EXPECT_TRUE(has_type(first, "task.ready")) << server_.last_fault();
  server_.befall_all(SeqMishap{});
  EXPECT_EQ(agent_->cli({"stop", first}).code, 0);
  const std::string second = start();
  EXPECT_TRUE(support::eventually([&] {
    return status().find("seq failing") != std::string::npos;
  })) << status();
  agent_->kill9();
  agent_->start();
  EXPECT_EQ(agent_->cli({"stop", second}).code, 0);
  server_.befall({.kind = SeqMishap::Kind::take_and_cut});
  server_.befall_all(std::nullopt);
  EXPECT_TRUE(has_type(first, "task.removed"));
  EXPECT_TRUE(has_type(second, "task.removed"));
  EXPECT_TRUE(support::eventually([&] {
    return status().find("seq current") != std::string::npos;
  })) << status();
  for (const std::string& id : {first, second}) {
    EXPECT_THAT(types_of(id), AllOf(Contains("task.start_requested"), Contains("task.started"),
                                    Contains("task.stop_requested"), Contains("task.ended")));
  }
  EXPECT_EQ(agent_->stop(), 0);
  EXPECT_TRUE(has([](const Json& e) { return string_or(e, "EventType") == "agent.stopped"; }));
}

// Whatever level its own log has.
TEST_F(SeqE2eTest, GetsChangesAndRefusedSignIns) {
  EXPECT_EQ(agent_->as("not.a.token").get("/api/tasks").status, 401);
  EXPECT_EQ(agent_->as(support::user_token(support::kAlice)).post("/api/host/drain", {}).status,
            403);
  const std::string id = start();
  EXPECT_TRUE(has([](const Json& event) {
    return string_or(event, "@mt").starts_with("Refused {Method}") && event["Status"] == 401 &&
           event["Route"] == "/api/tasks" && event["Peer"] == "127.0.0.1";
  }));
  EXPECT_TRUE(has([](const Json& event) {
    return string_or(event, "Route") == "/api/host/drain" && event["Status"] == 403 &&
           event["User"] == support::kAlice;
  }));
  EXPECT_TRUE(has([](const Json& event) {
    return string_or(event, "Method") == "POST" && string_or(event, "Route") == "/api/tasks" &&
           integer_or(event, "Status", 0) / 100 == 2 && string_or(event, "User") != "-";
  }));
  EXPECT_EQ(agent_->cli({"stop", id}).code, 0);
  for (const Json& event : server_.events()) {
    EXPECT_THAT(dump_json(event), AllOf(Not(HasSubstr(kKey)), Not(HasSubstr("not.a.token"))));
    EXPECT_EQ(event["AgentId"], agent_->agent_id());
  }
}

// Hazard 27: strangers can't fill the journal.
TEST_F(SeqE2eTest, AFloodOfStrangersLeavesTheJournalAlone) {
  const auto operator_client = agent_->over_socket();
  const auto journal = [&] { return operator_client.get("/api/events?since=0").response.body; };
  const std::string before = journal();
  EXPECT_THAT(before, HasSubstr("agent.started"));
  const auto stranger = agent_->as("not.a.token");
  for (int i = 0; i < 500; ++i) EXPECT_EQ(stranger.get("/api/tasks").status, 401);
  EXPECT_EQ(journal(), before);
}

TEST_F(SeqE2eTest, AKeyCanBeExchangedWhileItRuns) {
  const std::string first = start();
  EXPECT_TRUE(has_type(first, "task.ready"));
  server_.require_key("another-one");
  EXPECT_EQ(agent_->cli({"stop", first}).code, 0);
  EXPECT_TRUE(support::eventually([&] {
    return status().find("seq refusing") != std::string::npos;
  })) << status();
  EXPECT_THAT(status(), Not(HasSubstr(kKey)));
  write_key("another-one");
  EXPECT_TRUE(has_type(first, "task.removed"));
}

TEST_F(SeqE2eTest, AServerThatHangsHoldsUpNeitherCallersNorTheStop) {
  server_.befall_all(SeqMishap{.kind = SeqMishap::Kind::hang});
  const std::string first = start();
  EXPECT_EQ(agent_->cli({"stop", first}).code, 0);
  EXPECT_EQ(agent_->stop(), 0);
  server_.befall_all(std::nullopt);
  server_.thaw();
  agent_->start();
  EXPECT_TRUE(has_type(first, "task.removed"));
}

}  // namespace
}  // namespace resmgr::e2e
