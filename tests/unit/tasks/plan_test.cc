#include "agent/tasks/plan.h"

#include <gtest/gtest.h>

#include <optional>

namespace resmgr::tasks {
namespace {

using engine::ContainerStatus;
using journal::Phase;
using journal::TaskRow;
using Kind = Observation::Kind;

const Instant kPlannedStart = instant_from_millis(1'000'000);

TaskRow row_in(Phase phase, bool started) {
  TaskRow row;
  row.task.task_id = "t";
  row.phase = phase;
  if (started) {
    row.task.start_time = kPlannedStart;
    row.task.container_id = "c";
  }
  return row;
}

Observation container(ContainerStatus status, std::optional<Instant> started_at) {
  Observation seen{Kind::present, {}};
  seen.container.id = "c";
  seen.container.status = status;
  seen.container.started_at = started_at;
  return seen;
}

const Observation kUnknown{Kind::unknown, {}};
const Observation kAbsent{Kind::absent, {}};
const Observation kForeign{Kind::foreign, {}};
const Observation kCreated = container(ContainerStatus::created, std::nullopt);
const Observation kRunning = container(ContainerStatus::running, kPlannedStart);
const Observation kExited = container(ContainerStatus::exited, kPlannedStart);
const Observation kRestarted = container(ContainerStatus::running, kPlannedStart + Millis{5'000});
const Observation kRemoving = container(ContainerStatus::removing, kPlannedStart);

TEST(Plan, UnknownNeverChangesAnything) {
  for (const Phase phase : {Phase::admitted, Phase::started, Phase::ready, Phase::stopping,
                            Phase::ended, Phase::removed}) {
    for (const bool in_doubt : {false, true}) {
      EXPECT_EQ(plan(row_in(phase, true), kUnknown, in_doubt), Act::ask_again) << to_string(phase);
    }
  }
  EXPECT_EQ(plan(std::nullopt, kUnknown, false), Act::ask_again);
}

TEST(Plan, AnAdmittedTaskGetsItsContainer) {
  const TaskRow row = row_in(Phase::admitted, false);
  EXPECT_EQ(plan(row, kAbsent, true), Act::create);
  EXPECT_EQ(plan(row, kCreated, false), Act::start);
  EXPECT_EQ(plan(row, kRunning, false), Act::record_started);
  EXPECT_EQ(plan(row, kExited, false), Act::record_started);
  EXPECT_EQ(plan(row, kForeign, false), Act::refuse_name);
}

TEST(Plan, AStartedTaskIsProbedUntilItIsReady) {
  EXPECT_EQ(plan(row_in(Phase::started, true), kRunning, false), Act::probe);
  EXPECT_EQ(plan(row_in(Phase::ready, true), kRunning, false), Act::none);
}

TEST(Plan, ATaskWhoseContainerIsOverEnds) {
  for (const Phase phase : {Phase::started, Phase::ready}) {
    const TaskRow row = row_in(phase, true);
    EXPECT_EQ(plan(row, kExited, false), Act::record_ended);
    EXPECT_EQ(plan(row, kAbsent, false), Act::record_ended);
    EXPECT_EQ(plan(row, kForeign, false), Act::record_ended);
  }
}

TEST(Plan, ARestartByHandEndsTheTask) {
  for (const Phase phase : {Phase::started, Phase::ready, Phase::stopping}) {
    EXPECT_EQ(plan(row_in(phase, true), kRestarted, false), Act::record_ended);
  }
  // … and what runs of it then is stopped and removed.
  EXPECT_EQ(plan(row_in(Phase::ended, true), kRestarted, false), Act::stop);
  EXPECT_EQ(plan(row_in(Phase::removed, true), kRestarted, false), Act::stop);
}

TEST(Plan, AStopEndsWhatRunsAndDiscardsWhatNeverRan) {
  EXPECT_EQ(plan(row_in(Phase::stopping, true), kRunning, false), Act::stop);
  EXPECT_EQ(plan(row_in(Phase::stopping, true), kExited, false), Act::record_ended);
  EXPECT_EQ(plan(row_in(Phase::stopping, true), kAbsent, false), Act::record_ended);
  EXPECT_EQ(plan(row_in(Phase::stopping, false), kRunning, false), Act::stop);
  EXPECT_EQ(plan(row_in(Phase::stopping, false), kExited, false), Act::record_ended);
  EXPECT_EQ(plan(row_in(Phase::stopping, false), kCreated, false), Act::discard);
  EXPECT_EQ(plan(row_in(Phase::stopping, false), kAbsent, false), Act::record_unstarted);
  EXPECT_EQ(plan(row_in(Phase::stopping, false), kForeign, true), Act::record_unstarted);
}

TEST(Plan, ACreateWhoseAnswerNobodyHasIsSettledFirst) {
  EXPECT_EQ(plan(row_in(Phase::stopping, false), kAbsent, true), Act::settle_create);
}

TEST(Plan, WhatIsLeftOfAnEndedTaskIsRemoved) {
  const TaskRow row = row_in(Phase::ended, true);
  EXPECT_EQ(plan(row, kExited, false), Act::clear);
  EXPECT_EQ(plan(row, kCreated, false), Act::clear);
  EXPECT_EQ(plan(row, kAbsent, false), Act::record_removed);
  EXPECT_EQ(plan(row, kForeign, false), Act::record_removed);
}

TEST(Plan, ARemovedTaskIsFinal) {
  const TaskRow row = row_in(Phase::removed, true);
  EXPECT_EQ(plan(row, kAbsent, false), Act::none);
  EXPECT_EQ(plan(row, kForeign, false), Act::none);
  EXPECT_EQ(plan(row, kExited, false), Act::clear);
}

TEST(Plan, AContainerThatTheJournalDoesNotKnowIsAdopted) {
  EXPECT_EQ(plan(std::nullopt, kRunning, false), Act::adopt);
  EXPECT_EQ(plan(std::nullopt, kExited, false), Act::adopt);
  EXPECT_EQ(plan(std::nullopt, kCreated, false), Act::discard);  // it never ran
  EXPECT_EQ(plan(std::nullopt, kAbsent, false), Act::none);
  EXPECT_EQ(plan(std::nullopt, kForeign, false), Act::none);
}

TEST(Plan, WhatTheEngineIsRemovingIsWaitedFor) {
  for (const Phase phase : {Phase::admitted, Phase::ready, Phase::stopping, Phase::ended}) {
    EXPECT_EQ(plan(row_in(phase, true), kRemoving, false), Act::ask_again);
  }
}

}  // namespace
}  // namespace resmgr::tasks
