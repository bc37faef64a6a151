// `resmgr list --watch`. It runs until its reader goes away, which each test arranges.

#include <atomic>
#include <condition_variable>
#include <mutex>

#include "common/wire.h"
#include "tests/unit/cli/command_test.h"

namespace resmgr::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr char kWatchId1[] = "019aaaaa-0000-7000-8000-000000000001";
constexpr char kWatchId2[] = "019aaaaa-0000-7000-8000-000000000002";

class WatchTest : public CommandTest {
 protected:
  WatchTest() {
    agent.add_task("1");
    variables["NO_COLOR"] = "1";
  }

  // The stream stays open until the command ends.
  void stream_stays_open() {
    agent.while_streaming = [](const auto&, const std::stop_token& stop) {
      std::mutex mutex;
      std::condition_variable_any ended;
      std::unique_lock lock(mutex);
      ended.wait(lock, stop, [] { return false; });
    };
  }
  // The reader of the pipe goes away with this write.
  void close_output_at(int write) {
    writes_ = 0;
    out.before_write = [this, write] {
      if (++writes_ >= write) throw OutputClosed();
    };
  }
  void happens(std::int64_t seq, const Task& task) {
    agent.event_lines.push_back(dump_json({{"seq", seq},
                                           {"time", "2026-11-22T17:04:05.000Z"},
                                           {"type", "task.changed"},
                                           {"taskId", task.task_id},
                                           {"task", wire::task_to_json(task)}}));
  }
  Task at(TaskStatus status, std::string id = kWatchId2) {
    Task task = agent.tasks.front();
    task.task_id = std::move(id);
    task.status = status;
    return task;
  }

  int writes_ = 0;
};

TEST_F(WatchTest, InAPipeIsWhatThereIsAndThenALineAChange) {
  stream_stays_open();
  happens(42, at(TaskStatus::starting));
  happens(43, at(TaskStatus::running));
  happens(44, at(TaskStatus::stopping, kWatchId1));
  happens(45, at(TaskStatus::stopped, kWatchId1));
  close_output_at(6);
  happens(46, at(TaskStatus::stopped));
  EXPECT_EQ(run({"list", "--watch", "--quiet"}), kDone);
  EXPECT_EQ(out.text, std::string(kWatchId1) + "\n" + kWatchId2 + "\n" + kWatchId2 + "\n" +
                          kWatchId1 + "\n" + kWatchId1 + "\n");
  EXPECT_EQ(agent.asked().back(),
            "GET /api/events?since=41&journal=0a0a0a0a-0000-4000-8000-000000000000&follow=1")
      << "from where the list was read";
}

TEST_F(WatchTest, ChangesThatWereListedAlreadyAreNotRepeated) {
  stream_stays_open();
  happens(40, at(TaskStatus::starting, kWatchId1));
  happens(41, agent.tasks.front());
  happens(42, at(TaskStatus::running));
  close_output_at(3);
  happens(43, at(TaskStatus::stopping));
  EXPECT_EQ(run({"list", "--watch", "-q"}), kDone);
  EXPECT_EQ(out.text, std::string(kWatchId1) + "\n" + kWatchId2 + "\n");
}

TEST_F(WatchTest, FiltersHoldForWhatIsNew) {
  stream_stays_open();
  Task of_bob = at(TaskStatus::running, "019aaaaa-0000-7000-8000-00000000000b");
  of_bob.user_id = kBob;
  Task jupyter = at(TaskStatus::running, "019aaaaa-0000-7000-8000-00000000000c");
  jupyter.service_type = "jupyter";
  happens(42, of_bob);
  happens(43, jupyter);
  happens(44, at(TaskStatus::error, "019aaaaa-0000-7000-8000-00000000000d"));
  happens(45, at(TaskStatus::starting));
  close_output_at(3);
  happens(46, at(TaskStatus::running));
  EXPECT_EQ(run({"list", "--watch", "-q", "--user", kAlice, "--service", "hello"}), kDone);
  EXPECT_EQ(out.text, std::string(kWatchId1) + "\n" + kWatchId2 + "\n");
}

TEST_F(WatchTest, JsonIsATextALine) {
  stream_stays_open();
  close_output_at(2);
  happens(42, at(TaskStatus::starting));
  EXPECT_EQ(run({"list", "--watch", "-o", "json"}), kDone);
  EXPECT_EQ(parse_json(out.text, "output")["taskId"], kWatchId1);
  EXPECT_EQ(out.text.back(), '\n');
}

TEST_F(WatchTest, EventsOfThePastAreReadAgainAfterAResync) {
  stream_stays_open();
  agent.intercept = [this](const HttpRequest& request) -> std::optional<HttpResponse> {
    if (request.target.starts_with(wire::kEvents)) agent.add_task("2");
    return std::nullopt;
  };
  agent.event_lines = {
      R"({"type":"resync","journal":"0b0b0b0b-0000-4000-8000-000000000000","seq":3})"};
  close_output_at(3);
  // The second write is the task that came meanwhile; the third never comes by itself.
  out.before_write = [this] {
    if (++writes_ == 2) throw OutputClosed();
  };
  EXPECT_EQ(run({"list", "--watch", "-q"}), kDone);
  EXPECT_GE(agent.count("GET /api/tasks?"), 2);
}

TEST_F(WatchTest, WithoutEventsItLooksAgain) {
  int lists = 0;
  agent.intercept = [&](const HttpRequest& request) -> std::optional<HttpResponse> {
    if (request.target.starts_with(wire::kEvents)) {
      return problem_answer(503, "too-many-followers", "too many follow the events");
    }
    if (request.target.starts_with("/api/tasks?") && ++lists == 2) {
      agent.find(kWatchId1)->status = TaskStatus::stopped;
    }
    return std::nullopt;
  };
  out.before_write = [this] {
    if (++writes_ == 3) throw OutputClosed();
    if (writes_ == 2) agent.add_task("2");
  };
  EXPECT_EQ(run({"list", "--watch"}), kDone);
  EXPECT_THAT(out.text, StartsWith(std::string(kWatchId1) + "\tRunning\t"));
  EXPECT_THAT(out.text, HasSubstr(std::string("\n") + kWatchId1 + "\tStopped\t"))
      << "what is no longer listed has ended";
}

TEST_F(WatchTest, AnAgentThatGoesAwayIsWaitedFor) {
  int lists = 0;
  agent.intercept = [&](const HttpRequest& request) -> std::optional<HttpResponse> {
    if (request.target.starts_with(wire::kEvents)) {
      throw NotConnected("cannot connect to 'x': connection refused");
    }
    if (request.target.starts_with("/api/tasks?")) {
      ++lists;
      if (lists == 2) throw NotConnected("cannot connect to 'x': connection refused");
      if (lists == 3) agent.add_task("2");
    }
    return std::nullopt;
  };
  close_output_at(2);
  EXPECT_EQ(run({"list", "--watch"}), kDone);
  EXPECT_THAT(err.text, HasSubstr("connection refused; waiting for it\n"));
}

TEST_F(WatchTest, TheFirstAnswerMustCome) {
  agent.intercept = [](const HttpRequest&) -> std::optional<HttpResponse> {
    throw NotConnected("cannot connect to 'x': connection refused");
  };
  EXPECT_EQ(run({"list", "--watch"}), kUnreachable);
}

TEST_F(WatchTest, ARefusalEndsIt) {
  int lists = 0;
  agent.intercept = [&](const HttpRequest& request) -> std::optional<HttpResponse> {
    if (request.target.starts_with(wire::kTasks) && ++lists == 1) return std::nullopt;
    return problem_answer(401, "unauthenticated", "the token has expired");
  };
  EXPECT_EQ(run({"list", "--watch"}), kNotAllowed);
}

TEST_F(WatchTest, OnATerminalTheTableIsDrawnAgain) {
  stream_stays_open();
  out.terminal = true;
  agent.intercept = [this](const HttpRequest& request) -> std::optional<HttpResponse> {
    if (request.target.starts_with(wire::kEvents)) agent.add_task("2");
    return std::nullopt;
  };
  happens(42, at(TaskStatus::running));
  close_output_at(4);
  EXPECT_EQ(run({"list", "--watch"}), kDone);
  EXPECT_THAT(out.text, StartsWith("\033[2J\033[HTASK"));
  const std::string last = out.text.substr(out.text.rfind("\033[H"));
  EXPECT_THAT(last, HasSubstr("000000000001"));
  EXPECT_THAT(last, HasSubstr("000000000002"));
  EXPECT_TRUE(last.ends_with("\033[K\n\033[J")) << "what stood there before is cleared";
}

}  // namespace
}  // namespace resmgr::cli
