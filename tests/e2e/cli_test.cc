// `resmgr` as a script's author uses it: real bash, real pipes.

#include <csignal>
#include <thread>

#include "tests/e2e/fixture.h"

namespace resmgr::e2e {
namespace {

using support::Finished;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::StartsWith;

class CliTest : public WithAgent {
 protected:
  // A started task's id.
  std::string start_one() const {
    const Finished started = agent().cli({"start", "hello", "--quiet"});
    EXPECT_EQ(started.code, 0) << started.err;
    EXPECT_THAT(started.out, MatchesRegex("[0-9a-f-]{36}\n"));
    return started.out.substr(0, 36);
  }
  std::size_t containers() const { return support::containers_of(agent().agent_id()).size(); }
};

TEST_F(CliTest, ListInAPipeIsOneTaskALine) {
  const std::string id = start_one();
  const Finished list = agent().script("resmgr list | cat");
  EXPECT_EQ(list.code, 0) << list.err;
  EXPECT_THAT(list.out, Not(HasSubstr("\x1b")));
  EXPECT_THAT(list.out, HasSubstr("\t"));
  EXPECT_THAT(list.out, HasSubstr(id));
  EXPECT_EQ(agent().script("resmgr list --quiet | wc -l").out, "1\n");
  EXPECT_EQ(agent().script("resmgr ls -q").out, id + "\n");
}

TEST_F(CliTest, JsonIsForJq) {
  const std::string id = start_one();
  const Finished ids = agent().script("resmgr list --output json | jq -r '.[].taskId'");
  EXPECT_EQ(ids.code, 0) << ids.err;
  EXPECT_EQ(ids.out, id + "\n");
  EXPECT_EQ(agent().script("resmgr show --output json " + id + " | jq -r .status").out,
            "Running\n");
  EXPECT_EQ(agent().script("resmgr services --output json | jq -r '.[].name' | grep -x hello").out,
            "hello\n");
  EXPECT_EQ(agent().script("resmgr list --output csv | wc -l").out, "2\n");
}

TEST_F(CliTest, StopTakesWhatListPrints) {
  start_one();
  start_one();
  const Finished stopped = agent().script("resmgr stop $(resmgr list -q)");
  EXPECT_EQ(stopped.code, 0) << stopped.err;
  EXPECT_EQ(agent().script("resmgr list -q").out, "");
  EXPECT_TRUE(support::eventually([&] { return containers() == 0; }));

  start_one();
  start_one();
  EXPECT_EQ(agent().script("resmgr list -q | resmgr stop -").code, 0);
  EXPECT_EQ(agent().script("resmgr list -q").out, "");
}

TEST_F(CliTest, NothingToStopIsNoError) {
  EXPECT_EQ(agent().script("resmgr stop - </dev/null").code, 0);
  EXPECT_EQ(agent().cli({"stop", "--all"}).code, 0);
}

TEST_F(CliTest, StopByServiceAndByPartOfAnId) {
  const std::string id = start_one();
  EXPECT_EQ(agent().cli({"stop", id.substr(24)}).code, 0);
  EXPECT_EQ(agent().script("resmgr list -q").out, "");
  start_one();
  EXPECT_EQ(agent().cli({"stop", "--all", "--service", "slow"}).code, 0);
  EXPECT_EQ(agent().script("resmgr list -q | wc -l").out, "1\n");
  EXPECT_EQ(agent().cli({"stop", "--all", "--service", "hello"}).code, 0);
  EXPECT_EQ(agent().script("resmgr list -q | wc -l").out, "0\n");
}

TEST_F(CliTest, StartUnlessItRuns) {
  const std::string id = start_one();
  const Finished again = agent().cli({"start", "hello", "--if-not-running", "--quiet"});
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_EQ(again.out, id + "\n");
  EXPECT_EQ(containers(), 1u);
}

TEST_F(CliTest, StartPrintsTheUrl) {
  const Finished fetched = agent().script(
      "curl -sS -o /dev/null -w '%{http_code}' \"$(resmgr start hello | cut -f 3)\"");
  EXPECT_EQ(fetched.out, "200") << fetched.err;
}

TEST_F(CliTest, StartWithoutWaiting) {
  const Finished started = agent().cli({"start", "slow", "--no-wait", "--quiet"});
  EXPECT_EQ(started.code, 0) << started.err;
  const std::string id = started.out.substr(0, 36);
  EXPECT_EQ(agent().script("resmgr show --output json " + id + " | jq -r .status").out,
            "Starting\n");
}

TEST_F(CliTest, ShowAndLogsOfWhatHasEnded) {
  const std::string id = start_one();
  EXPECT_EQ(agent().cli({"stop", id}).code, 0);
  const Finished shown = agent().cli({"show", id});
  EXPECT_EQ(shown.code, 0) << shown.err;
  EXPECT_THAT(shown.out, HasSubstr("Stopped"));
  EXPECT_EQ(agent().script("resmgr list -q --all | grep -cx " + id).out, "1\n");
  EXPECT_THAT(agent().cli({"logs", id}).out, HasSubstr("hello: serving on port 8080"));
}

TEST_F(CliTest, LogsCanBeFollowedToTheEnd) {
  const std::string id = start_one();
  const Finished followed = agent().script("resmgr logs --follow " + id +
                                           " >/dev/null & resmgr stop " + id + "; wait $!");
  EXPECT_EQ(followed.code, 0) << followed.err;
}

TEST_F(CliTest, ExitCodesAreForScripts) {
  EXPECT_EQ(agent().cli({"--help"}).code, 0);
  EXPECT_THAT(agent().cli({"--help"}).out, HasSubstr("130"));
  EXPECT_EQ(agent().cli({"version"}).code, 0);
  EXPECT_EQ(agent().cli({"status"}).code, 0);
  EXPECT_EQ(agent().cli({"start"}).code, 2);
  EXPECT_EQ(agent().cli({"frobnicate"}).code, 2);
  EXPECT_EQ(agent().cli({"start", "nothing-of-that-name"}).code, 2);
  EXPECT_EQ(agent().script("resmgr --agent http://127.0.0.1:1 list").code, 3);
  EXPECT_EQ(agent().script("resmgr --agent /nowhere/agent.sock list").code, 3);
  EXPECT_EQ(agent().script("resmgr --agent " + agent().url() + " list").code, 4);
  EXPECT_EQ(agent().cli({"show", "01900000-0000-7000-8000-000000000000"}).code, 5);
  EXPECT_EQ(agent().cli({"start", "never-ready"}).code, 7);
}

TEST_F(CliTest, FaultsGoToStandardErrorWithAHint) {
  const Finished away = agent().script("resmgr --agent /nowhere/agent.sock list");
  EXPECT_THAT(away.out, IsEmpty());
  EXPECT_THAT(away.err, HasSubstr("/nowhere/agent.sock"));
  EXPECT_THAT(away.err, HasSubstr("Try: "));
}

TEST_F(CliTest, TokensComeFromFilesAndEnvironment) {
  const std::string with_token = "export RESMGR_AGENT=" + agent().url() +
                                 " RESMGR_TOKEN=" + support::user_token(support::kAlice) + "; ";
  EXPECT_EQ(agent().script(with_token + "resmgr start hello -q >/dev/null && resmgr list -q").code,
            0);
  EXPECT_EQ(agent().script(with_token + "resmgr list -q | wc -l").out, "1\n");
  const support::TempDir dir;
  const std::string file = dir.write("token", support::user_token(support::kBob) + "\n");
  const std::string as_bob = "RESMGR_AGENT=" + agent().url() + " RESMGR_TOKEN_FILE=" + file + " ";
  EXPECT_EQ(agent().script(as_bob + "resmgr list -q | wc -l").out, "0\n");
  EXPECT_EQ(
      agent().script("resmgr --agent " + agent().url() + " --token-file " + file + " list -q").code,
      0);
  // Operators see everyone's.
  EXPECT_EQ(agent().script("resmgr list -q | wc -l").out, "1\n");
  EXPECT_EQ(agent().script("resmgr list -q --user " + std::string(support::kBob) + " | wc -l").out,
            "0\n");
}

TEST_F(CliTest, InterruptedStartLeavesNothing) {
  const auto start = agent().spawn_cli({"start", "slow"});
  ASSERT_TRUE(support::eventually([&] { return containers() == 1; }));
  start->signal(SIGINT);
  EXPECT_EQ(start->wait(std::chrono::seconds(60)), 130) << start->err();
  EXPECT_EQ(agent().script("resmgr list -q").out, "");
  EXPECT_TRUE(support::eventually([&] { return containers() == 0; }));
}

TEST_F(CliTest, ReaderThatGoesAwayIsNoFault) {
  start_one();
  start_one();
  const Finished head = agent().script("set +o pipefail; resmgr list --all | head -1");
  EXPECT_EQ(head.code, 0);
  EXPECT_THAT(head.err, IsEmpty());
}

}  // namespace
}  // namespace resmgr::e2e
