#include "agent/tasks/outcome.h"

#include <gtest/gtest.h>

#include "agent/tasks/usage.h"
#include "common/crypto.h"
#include "common/json.h"

namespace resmgr::tasks {
namespace {

using engine::ContainerState;
using engine::ContainerStatus;
using journal::Phase;
using journal::TaskRow;

const Instant kOutcomeStart = instant_from_millis(1'700'000'000'000);
const Instant kFinish = kOutcomeStart + Millis{61'500};
const Witness kLastAlive{.last_alive = kOutcomeStart + Millis{50'000}};

TaskRow running() {
  TaskRow row;
  row.task.task_id = "0190a1b2-0000-7000-8000-000000000001";
  row.task.user_id = "11111111-1111-4111-8111-111111111111";
  row.task.service_type = "hello";
  row.task.container_id = "c1";
  row.task.host = "here";
  row.task.start_time = kOutcomeStart;
  row.task.status = TaskStatus::running;
  row.phase = Phase::ready;
  row.memory_bytes = 512LL << 20;
  return row;
}

ContainerState exited(int code) {
  ContainerState state;
  state.id = "c1";
  state.status = ContainerStatus::exited;
  state.started_at = kOutcomeStart;
  state.finished_at = kFinish;
  state.exit_code = code;
  return state;
}

TEST(Conclude, TakesTheEnginesOwnTime) {
  const End end = conclude(running(), exited(0), std::nullopt, kLastAlive);
  EXPECT_EQ(end.time, kFinish);
  EXPECT_EQ(end.precision, Precision::exact);
  EXPECT_EQ(end.exit_code, 0);
  EXPECT_EQ(end.ended_by, ended_by::kExit);
  EXPECT_EQ(end.status, TaskStatus::stopped);
  EXPECT_TRUE(end.failure.empty());
}

TEST(Conclude, SaysWhyItFailed) {
  EXPECT_EQ(conclude(running(), exited(3), {}, kLastAlive).reason, "exited with code 3");
  EXPECT_EQ(conclude(running(), exited(3), {}, kLastAlive).status, TaskStatus::error);
  EXPECT_EQ(conclude(running(), exited(139), {}, kLastAlive).reason, "crashed (SIGSEGV)");
  EXPECT_EQ(conclude(running(), exited(134), {}, kLastAlive).reason, "crashed (SIGABRT)");
  EXPECT_EQ(conclude(running(), exited(200), {}, kLastAlive).reason, "exited with code 200");
  EXPECT_EQ(conclude(running(), exited(137), {}, kLastAlive).ended_by, ended_by::kOutside);
  EXPECT_EQ(conclude(running(), exited(143), {}, kLastAlive).status, TaskStatus::stopped);
}

// Hazard 8.
TEST(Conclude, OutOfMemoryOnlyWhereTheMainProcessWasKilledForIt) {
  ContainerState killed = exited(137);
  killed.oom_killed = true;
  const End end = conclude(running(), killed, {}, kLastAlive);
  EXPECT_EQ(end.ended_by, ended_by::kOutOfMemory);
  EXPECT_EQ(end.reason, "ran out of its 512 MiB of memory");

  ContainerState child_killed = exited(0);
  child_killed.oom_killed = true;
  EXPECT_EQ(conclude(running(), child_killed, {}, kLastAlive).ended_by, ended_by::kExit);
}

TEST(Conclude, AStopThatSomebodyAskedForIsNoError) {
  TaskRow row = running();
  apply_stop_intent(row, ended_by::kUser, "", "");
  ContainerState killed = exited(137);
  killed.oom_killed = true;
  const End end = conclude(row, killed, {}, kLastAlive);
  EXPECT_EQ(end.status, TaskStatus::stopped);
  EXPECT_EQ(end.ended_by, ended_by::kUser);
  EXPECT_EQ(end.exit_code, 137);
}

TEST(Conclude, AFailedStartStaysAnError) {
  TaskRow row = running();
  row.phase = Phase::started;
  apply_stop_intent(row, ended_by::kStartFailed, "not_ready", "did not answer");
  const End end = conclude(row, exited(143), {}, kLastAlive);
  EXPECT_EQ(end.status, TaskStatus::error);
  EXPECT_EQ(end.failure, "not_ready");
  EXPECT_EQ(end.reason, "did not answer");
}

TEST(Conclude, AnExitBeforeReadinessIsAnErrorWhateverTheCode) {
  TaskRow row = running();
  row.phase = Phase::started;
  const End end = conclude(row, exited(0), {}, kLastAlive);
  EXPECT_EQ(end.status, TaskStatus::error);
  EXPECT_EQ(end.failure, "rejected");
  EXPECT_EQ(end.reason, "ended by itself before it was ready");
}

TEST(Conclude, ARemovedContainerIsBoundedUnlessItsDeathWasTold) {
  const End blind = conclude(running(), std::nullopt, std::nullopt, kLastAlive);
  EXPECT_EQ(blind.time, kLastAlive.last_alive);
  EXPECT_EQ(blind.precision, Precision::bounded);
  EXPECT_EQ(blind.exit_code, -1);
  EXPECT_EQ(blind.ended_by, ended_by::kOutside);

  const End told = conclude(running(), std::nullopt, Death{"c1", kFinish, 137}, kLastAlive);
  EXPECT_EQ(told.time, kFinish);
  EXPECT_EQ(told.precision, Precision::exact);
  EXPECT_EQ(told.exit_code, 137);

  const End of_another = conclude(running(), std::nullopt, Death{"c2", kFinish, 0}, kLastAlive);
  EXPECT_EQ(of_another.precision, Precision::bounded);
}

// Hazard 6.
TEST(Conclude, ARestartClosesAtTheFinishBeforeIt) {
  ContainerState again;
  again.id = "c1";
  again.status = ContainerStatus::running;
  again.started_at = kOutcomeStart + Millis{100'000};
  again.previous_finish = kFinish;
  const End end = conclude(running(), again, {}, kLastAlive);
  EXPECT_EQ(end.time, kFinish);
  EXPECT_EQ(end.precision, Precision::exact);
  EXPECT_EQ(end.reason, "its container was restarted outside resmgr");

  again.previous_finish = kOutcomeStart - Millis{1};  // of a run before ours
  EXPECT_EQ(conclude(running(), again, {}, kLastAlive).precision, Precision::bounded);
}

// Hazard 10: the engine takes the next boot's time for the end of what the host lost.
TEST(Conclude, APowerLossIsBoundedByWhenItWasSeenAlive) {
  const Instant boot = kFinish - Millis{3'000};
  const Witness rebooted{kOutcomeStart + Millis{50'000}, true, boot, {}};
  const End lost = conclude(running(), exited(255), {}, rebooted);
  EXPECT_EQ(lost.time, rebooted.last_alive);
  EXPECT_EQ(lost.precision, Precision::bounded);
  EXPECT_EQ(lost.exit_code, -1);
  EXPECT_EQ(lost.status, TaskStatus::error);
  EXPECT_EQ(lost.ended_by, ended_by::kHost);
  EXPECT_EQ(lost.reason, "the host lost power or was reset");
  // Whatever its code: it can't have ended in a boot in which it never ran.
  EXPECT_EQ(conclude(running(), exited(0), {}, rebooted).precision, Precision::bounded);

  // A wall clock that was wrong until it was set puts the note before the boot.
  const Witness wrong_clock{kOutcomeStart + Millis{50'000}, true, kFinish + Millis{3'000}, {}};
  EXPECT_EQ(conclude(running(), exited(255), {}, wrong_clock).time, wrong_clock.last_alive);
  // … but an end that the engine noted before the power went is its own.
  EXPECT_EQ(conclude(running(), exited(0), {}, wrong_clock).time, kFinish);
  EXPECT_EQ(conclude(running(), exited(0), {}, wrong_clock).precision, Precision::exact);
}

TEST(Conclude, APowerLossDuringAStopKeepsItsReason) {
  TaskRow row = running();
  apply_stop_intent(row, ended_by::kUser, "", "");
  const End lost = conclude(row, exited(255), {}, {kOutcomeStart, true, kFinish, {}});
  EXPECT_EQ(lost.time, kOutcomeStart);
  EXPECT_EQ(lost.precision, Precision::bounded);
  EXPECT_EQ(lost.status, TaskStatus::stopped);
  EXPECT_EQ(lost.ended_by, ended_by::kUser);
}

// Hazard 10: a program may end with 255 by itself.
TEST(Conclude, ARealExitWith255IsExact) {
  const End end = conclude(running(), exited(255), {}, kLastAlive);
  EXPECT_EQ(end.time, kFinish);
  EXPECT_EQ(end.precision, Precision::exact);
  EXPECT_EQ(end.exit_code, 255);
  EXPECT_EQ(end.reason, "exited with code 255");
  // What was told live needs no other witness.
  const Witness doubtful{kOutcomeStart, true, kOutcomeStart, kFinish};
  EXPECT_EQ(conclude(running(), exited(255), Death{"c1", kFinish, 255}, doubtful).precision,
            Precision::exact);
}

// Hazard 10: dockerd, containerd and their shims killed under the containers, in the same boot.
TEST(Conclude, AnEngineThatFindsItDeadAtItsStartIsNoWitness) {
  Witness restarted = kLastAlive;
  restarted.engine_started = kFinish + Millis{3'000};
  const End lost = conclude(running(), exited(255), {}, restarted);
  EXPECT_EQ(lost.time, kLastAlive.last_alive);
  EXPECT_EQ(lost.precision, Precision::bounded);
  EXPECT_EQ(lost.ended_by, ended_by::kEngine);
  // A mere restart of dockerd keeps what its containers did meanwhile.
  EXPECT_EQ(conclude(running(), exited(137), {}, restarted).precision, Precision::exact);
  // Long before the engine's start, or after it, an end with 255 was seen.
  restarted.engine_started = kFinish + Millis{600'000};
  EXPECT_EQ(conclude(running(), exited(255), {}, restarted).precision, Precision::exact);
  restarted.engine_started = kFinish - Millis{1};
  EXPECT_EQ(conclude(running(), exited(255), {}, restarted).precision, Precision::exact);
}

TEST(Conclude, ARestartByHandAfterAPowerLossIsBoundedToo) {
  ContainerState again;
  again.id = "c1";
  again.status = ContainerStatus::running;
  again.started_at = kOutcomeStart + Millis{100'000};
  again.previous_finish = kFinish;  // the boot's time
  const Witness rebooted{kOutcomeStart + Millis{50'000}, true, kFinish - Millis{3'000}, {}};
  const End end = conclude(running(), again, {}, rebooted);
  EXPECT_EQ(end.time, rebooted.last_alive);
  EXPECT_EQ(end.precision, Precision::bounded);
}

// Hazard 17.
TEST(Conclude, NeverEndsBeforeItsStart) {
  EXPECT_EQ(conclude(running(), {}, {}, Witness{.last_alive = kOutcomeStart - Millis{1}}).time,
            kOutcomeStart);
  ContainerState early = exited(0);
  early.finished_at = kOutcomeStart - Millis{5'000};  // the clock stepped back
  EXPECT_EQ(conclude(running(), early, {}, kLastAlive).time, kOutcomeStart);
}

TEST(Unstarted, HasNoTimesAndAReason) {
  TaskRow row;
  apply_stop_intent(row, ended_by::kUser, "", "");
  apply_unstarted(row);
  EXPECT_EQ(row.task.status, TaskStatus::stopped);
  EXPECT_EQ(row.phase, Phase::removed);
  EXPECT_EQ(row.task.status_reason, "was stopped before it started");
  EXPECT_FALSE(row.task.stop_time);

  TaskRow failed;
  apply_stop_intent(failed, ended_by::kStartFailed, "rejected", "no such image");
  apply_unstarted(failed);
  EXPECT_EQ(failed.task.status, TaskStatus::error);
  EXPECT_EQ(failed.task.status_reason, "no such image");
}

TEST(Usage, IsCanonicalAndHashed) {
  TaskRow row = running();
  apply_stop_intent(row, ended_by::kUser, "", "");
  apply_end(row, conclude(row, exited(0), {}, kLastAlive));
  row.cpu_ms = 12;
  row.peak_memory_bytes = 4'096;
  const UsageRecord usage = make_usage_record(row, "00ff");
  EXPECT_EQ(usage.canonical,
            R"({"containerId":"c1","cpuMs":12,"durationMs":61500,"endedBy":"user","exitCode":0,)"
            R"("host":"here","nonce":"00ff","peakMemoryBytes":4096,"precision":"exact",)"
            R"("serviceType":"hello","startTime":"2023-11-14T22:13:20.000Z",)"
            R"("stopTime":"2023-11-14T22:14:21.500Z",)"
            R"("taskId":"0190a1b2-0000-7000-8000-000000000001",)"
            R"("userId":"11111111-1111-4111-8111-111111111111","version":1})");
  EXPECT_EQ(usage.hash, sha256_hex(usage.canonical));
  EXPECT_NE(make_usage_record(row, "01ff").hash, usage.hash);
}

}  // namespace
}  // namespace resmgr::tasks
