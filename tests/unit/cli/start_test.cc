// `resmgr start`: waiting, giving up, and never leaving a task that nobody knows of.

#include "tests/unit/cli/command_test.h"

namespace resmgr::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

constexpr char kStarted[] = "019aaaaa-0000-7000-8000-000000005eed";  // the fake agent's next task
constexpr char kUrl[] = "http://127.0.0.1:49153/lab?token=s3cret";

class StartTest : public CommandTest {
 protected:
  // The started task gets this far once this much was waited.
  void after(Millis time, TaskStatus status, const std::string& reason = {}) {
    on_wait = [this, time, status, reason](Millis waited) {
      Task* const task = agent.find(kStarted);
      if (task != nullptr && task->status == TaskStatus::starting && waited >= time) {
        task->status = status;
        task->status_reason = reason;
        task->start_time = task->created_at;
        agent.urls[kStarted] = kUrl;
      }
      return false;
    };
  }
  std::string key_of(int post) const {
    for (const HttpRequest& request : agent.requests()) {
      if (request.method != "POST" || post-- > 0) continue;
      for (const auto& [name, value] : request.headers) {
        if (name == "Idempotency-Key") return value;
      }
    }
    return {};
  }
};

TEST_F(StartTest, InAPipeIsTsv) {
  after(Millis{300}, TaskStatus::running);
  EXPECT_EQ(run({"start", "jupyter"}), kDone);
  EXPECT_EQ(out.text, std::string(kStarted) + "\tRunning\t" + kUrl + "\n");
  EXPECT_EQ(err.text, "");
  const auto requests = agent.requests();
  EXPECT_EQ(requests.front().body, R"({"serviceType":"jupyter"})");
  EXPECT_EQ(requests.front().content_type, "application/json");
  EXPECT_THAT(requests.front().headers,
              ::testing::Contains(std::pair<std::string, std::string>("Prefer", "respond-async")));
  EXPECT_EQ(key_of(0).size(), 32u);
}

TEST_F(StartTest, OnATerminalTheUrlComesLast) {
  out.terminal = true;
  variables["NO_COLOR"] = "1";
  after(Millis{300}, TaskStatus::running);
  EXPECT_EQ(run({"start", "jupyter"}), kDone);
  EXPECT_THAT(out.text, StartsWith("jupyter 000000005eed is Running after 3"));
  EXPECT_TRUE(out.text.ends_with(std::string("ms\n") + kUrl + "\n")) << out.text;
}

TEST_F(StartTest, QuietIsTheId) {
  out.terminal = err.terminal = true;
  after(Millis{300}, TaskStatus::running);
  EXPECT_EQ(run({"start", "jupyter", "-q"}), kDone);
  EXPECT_EQ(out.text, std::string(kStarted) + "\n");
  EXPECT_EQ(err.text, "");
}

TEST_F(StartTest, JsonIsTheTaskAndCsvHasAHeader) {
  after(Millis{0}, TaskStatus::running);
  EXPECT_EQ(run({"start", "jupyter", "-o", "json"}), kDone);
  EXPECT_EQ(parse_json(out.text, "output")["iframeUrl"], kUrl);
  agent.tasks.clear();
  EXPECT_EQ(run({"start", "jupyter", "-o", "csv"}), kDone);
  EXPECT_EQ(out.text,
            std::string("taskId,status,iframeUrl\r\n") + kStarted + ",Running," + kUrl + "\r\n");
}

TEST_F(StartTest, AddsLittleToTheStart) {
  after(Millis{800}, TaskStatus::running);
  const Millis begin = clock.since_boot();
  EXPECT_EQ(run({"start", "jupyter"}), kDone);
  EXPECT_LE((clock.since_boot() - begin).count(), 900) << "an eighth at most";
  EXPECT_LE(agent.count("GET"), 50) << "and few questions";
}

TEST_F(StartTest, LongWaitsCostFewQuestions) {
  after(Millis{300'000}, TaskStatus::running);
  EXPECT_EQ(run({"start", "jupyter"}), kDone);
  EXPECT_LE(agent.count("GET"), 1300);
}

TEST_F(StartTest, ProgressSaysWhatIsWaitedFor) {
  err.terminal = true;
  agent.events_of[kStarted] = {{{"type", "task.start_requested"}}, {{"type", "task.started"}}};
  after(Millis{300}, TaskStatus::running);
  EXPECT_EQ(run({"start", "jupyter"}), kDone);
  EXPECT_THAT(err.text, HasSubstr("\r\x1b[Kjupyter: preparing its container"));
  EXPECT_THAT(err.text, HasSubstr("\r\x1b[Kjupyter: waiting until it is ready"));
  EXPECT_TRUE(err.text.ends_with("\r\x1b[K")) << "it leaves nothing behind";
}

TEST_F(StartTest, ProgressOfAPullHasABar) {
  err.terminal = true;
  const auto pull = [this](const Json& members) {
    agent.progress_of[kStarted] = {{"step", "pulling"}, {"pull", members}};
    after(Millis{300}, TaskStatus::running);
    agent.tasks.clear();
    EXPECT_EQ(run({"start", "jupyter"}), kDone);
    return err.text;
  };
  EXPECT_THAT(
      pull({{"doneBytes", 47'185'920}, {"totalBytes", 104'857'600}, {"status", "Downloading"}}),
      HasSubstr("\r\x1b[Kjupyter: pulling its image [#########...........] 45 %, 45 MiB of "
                "100 MiB "));
  EXPECT_THAT(pull({{"doneBytes", 1'024}, {"totalBytes", 1'024}, {"status", "Extracting"}}),
              HasSubstr("[####################] 100 %, 1 KiB of 1 KiB, Extracting "));
  EXPECT_THAT(pull({{"doneBytes", 0}, {"totalBytes", nullptr}, {"status", "Pulling fs layer"}}),
              HasSubstr("jupyter: pulling its image: Pulling fs layer "));
  EXPECT_THAT(pull(nullptr), HasSubstr("jupyter: pulling its image "));
  EXPECT_TRUE(err.text.ends_with("\r\x1b[K"));
}

TEST_F(StartTest, ProgressTellsTheStep) {
  err.terminal = true;
  for (const auto& [step, words] :
       std::map<std::string, std::string>{{"queued", "waiting for its turn"},
                                          {"creating", "creating its container"},
                                          {"starting", "starting its container"},
                                          {"probing", "waiting until it is ready"},
                                          {"a later agent's", "preparing its container"}}) {
    agent.progress_of[kStarted] = {{"step", step}, {"since", "2026-11-22T17:04:05.123Z"}};
    after(Millis{300}, TaskStatus::running);
    agent.tasks.clear();
    EXPECT_EQ(run({"start", "jupyter"}), kDone);
    EXPECT_THAT(err.text, HasSubstr("\r\x1b[Kjupyter: " + words)) << step;
  }
}

// What a script reads stays as it is.
TEST_F(StartTest, ProgressStandsInNoPipe) {
  agent.progress_of[kStarted] = {{"step", "pulling"}};
  after(Millis{300}, TaskStatus::running);
  EXPECT_EQ(run({"start", "jupyter"}), kDone);
  EXPECT_EQ(err.text, "");
  agent.tasks.clear();
  EXPECT_EQ(run({"start", "jupyter", "-o", "json"}), kDone);
  EXPECT_FALSE(parse_json(out.text, "output").contains("progress"));
}

TEST_F(StartTest, ProgressFitsIntoTheLine) {
  err.terminal = true;
  err.columns = 20;
  after(Millis{300}, TaskStatus::running);
  EXPECT_EQ(run({"start", "jupyter"}), kDone);
  EXPECT_THAT(err.text, HasSubstr("\r\x1b[Kjupyter: preparing…\r\x1b[K"));
}

TEST_F(StartTest, WithoutWaiting) {
  EXPECT_EQ(run({"start", "jupyter", "--no-wait"}), kDone);
  EXPECT_EQ(out.text, std::string(kStarted) + "\tStarting\t\n");
  EXPECT_EQ(agent.count("GET"), 0);
}

TEST_F(StartTest, ForAnotherUser) {
  after(Millis{0}, TaskStatus::running);
  EXPECT_EQ(run({"start", "jupyter", "--user", kBob}), kDone);
  EXPECT_EQ(agent.requests().front().body,
            R"({"serviceType":"jupyter","userId":"22222222-2222-4222-8222-222222222222"})");
}

TEST_F(StartTest, AServiceMayBeCalledLikeACommand) {
  after(Millis{0}, TaskStatus::running);
  EXPECT_EQ(run({"start", "list"}), kDone);
  EXPECT_EQ(agent.requests().front().body, R"({"serviceType":"list"})");
}

TEST_F(StartTest, FailureIsTheAgentsReason) {
  after(Millis{100}, TaskStatus::error, "no answer on port 8888 within 1m 00s");
  EXPECT_EQ(run({"start", "jupyter"}), kNotReady);
  EXPECT_EQ(out.text, "");
  EXPECT_EQ(err.text,
            "resmgr: cannot start service 'jupyter': no answer on port 8888 within 1m 00s\n"
            "Try: resmgr logs 000000005eed\n");
  EXPECT_EQ(agent.count("POST"), 2) << "the repeated start tells what became of the first";
  EXPECT_EQ(key_of(0), key_of(1));
}

TEST_F(StartTest, StoppedByOthersMeanwhile) {
  after(Millis{100}, TaskStatus::stopped);
  EXPECT_EQ(run({"start", "jupyter"}), kFailed);
  EXPECT_THAT(err.text, HasSubstr("it was stopped before it was ready"));
}

TEST_F(StartTest, RefusalsKeepTheirExitCodes) {
  agent.intercept = [](const HttpRequest&) {
    return problem_answer(
        409, "limit-tasks-per-user",
        "cannot start 'jupyter': 1 task is the most that a user may have",
        {{"taskIds", {"019aaaaa-0000-7000-8000-000000000001"}}, {"hint", "stop one of them"}});
  };
  EXPECT_EQ(run({"start", "jupyter"}), kLimit);
  EXPECT_EQ(err.text,
            "resmgr: cannot start 'jupyter': 1 task is the most that a user may have\n"
            "  task 019aaaaa-0000-7000-8000-000000000001\n"
            "Try: stop one of them\n");
  agent.intercept = [](const HttpRequest&) {
    return problem_answer(
        400, "invalid-request", "cannot start a task: the request is wrong",
        {{"errors", {{{"pointer", "/serviceType"}, {"detail", "no such service"}}}}});
  };
  EXPECT_EQ(run({"start", "jupiter"}), kUsage);
  EXPECT_THAT(err.text, HasSubstr("\n  /serviceType: no such service\n"));
}

TEST_F(StartTest, InterruptStopsTheTaskAndWaits) {
  on_wait = [](Millis waited) { return waited >= Millis{500}; };
  EXPECT_EQ(run({"start", "jupyter"}), kInterrupted);
  EXPECT_EQ(out.text, "");
  EXPECT_EQ(err.text,
            "resmgr: cannot start 'jupyter': interrupted; task '000000005eed' was stopped\n");
  EXPECT_EQ(agent.asked().back(), std::string("DELETE /api/tasks/") + kStarted);
  EXPECT_EQ(agent.find(kStarted)->status, TaskStatus::stopped);
  EXPECT_GE(endpoints.back().read_timeout, Millis{60'000}) << "a stop may take its time";
  EXPECT_THAT(last_words.back(), HasSubstr(std::string("resmgr stop ") + kStarted))
      << "for a second Ctrl-C";
}

TEST_F(StartTest, InterruptBeforeAnythingWasAskedFor) {
  on_wait = [](Millis) { return true; };
  EXPECT_EQ(run({"start", "jupyter"}), kInterrupted);
  EXPECT_EQ(err.text, "resmgr: cannot start 'jupyter': interrupted\n");
  EXPECT_THAT(agent.asked(), IsEmpty());
}

TEST_F(StartTest, InterruptWithoutWaitingToo) {
  on_wait = [this](Millis) { return !agent.tasks.empty(); };
  EXPECT_EQ(run({"start", "jupyter", "--no-wait"}), kInterrupted);
  EXPECT_EQ(agent.count("DELETE"), 1);
}

TEST_F(StartTest, AStopThatFailsIsSaid) {
  on_wait = [this](Millis) { return !agent.tasks.empty(); };
  agent.intercept = [](const HttpRequest& request) -> std::optional<HttpResponse> {
    if (request.method != "DELETE") return std::nullopt;
    return problem_answer(503, "stop-recorded", "cannot stop it just now: the engine is away");
  };
  EXPECT_EQ(run({"start", "jupyter"}), kInterrupted);
  EXPECT_EQ(err.text, std::string("resmgr: cannot start 'jupyter': interrupted; task ") + kStarted +
                          " may still run: cannot stop it just now: the engine is away\n"
                          "Try: resmgr stop " +
                          kStarted + "\n");
}

TEST_F(StartTest, TimeoutStopsTheTask) {
  EXPECT_EQ(run({"start", "jupyter", "--timeout", "1m30s"}), kNotReady);
  EXPECT_EQ(err.text,
            "resmgr: cannot start 'jupyter': not ready within 1m 30s; task '000000005eed' was "
            "stopped\nTry: a longer --timeout\n");
  EXPECT_EQ(agent.find(kStarted)->status, TaskStatus::stopped);
}

TEST_F(StartTest, TimeoutIsChecked) {
  EXPECT_EQ(run({"start", "jupyter", "--timeout", "30"}), kUsage);
  EXPECT_EQ(run({"start", "jupyter", "--timeout", "0s"}), kUsage);
  EXPECT_EQ(agent.count("POST"), 0);
}

TEST_F(StartTest, ALostAnswerIsAskedForAgain) {
  int posts = 0;
  agent.intercept = [&](const HttpRequest& request) -> std::optional<HttpResponse> {
    if (request.method == "POST" && posts++ == 0) {
      throw Error(ErrorKind::unavailable, "cannot get answer to POST from 'x': closed");
    }
    return std::nullopt;
  };
  after(Millis{300}, TaskStatus::running);
  EXPECT_EQ(run({"start", "jupyter"}), kDone);
  EXPECT_EQ(agent.count("POST"), 2);
  EXPECT_EQ(key_of(0), key_of(1)) << "a second task must not come of it";
}

TEST_F(StartTest, InterruptWhileTheAnswerIsLostStillStopsTheTask) {
  int posts = 0;
  agent.intercept = [&](const HttpRequest& request) -> std::optional<HttpResponse> {
    if (request.method == "POST" && posts++ < 3) {
      throw Error(ErrorKind::unavailable, "cannot get answer to POST from 'x': closed");
    }
    return std::nullopt;
  };
  on_wait = [&posts](Millis) { return posts > 0; };
  EXPECT_EQ(run({"start", "jupyter"}), kInterrupted);
  EXPECT_EQ(agent.count("POST"), 4);
  EXPECT_EQ(agent.find(kStarted)->status, TaskStatus::stopped);
}

TEST_F(StartTest, AnAnswerThatNeverComesIsReportedHonestly) {
  agent.intercept = [](const HttpRequest&) -> std::optional<HttpResponse> {
    throw Error(ErrorKind::unavailable, "cannot get answer to POST from 'x': closed");
  };
  EXPECT_EQ(run({"start", "jupyter"}), kUnreachable);
  EXPECT_THAT(err.text, HasSubstr("; the start may have been accepted\n"));
  EXPECT_THAT(err.text, HasSubstr("--idempotency-key " + key_of(0)));
  on_wait = [](Millis waited) { return waited > Millis{0}; };
  EXPECT_EQ(run({"start", "jupyter"}), kInterrupted);
}

TEST_F(StartTest, WithoutAConnectionNothingIsRepeated) {
  agent.intercept = [](const HttpRequest&) -> std::optional<HttpResponse> {
    throw NotConnected("cannot connect to 'unix:///run/resmgr/agent.sock': connection refused");
  };
  EXPECT_EQ(run({"start", "jupyter"}), kUnreachable);
  EXPECT_EQ(agent.count("POST"), 1);
  EXPECT_EQ(err.text,
            "resmgr: cannot reach agent '/run/resmgr/agent.sock': connection refused\n"
            "Try: systemctl status resmgr-agent, or name another agent with --agent or "
            "RESMGR_AGENT\n");
}

TEST_F(StartTest, AnAgentThatRestartsIsWaitedFor) {
  int looks = 0;
  agent.intercept = [&](const HttpRequest& request) -> std::optional<HttpResponse> {
    if (request.method == "GET" && looks++ < 20) {
      throw NotConnected("cannot connect to 'x': connection refused");
    }
    return std::nullopt;
  };
  after(Millis{0}, TaskStatus::running);
  EXPECT_EQ(run({"start", "jupyter"}), kDone);
}

TEST_F(StartTest, AnAgentThatStaysAwayIsNot) {
  agent.intercept = [&](const HttpRequest& request) -> std::optional<HttpResponse> {
    if (request.method == "POST") return std::nullopt;
    throw NotConnected("cannot connect to 'x': connection refused");
  };
  EXPECT_EQ(run({"start", "jupyter"}), kUnreachable);
  EXPECT_THAT(err.text, HasSubstr(std::string("Try: resmgr show ") + kStarted));
}

TEST_F(StartTest, UnlessItRuns) {
  agent.add_task("1", TaskStatus::running, "jupyter").user_id = kBob;
  agent.add_task("2", TaskStatus::running, "hello");
  const std::string mine = agent.add_task("3", TaskStatus::running, "jupyter").task_id;
  agent.urls[mine] = kUrl;
  agent.add_task("4", TaskStatus::stopped, "jupyter");
  EXPECT_EQ(run({"start", "jupyter", "--if-not-running"}), kDone);
  EXPECT_EQ(out.text, mine + "\tRunning\t" + kUrl + "\n");
  EXPECT_EQ(agent.count("POST"), 0);
  EXPECT_THAT(agent.asked().front(), HasSubstr("userId=me"));
}

TEST_F(StartTest, UnlessItRunsStartsWhereNothingDoes) {
  agent.add_task("1", TaskStatus::running, "jupyter").user_id = kBob;
  after(Millis{0}, TaskStatus::running);
  EXPECT_EQ(run({"start", "jupyter", "--if-not-running", "-q"}), kDone);
  EXPECT_EQ(out.text, std::string(kStarted) + "\n");
}

TEST_F(StartTest, WhatWasThereBeforeIsNotStopped) {
  const std::string mine = agent.add_task("3", TaskStatus::starting, "jupyter").task_id;
  on_wait = [](Millis) { return true; };
  EXPECT_EQ(run({"start", "jupyter", "--if-not-running"}), kInterrupted);
  EXPECT_THAT(err.text, HasSubstr("interrupted; task '000000000003' goes on"));
  EXPECT_EQ(agent.count("DELETE"), 0);
  on_wait = nullptr;
  EXPECT_EQ(run({"start", "jupyter", "--if-not-running", "--timeout", "1s"}), kNotReady);
  EXPECT_EQ(agent.count("DELETE"), 0);
}

TEST_F(StartTest, KeysOfTheCallerAreUsed) {
  after(Millis{0}, TaskStatus::running);
  EXPECT_EQ(run({"start", "jupyter", "--idempotency-key", "nightly-1", "-q"}), kDone);
  EXPECT_EQ(run({"start", "jupyter", "--idempotency-key", "nightly-1", "-q"}), kDone);
  EXPECT_EQ(out.text, std::string(kStarted) + "\n");
  EXPECT_EQ(agent.tasks.size(), 1u);
}

TEST_F(StartTest, EscapeSequencesOfTheAgentStayText) {
  out.terminal = true;
  variables["NO_COLOR"] = "1";
  after(Millis{0}, TaskStatus::running);
  agent.intercept = [this](const HttpRequest&) -> std::optional<HttpResponse> {
    if (Task* const task = agent.find(kStarted)) agent.urls[kStarted] = "http://x/\x1b[2J";
    return std::nullopt;
  };
  EXPECT_EQ(run({"start", "jupyter"}), kDone);
  EXPECT_THAT(out.text, Not(HasSubstr("\x1b")));
}

}  // namespace
}  // namespace resmgr::cli
