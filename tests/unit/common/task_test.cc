#include "common/task.h"

#include <gtest/gtest.h>

#include "common/error.h"

namespace resmgr {
namespace {

TEST(TaskStatus, HasTheNamesOfTheContract) {
  for (const TaskStatus status : {TaskStatus::starting, TaskStatus::running, TaskStatus::stopping,
                                  TaskStatus::stopped, TaskStatus::error}) {
    EXPECT_EQ(task_status_from(to_string(status)), status);
  }
  EXPECT_EQ(to_string(TaskStatus::running), "Running");
  EXPECT_EQ(task_status_from("rUNNING"), TaskStatus::running);
  EXPECT_EQ(task_status_from("Run"), std::nullopt);
  EXPECT_EQ(task_status_from(""), std::nullopt);
}

TEST(TaskStatus, HoldsItsSlotUntilItEnded) {
  EXPECT_TRUE(is_active(TaskStatus::starting));
  EXPECT_TRUE(is_active(TaskStatus::running));
  EXPECT_TRUE(is_active(TaskStatus::stopping));
  EXPECT_FALSE(is_active(TaskStatus::stopped));
  EXPECT_FALSE(is_active(TaskStatus::error));
}

TEST(Precision, HasTheNamesOfTheContract) {
  EXPECT_EQ(precision_from(to_string(Precision::exact)), Precision::exact);
  EXPECT_EQ(precision_from(to_string(Precision::bounded)), Precision::bounded);
  EXPECT_EQ(to_string(Precision::bounded), "bounded");
  EXPECT_EQ(precision_from("Exact"), std::nullopt);
}

TEST(Task, HasADurationOnceItEnded) {
  Task task;
  EXPECT_EQ(task.duration(), std::nullopt);
  task.stop_time = instant_from_millis(5'000);
  EXPECT_EQ(task.duration(), std::nullopt);
  task.start_time = instant_from_millis(1'500);
  EXPECT_EQ(task.duration(), Millis{3'500});
  task.start_time = instant_from_millis(5'001);
  EXPECT_EQ(task.duration(), Millis{0});
  task.stop_time.reset();
  EXPECT_EQ(task.duration(), std::nullopt);
}

TEST(ErrorKind, HasAStableNameEach) {
  EXPECT_EQ(to_string(ErrorKind::not_found), "not_found");
  EXPECT_EQ(to_string(ErrorKind::unauthenticated), "unauthenticated");
  EXPECT_EQ(to_string(ErrorKind::internal), "internal");
}

TEST(Error, KeepsMessageAndHintApart) {
  const Error error(ErrorKind::limit, "cannot start task 'x': enough", "stop one");
  EXPECT_STREQ(error.what(), "cannot start task 'x': enough");
  EXPECT_EQ(error.hint(), "stop one");
  EXPECT_EQ(error.kind(), ErrorKind::limit);
}

}  // namespace
}  // namespace resmgr
