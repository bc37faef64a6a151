#include "agent/tasks/waiters.h"

#include <gtest/gtest.h>

namespace resmgr::tasks {
namespace {

using journal::Phase;

journal::TaskRow row_in(Phase phase) {
  journal::TaskRow row;
  row.task.task_id = "t";
  row.phase = phase;
  return row;
}

TEST(Waiters, AreCalledOnceWhenTheirMilestoneIsReached) {
  Waiters waiters;
  int started = 0;
  int ended = 0;
  waiters.add("t", Milestone::started, [&](const auto&) { ++started; });
  waiters.add("t", Milestone::ended, [&](const auto&) { ++ended; });
  for (const Phase phase : {Phase::admitted, Phase::started}) waiters.notify(row_in(phase));
  EXPECT_EQ(started, 0);
  waiters.notify(row_in(Phase::ready));
  waiters.notify(row_in(Phase::ready));
  waiters.notify(row_in(Phase::stopping));
  EXPECT_EQ(started, 1);
  EXPECT_EQ(ended, 0);
  waiters.notify(row_in(Phase::ended));
  waiters.notify(row_in(Phase::removed));
  EXPECT_EQ(ended, 1);
}

TEST(Waiters, AFailedStartIsReachedAtItsEnd) {
  Waiters waiters;
  int started = 0;
  waiters.add("t", Milestone::started, [&](const auto&) { ++started; });
  waiters.notify(row_in(Phase::stopping));
  EXPECT_EQ(started, 0);
  waiters.notify(row_in(Phase::removed));
  EXPECT_EQ(started, 1);
}

TEST(Waiters, OfOtherTasksAreLeftAlone) {
  Waiters waiters;
  int calls = 0;
  waiters.add("other", Milestone::ended, [&](const auto&) { ++calls; });
  waiters.notify(row_in(Phase::ended));
  EXPECT_EQ(calls, 0);
}

TEST(Waiters, MayAddInTheirCall) {
  Waiters waiters;
  int calls = 0;
  waiters.add("t", Milestone::started, [&](const auto&) {
    waiters.add("t", Milestone::ended, [&](const auto&) { ++calls; });
  });
  waiters.notify(row_in(Phase::ready));
  waiters.notify(row_in(Phase::ended));
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace resmgr::tasks
