// `resmgr reconcile`, `resmgr drain` and `resmgr resume`.

#include "common/wire.h"
#include "tests/unit/cli/command_test.h"

namespace resmgr::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr char kId[] = "019aaaaa-0000-7000-8000-00000000abcd";

Json entry(const char* kind, const char* outcome) {
  return {{"class", kind},
          {"taskId", kId},
          {"containerId", "c0ffee00c0ffee00c0ffee00"},
          {"containerName", std::string("resmgr-") + kId},
          {"journal", {{"phase", "ready"}, {"status", "Running"}}},
          {"engine", "exited"},
          {"action", "record_ended"},
          {"outcome", outcome},
          {"reason", "its container ended"}};
}

class ReconcileTest : public CommandTest {
 protected:
  ReconcileTest() {
    agent.intercept = [this](const HttpRequest& request) -> std::optional<HttpResponse> {
      if (!request.target.starts_with(wire::kReconcile)) return std::nullopt;
      return json_answer(200, answer);
    };
  }
  Json answer = {{"dryRun", false},
                 {"engine", {{"reachable", true}, {"lastError", nullptr}}},
                 {"entries", Json::array()}};
};

TEST_F(ReconcileTest, SaysThatBothAgree) {
  EXPECT_EQ(run({"reconcile"}), kDone);
  EXPECT_THAT(agent.asked(), ElementsAre("POST /api/reconcile"));
  EXPECT_THAT(out.text, IsEmpty());
  EXPECT_EQ(err.text, "journal and engine agree\n");
}

TEST_F(ReconcileTest, PrintsARecordALine) {
  answer["entries"] = Json::array({entry("close", "done")});
  EXPECT_EQ(run({"reconcile"}), kDone);
  EXPECT_EQ(out.text, std::string("close\t") + kId + "\tc0ffee00c0ffee00c0ffee00\tresmgr-" + kId +
                          "\tready\tRunning\texited\trecord_ended\tdone\tits container ended\n");
  EXPECT_EQ(run({"reconcile", "--output", "csv"}), kDone);
  EXPECT_THAT(out.text, testing::StartsWith("class,taskId,containerId,containerName,phase,status,"
                                            "engine,action,outcome,reason\r\nclose,"));
  EXPECT_EQ(run({"reconcile", "--output", "json"}), kDone);
  EXPECT_EQ(Json::parse(out.text), answer);
}

TEST_F(ReconcileTest, ADryRunIsAskedForAndSaidToHaveDoneNothing) {
  out.terminal = true;
  answer["entries"] = Json::array({entry("close", "planned")});
  EXPECT_EQ(run({"reconcile", "--dry-run"}), kDone);
  EXPECT_THAT(agent.asked(), ElementsAre("POST /api/reconcile?dryRun=1"));
  EXPECT_THAT(out.text, HasSubstr("ACTION"));
  EXPECT_THAT(out.text, HasSubstr("record_ended"));
  EXPECT_THAT(out.text, HasSubstr("00000000abcd"));
  EXPECT_THAT(err.text, HasSubstr("nothing was done"));
}

TEST_F(ReconcileTest, WhatIsNotInTheJournalHasNoPhase) {
  Json foreign = entry("foreign", "left");
  foreign["taskId"] = nullptr;
  foreign["journal"] = nullptr;
  answer["entries"] = Json::array({foreign});
  EXPECT_EQ(run({"reconcile"}), kDone);
  EXPECT_THAT(out.text, testing::StartsWith("foreign\t\tc0ffee"));
  EXPECT_THAT(out.text, HasSubstr("\t\t\texited\t"));
}

TEST_F(ReconcileTest, AnythingUnknownIsAFailure) {
  answer["entries"] = Json::array({entry("close", "done"), entry("close", "unknown")});
  EXPECT_EQ(run({"reconcile"}), kFailed);
  answer["entries"] = Json::array({entry("unknown", "planned")});
  EXPECT_EQ(run({"reconcile", "--dry-run"}), kFailed);
  answer["entries"] = Json::array({entry("finish", "pending")});
  EXPECT_EQ(run({"reconcile"}), kDone);
}

TEST_F(ReconcileTest, AnEngineThatIsAwayIsSaidOnce) {
  answer["engine"] = {{"reachable", false}, {"lastError", "connection refused"}};
  answer["entries"] = Json::array({entry("unknown", "unknown"), entry("unknown", "unknown")});
  EXPECT_EQ(run({"reconcile"}), kFailed);
  EXPECT_EQ(err.text, "resmgr: the engine is away, nothing was done: connection refused\n");
}

class DrainTest : public CommandTest {
 protected:
  DrainTest() {
    agent.intercept = [this](const HttpRequest& request) -> std::optional<HttpResponse> {
      if (request.target == wire::kDrain) {
        body = parse_json(request.body, "body");
        return json_answer(200, {{"draining", true},
                                 {"drainReason", body.contains("reason") ? body["reason"] : Json()},
                                 {"drainedAt", "2026-11-22T16:04:05.000Z"}});
      }
      if (request.target == wire::kResume) return json_answer(200, {{"draining", false}});
      return std::nullopt;
    };
  }
  Json body;
};

TEST_F(DrainTest, ShowsWhatIsLeft) {
  agent.add_task("1");
  agent.add_task("2", TaskStatus::stopped);
  EXPECT_EQ(run({"drain", "--reason", "new kernel"}), kDone);
  EXPECT_EQ(body, Json({{"reason", "new kernel"}}));
  EXPECT_EQ(err.text, "starts are refused: new kernel\n");
  EXPECT_THAT(out.text, HasSubstr("00000001\tRunning"));
  EXPECT_THAT(out.text, Not(HasSubstr("Stopped")));
  EXPECT_EQ(run({"drain", "--output", "json"}), kDone);
  EXPECT_EQ(body, Json::object());
  const Json shown = Json::parse(out.text);
  EXPECT_EQ(shown["draining"], true);
  EXPECT_EQ(shown["tasks"].size(), 1U);
}

TEST_F(DrainTest, SaysThatNothingIsLeft) {
  out.terminal = true;
  EXPECT_EQ(run({"drain"}), kDone);
  EXPECT_EQ(err.text, "starts are refused\nno tasks are left\n");
}

TEST_F(DrainTest, ResumeSaysSo) {
  EXPECT_EQ(run({"resume"}), kDone);
  EXPECT_EQ(err.text, "starts are accepted\n");
  EXPECT_EQ(run({"resume", "--output", "json"}), kDone);
  EXPECT_EQ(out.text, "{\"draining\":false}\n");
}

TEST_F(DrainTest, IsForAdmins) {
  agent.intercept = [](const HttpRequest&) {
    return problem_answer(403, "forbidden", "cannot use '/api/host/drain': it is for admins alone");
  };
  EXPECT_EQ(run({"drain"}), kNotAllowed);
  EXPECT_EQ(run({"resume"}), kNotAllowed);
  EXPECT_EQ(run({"reconcile"}), kNotAllowed);
}

TEST_F(DrainTest, TheStatusTellsSinceWhenAndWhy) {
  out.terminal = true;
  agent.host = {
      {"draining", true}, {"drainReason", "new kernel"}, {"drainedAt", "2026-11-22T16:04:05.000Z"}};
  run({"status"});
  EXPECT_THAT(out.text, HasSubstr("starts are refused since "));
  EXPECT_THAT(out.text, HasSubstr(": new kernel"));
}

// A limit's figures are in its message; which tasks hold it stands below.
TEST_F(DrainTest, AFullLimitIsToldWithItsHolders) {
  agent.intercept = [](const HttpRequest&) {
    return problem_answer(
        409, "limit-tasks-per-user",
        "cannot start a task: the user has 1 of 1 tasks that may run at once",
        {{"limit", {{"name", "tasks_per_user"}, {"max", 1}, {"used", 1}}}, {"taskIds", {kId}}});
  };
  EXPECT_EQ(run({"start", "hello"}), kLimit);
  EXPECT_THAT(err.text, HasSubstr("1 of 1"));
  EXPECT_THAT(err.text, HasSubstr(std::string("task ") + kId));
}

class DoctorTest : public CommandTest {
 protected:
  DoctorTest() {
    agent.intercept = [this](const HttpRequest& request) -> std::optional<HttpResponse> {
      if (away) throw NotConnected("cannot connect");
      if (request.target == wire::kHost) return json_answer(200, {{"version", "1.2.3"}});
      if (request.target == wire::kHostChecks) return json_answer(200, checks);
      return std::nullopt;
    };
  }
  static Json check(const char* name, const char* state, Json hint = nullptr) {
    return {{"name", name},
            {"state", state},
            {"destination", nullptr},
            {"text", "as it is"},
            {"hint", std::move(hint)}};
  }

  bool away = false;
  Json checks = {check("engine", "ok"), check("clock", "warning", "install chrony")};
};

TEST_F(DoctorTest, AWarningIsNoFailure) {
  EXPECT_EQ(run({"doctor"}), kDone);
  EXPECT_THAT(out.text, HasSubstr("ok\tagent\t"));
  EXPECT_THAT(out.text, HasSubstr("version 1.2.3 answers"));
  EXPECT_THAT(out.text, HasSubstr("ok\tengine\t\tas it is\t\n"
                                  "warning\tclock\t\tas it is\tinstall chrony\n"));
  EXPECT_EQ(run({"doctor", "--output", "json"}), kDone);
  EXPECT_EQ(Json::parse(out.text)[2], checks[1]);
}

TEST_F(DoctorTest, SaysForEachHowToMendIt) {
  out.terminal = true;
  checks.push_back(check("journal", "failed", "free disk space"));
  EXPECT_EQ(run({"doctor"}), kFailed);
  EXPECT_THAT(out.text, HasSubstr("clock    as it is\n                  Try: install chrony\n"));
  EXPECT_THAT(out.text, HasSubstr("Try: free disk space\n"));
  EXPECT_EQ(run({"doctor", "--output", "csv"}), kFailed);
  EXPECT_THAT(out.text, testing::StartsWith("state,name,destination,text,hint\r\n"));
}

TEST_F(DoctorTest, AnAgentThatIsAwayIsWhatIsWrong) {
  away = true;
  EXPECT_EQ(run({"doctor"}), kFailed);
  EXPECT_THAT(out.text, testing::StartsWith("failed\tagent\t"));
  EXPECT_THAT(out.text, HasSubstr("cannot"));
}

}  // namespace
}  // namespace resmgr::cli
