// Running tasks are warned and stopped: by the clock of the test, through the task service.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "agent/tasks/idle_watch.h"
#include "common/error.h"
#include "common/event.h"
#include "common/json.h"
#include "tests/support/thrown.h"
#include "tests/unit/tasks/world.h"

namespace resmgr::tasks {
namespace {

using support::error_of;

using namespace std::chrono_literals;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

// So long that no timer of the service's own is ever due while a test runs.
constexpr Millis kInterval = 10min;

constexpr char kService[] = R"(
  name = "web"
  title = "Web"
  image = "web:1"
  container_port = 8080
  probe = "none"
)";

class IdleWatchTest : public testing::Test {
 protected:
  IdleWatchTest() { world.options.sample_interval = kInterval; }

  // Boots with these tables in the service's definition, and starts a task.
  std::string run_with(const std::string& tables) {
    world.set_catalog(kService + tables);
    world.boot();
    return world.run().task.task_id;
  }

  // Time passes, with a look in each interval. A busy task computes for a tenth of it.
  void pass(Millis time, const std::string& busy_id = "") {
    for (Millis passed{0}; passed < time; passed += kInterval) {
      world.clock.advance(kInterval);
      if (!busy_id.empty() && runs(busy_id)) {
        stats.cpu_time += kInterval / 10;
        world.engine.set_stats(world.name(busy_id), stats);
      }
      world.service->sample_now();
    }
  }

  bool runs(const std::string& id) const { return world.row(id).phase == journal::Phase::ready; }

  int count(const std::string& id, const std::string& type) const {
    const auto types = world.event_types(id);
    return static_cast<int>(std::count(types.begin(), types.end(), type));
  }
  Event last(const std::string& id, const std::string& type) const {
    Event found;
    world.journal.read([&](journal::Reader& reader) {
      for (const auto& event : reader.events_of(id)) {
        if (event.type == type) found = event;
      }
    });
    return found;
  }

  World world;
  engine::Stats stats;
};

constexpr char kIdle[] = "[idle]\ntimeout = \"2h\"\nwarn = \"30m\"\n";

TEST_F(IdleWatchTest, AnIdleTaskIsWarnedAndThenStopped) {
  const auto id = run_with(kIdle);
  const Instant begin = world.clock.now();
  pass(3h);
  ASSERT_FALSE(runs(id));
  const auto row = world.wait_ended(id);
  EXPECT_EQ(row.task.status, TaskStatus::stopped);
  EXPECT_EQ(row.ended_by, ended_by::kIdle);
  EXPECT_THAT(row.task.status_reason, HasSubstr("was idle for 2h"));

  EXPECT_EQ(count(id, event_type::kIdleWarning), 1);
  const Event warning = last(id, event_type::kIdleWarning);
  const Event stop = last(id, event_type::kStopRequested);
  EXPECT_GE(warning.time - begin, 90min);
  EXPECT_GE(stop.time - warning.time, 30min);
  EXPECT_GE(stop.time - begin, 2h);
  EXPECT_LT(warning.seq, stop.seq);
  const Json details = parse_json(warning.details, "details");
  EXPECT_EQ(string_or(details, "cause"), "idle");
  EXPECT_THAT(string_or(details, "reason"), HasSubstr("will be stopped in 30m"));
}

TEST_F(IdleWatchTest, ABusyTaskIsNeverStopped) {
  const auto id = run_with(kIdle);
  pass(100h, id);
  EXPECT_TRUE(runs(id));
  EXPECT_EQ(count(id, event_type::kIdleWarning), 0);
}

TEST_F(IdleWatchTest, UseWithdrawsAWarning) {
  const auto id = run_with(kIdle);
  pass(110min);
  ASSERT_EQ(count(id, event_type::kIdleWarning), 1);
  pass(kInterval, id);
  EXPECT_EQ(count(id, event_type::kIdleWarningWithdrawn), 1);
  pass(100min);
  EXPECT_TRUE(runs(id));
  EXPECT_EQ(count(id, event_type::kIdleWarningWithdrawn), 1);
}

// Unknown is never idle.
TEST_F(IdleWatchTest, NothingIsStoppedWhileTheEngineIsAway) {
  const auto id = run_with(std::string(kIdle) + "[lifetime]\nmax = \"4h\"\n");
  pass(1h);
  world.engine.set_reachable(false);
  ASSERT_TRUE(support::eventually([&] { return !world.service->engine_health().reachable; }));
  pass(10h);
  EXPECT_TRUE(runs(id));
  EXPECT_EQ(count(id, event_type::kStopRequested), 0);
  const IdleReport report = world.service->why(id);
  EXPECT_THAT(report.verdict.idle_outlook, HasSubstr("unknown"));

  // Its lifetime goes on while nobody looks.
  world.engine.set_reachable(true);
  ASSERT_TRUE(support::eventually([&] { return world.service->engine_health().reachable; }));
  pass(kInterval);
  EXPECT_EQ(world.wait_ended(id).ended_by, ended_by::kLifetime);
}

TEST_F(IdleWatchTest, AnEngineThatGivesNoSampleLeavesTheTaskAlone) {
  const auto id = run_with(kIdle);
  world.engine.fail_next(engine::Op::stats, Error(ErrorKind::unavailable, "no answer"), 1'000);
  pass(10h);
  EXPECT_TRUE(runs(id));
}

TEST_F(IdleWatchTest, TouchingIsUse) {
  const auto id = run_with(kIdle);
  for (int i = 0; i < 10; ++i) {
    pass(80min);
    world.service->touch(id);
  }
  EXPECT_TRUE(runs(id));
  EXPECT_EQ(count(id, event_type::kIdleWarning), 0);
  pass(130min);
  EXPECT_FALSE(runs(id));
}

TEST_F(IdleWatchTest, AnOldTaskIsStoppedThoughItIsInUse) {
  const auto id = run_with("[idle]\nwarn = \"30m\"\n[lifetime]\nmax = \"3h\"\n");
  pass(160min, id);
  EXPECT_TRUE(runs(id));
  EXPECT_EQ(count(id, event_type::kIdleWarning), 1);
  EXPECT_EQ(string_or(parse_json(last(id, event_type::kIdleWarning).details, ""), "cause"),
            "lifetime");
  pass(30min, id);
  const auto row = world.wait_ended(id);
  EXPECT_EQ(row.ended_by, ended_by::kLifetime);
  EXPECT_EQ(row.task.status, TaskStatus::stopped);
  EXPECT_EQ(row.task.status_reason, "reached its maximum lifetime of 3h");
}

TEST_F(IdleWatchTest, AnExtensionPutsBothLimitsOffAndSurvivesARestart) {
  const auto id = run_with(std::string(kIdle) + "[lifetime]\nmax = \"4h\"\n");
  pass(20min);
  world.service->extend(id, 10h, kAlice);
  const Json details = parse_json(last(id, event_type::kExtended).details, "details");
  EXPECT_EQ(string_or(details, "duration"), "PT10H");
  EXPECT_EQ(string_or(details, "requestedBy"), kAlice);

  world.boot();  // another process: what was in memory is gone
  pass(11h);
  EXPECT_TRUE(runs(id));
  pass(4h);
  EXPECT_FALSE(runs(id));
}

TEST_F(IdleWatchTest, ExtensionsAddUp) {
  const auto id = run_with("[lifetime]\nmax = \"4h\"\n");
  world.service->extend(id, 1h, kAlice);
  world.service->extend(id, 1h, kAlice);
  const auto report = world.service->why(id);
  EXPECT_EQ(report.verdict.lifetime_stop_at, world.clock.now() + 6h);
  EXPECT_FALSE(report.facts.extended.idle_until);
}

TEST_F(IdleWatchTest, AnExtensionWithdrawsAWarning) {
  const auto id = run_with(kIdle);
  pass(110min);
  ASSERT_EQ(count(id, event_type::kIdleWarning), 1);
  world.service->extend(id, 3h, kAlice);
  pass(1h);
  EXPECT_EQ(count(id, event_type::kIdleWarningWithdrawn), 1);
  EXPECT_TRUE(runs(id));
}

TEST_F(IdleWatchTest, WhatHasNoLimitIsNotExtended) {
  const auto id = run_with("");
  const Error error = error_of([&] { world.service->extend(id, 1h, kAlice); });
  EXPECT_EQ(error.kind(), ErrorKind::conflict);
  EXPECT_EQ(error.problem, "nothing-to-extend");
  pass(100h);
  EXPECT_TRUE(runs(id));
  EXPECT_THAT(world.event_types(id), Not(Contains(event_type::kExtended)));
}

TEST_F(IdleWatchTest, WhatDoesNotRunHasNoLimits) {
  const auto id = run_with(kIdle);
  world.service->stop(id, "user", kAlice);
  world.wait_ended(id);
  for (const auto& act : std::vector<std::function<void()>>{
           [&] { world.service->touch(id); }, [&] { world.service->extend(id, 1h, kAlice); },
           [&] { world.service->why(id); }}) {
    const Error error = error_of(act);
    EXPECT_EQ(error.kind(), ErrorKind::conflict);
    EXPECT_EQ(error.problem, "not-running");
  }
  EXPECT_EQ(error_of([&] { world.service->touch("none"); }).kind(), ErrorKind::not_found);
}

// Before it is asked how it is used, and given its secret, the engine is asked where it is: a port
// that was freed is given to the next container (hazard 7).
TEST_F(IdleWatchTest, EachProbeAsksTheEngineForThePort) {
  world.options.publish_address = "127.255.255.254";  // where nobody listens
  const auto id = run_with(std::string(kIdle) + "probe = \"jupyter\"\n");
  // By then its lane has looked once more, because the engine told of the start.
  pass(kInterval);
  const int before = world.engine.count(engine::Op::inspect);
  pass(2 * kInterval);
  EXPECT_EQ(world.engine.count(engine::Op::inspect), before + 2);
  pass(100h);
  EXPECT_TRUE(runs(id));  // unknown is never idle
}

// The last samples vanish with the container (hazard 9): one of before a kill -9 closes the use of
// a task that ended while the agent was down.
TEST_F(IdleWatchTest, ASampleClosesTheUseOfWhatEndedWhileTheAgentWasDown) {
  const auto id = run_with("");
  stats = {Millis{5'000}, 10 << 20, 20 << 20, 700, 80};
  world.engine.set_stats(world.name(id), stats);
  pass(kInterval);
  world.shut_down();
  world.engine.exit_container(world.name(id), 0);
  world.boot();
  const auto row = world.wait_ended(id);
  EXPECT_EQ(row.cpu_ms, 5'000);
  EXPECT_EQ(row.peak_memory_bytes, 20 << 20);
  const Json details = parse_json(last(id, event_type::kEnded).details, "details");
  EXPECT_EQ(integer_or(details, "cpuMs", 0), 5'000);
  EXPECT_EQ(integer_or(details, "networkRxBytes", 0), 700);
  EXPECT_EQ(integer_or(details, "networkTxBytes", 0), 80);
  const auto record =
      world.journal.reading([&](journal::Reader& reader) { return reader.usage_record(id); });
  EXPECT_THAT(record.value_or(""), HasSubstr("\"cpuMs\":5000"));
}

TEST_F(IdleWatchTest, OfBothLastSamplesTheGreaterCounts) {
  const auto id = run_with("");
  world.engine.set_stats(world.name(id), {Millis{5'000}, 0, 20 << 20, 700, 80});
  pass(kInterval);
  world.engine.set_stats(world.name(id), {Millis{6'000}, 0, 10 << 20, 900, 90});
  world.service->stop(id, "user", kAlice);
  const auto row = world.wait_ended(id);
  EXPECT_EQ(row.cpu_ms, 6'000);
  EXPECT_EQ(row.peak_memory_bytes, 20 << 20);
  const Json details = parse_json(last(id, event_type::kEnded).details, "details");
  EXPECT_EQ(integer_or(details, "networkRxBytes", 0), 900);
}

// Does something while the time is asked for.
class InterruptedClock final : public Clock {
 public:
  explicit InterruptedClock(const Clock& clock) : clock_(clock) {}

  Instant now() const override { return clock_.now(); }
  Millis since_boot() const override {
    if (calls_left > 0 && --calls_left == 0) interrupt();
    return clock_.since_boot();
  }

  mutable int calls_left = 0;
  std::function<void()> interrupt;

 private:
  const Clock& clock_;
};

// Somebody came back in the moment in which it was to be stopped: the judgement holds no longer.
TEST_F(IdleWatchTest, UseBetweenJudgementAndIntentPreventsTheStop) {
  const auto id = run_with(kIdle);
  const Task task = world.row(id).task;
  InterruptedClock clock(world.clock);
  IdleWatch watch({world.journal, clock, kInterval, [this] { return world.catalog; },
                   [](const std::string&, const std::string&) {}});
  const auto look = [&] {
    watch.note_sample(task, stats);
    watch.watch(id, true);
  };
  while (watch.report(id).verdict.action != IdleAction::stop) {
    look();
    world.clock.advance(kInterval);
    watch.note_sample(task, stats);
  }
  ASSERT_TRUE(runs(id));
  int touched = 0;
  clock.interrupt = [&] {
    ++touched;
    watch.touch(id);
  };
  // Twice for the judgement, then in the transaction.
  clock.calls_left = 3;
  watch.watch(id, true);
  EXPECT_EQ(touched, 1);
  EXPECT_TRUE(runs(id));
  EXPECT_EQ(watch.report(id).verdict.action, IdleAction::none);
}

}  // namespace
}  // namespace resmgr::tasks
