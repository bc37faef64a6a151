// What stands beside a task's row: samples of its use, and extensions.

#include <gtest/gtest.h>

#include "tests/unit/journal/fixture.h"

namespace resmgr::journal {
namespace {

using ActivityTest = JournalTest;

constexpr UsageSample kEarly{kNoon, 1'000, 64 << 20, 300, 40};

Activity activity_of(const Journal& journal, const TaskRow& row) {
  return journal.reading([&](Reader& reader) { return reader.activity(row.task.task_id); });
}

bool put(Journal& journal, const TaskRow& row, const UsageSample& sample) {
  return journal.writing(
      [&](Transaction& transaction) { return transaction.put_sample(row.task.task_id, sample); });
}

TaskRow running(Journal& journal) {
  TaskRow row = new_row();
  admit(journal, row);
  move(journal, row, TaskStatus::running, Phase::ready);
  return row;
}

TEST_F(ActivityTest, OfATaskThatWasNotLookedAtIsEmpty) {
  const TaskRow row = running(journal());
  const Activity none = activity_of(journal(), row);
  EXPECT_FALSE(none.sample);
  EXPECT_FALSE(none.idle_until);
  EXPECT_FALSE(none.lifetime_until);
}

TEST_F(ActivityTest, LastSampleSurvivesAReopening) {
  const TaskRow row = running(journal());
  EXPECT_TRUE(put(journal(), row, kEarly));
  const Activity kept = activity_of(reopen(), row);
  ASSERT_TRUE(kept.sample);
  EXPECT_EQ(kept.sample->time, kNoon);
  EXPECT_EQ(kept.sample->cpu_ms, 1'000);
  EXPECT_EQ(kept.sample->peak_memory_bytes, 64 << 20);
  EXPECT_EQ(kept.sample->network_rx_bytes, 300);
  EXPECT_EQ(kept.sample->network_tx_bytes, 40);
}

// A lane that has read the row goes on with it, however often it is sampled meanwhile.
TEST_F(ActivityTest, NeitherVersionNorEventsTellOfASample) {
  TaskRow row = running(journal());
  const auto head = journal().head();
  put(journal(), row, kEarly);
  EXPECT_EQ(journal().head(), head);
  move(journal(), row, TaskStatus::stopping, Phase::stopping);
}

TEST_F(ActivityTest, CountersNeverGoBack) {
  const TaskRow row = running(journal());
  put(journal(), row, kEarly);
  put(journal(), row, {kNoon + Millis{1}, 900, 65 << 20, 301, 0});
  const auto sample = activity_of(journal(), row).sample.value();
  EXPECT_EQ(sample.time, kNoon + Millis{1});
  EXPECT_EQ(sample.cpu_ms, 1'000);
  EXPECT_EQ(sample.peak_memory_bytes, 65 << 20);
  EXPECT_EQ(sample.network_rx_bytes, 301);
  EXPECT_EQ(sample.network_tx_bytes, 40);
}

// Its usage record is closed: a sample that comes too late must not differ from it.
TEST_F(ActivityTest, WhatEndedGetsNoSample) {
  TaskRow row = running(journal());
  put(journal(), row, kEarly);
  row.task.stop_time = kNoon;
  move(journal(), row, TaskStatus::stopped, Phase::ended);
  EXPECT_FALSE(put(journal(), row, {kNoon, 2'000, 0, 0, 0}));
  EXPECT_EQ(activity_of(journal(), row).sample->cpu_ms, 1'000);
  EXPECT_FALSE(put(journal(), new_row(), kEarly));
}

TEST_F(ActivityTest, ExtensionsAndSamplesLeaveEachOtherAlone) {
  const TaskRow row = running(journal());
  Activity extended;
  extended.idle_until = kNoon + Millis{5};
  const auto extend = [&] {
    return journal().writing([&](Transaction& transaction) {
      return transaction.put_extension(row.task.task_id, extended);
    });
  };
  EXPECT_TRUE(extend());
  EXPECT_FALSE(activity_of(journal(), row).sample);
  put(journal(), row, kEarly);
  extended.lifetime_until = kNoon + Millis{7};
  EXPECT_TRUE(extend());
  const Activity kept = activity_of(reopen(), row);
  EXPECT_EQ(kept.idle_until, kNoon + Millis{5});
  EXPECT_EQ(kept.lifetime_until, kNoon + Millis{7});
  EXPECT_EQ(kept.sample->cpu_ms, 1'000);
}

}  // namespace
}  // namespace resmgr::journal
