#include "agent/api/worker_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <thread>

namespace resmgr::api {
namespace {

using std::chrono::milliseconds;

TEST(WorkerPool, RunsAtMostSoManyAtOnceAndQueuesSoMany) {
  WorkerPool pool(2, 3);
  std::latch both_run(2);
  std::latch release(1);
  std::atomic<int> done{0};
  const auto job = [&](std::stop_token) {
    both_run.count_down();
    release.wait();
    ++done;
  };
  ASSERT_TRUE(pool.submit(job));
  ASSERT_TRUE(pool.submit(job));
  both_run.wait();
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(pool.submit([&](std::stop_token) { ++done; })) << i;
  }
  EXPECT_FALSE(pool.submit([&](std::stop_token) { ++done; }));
  EXPECT_EQ(pool.threads(), 2U);
  release.count_down();
  while (done < 5) std::this_thread::yield();
}

TEST(WorkerPool, LetsIdleThreadsGoAndMakesNewOnes) {
  WorkerPool pool(4, 4, milliseconds(1));
  for (int round = 0; round < 20; ++round) {
    std::latch done(4);
    for (int i = 0; i < 4; ++i) {
      ASSERT_TRUE(pool.submit([&](std::stop_token) { done.count_down(); }));
    }
    done.wait();
  }
  while (pool.threads() > 0) std::this_thread::yield();
  std::latch done(1);
  ASSERT_TRUE(pool.submit([&](std::stop_token) { done.count_down(); }));
  done.wait();
}

TEST(WorkerPool, StopAsksJobsToEndAndDropsThoseThatWait) {
  WorkerPool pool(1, 10);
  std::latch running(1);
  std::atomic<bool> asked{false};
  std::atomic<bool> ran_waiting{false};
  pool.submit([&](std::stop_token stop) {
    running.count_down();
    while (!stop.stop_requested()) std::this_thread::yield();
    asked = true;
  });
  running.wait();
  pool.submit([&](std::stop_token) { ran_waiting = true; });
  pool.stop();
  EXPECT_TRUE(asked);
  EXPECT_FALSE(ran_waiting);
  EXPECT_FALSE(pool.submit([](std::stop_token) {}));
  EXPECT_EQ(pool.threads(), 0U);
}

TEST(WorkerPool, TakesNothingWhereThereIsNeitherThreadNorQueue) {
  // They outlive the job.
  std::latch running(1);
  std::latch release(1);
  WorkerPool pool(1, 0);
  ASSERT_TRUE(pool.submit([&](std::stop_token) {
    running.count_down();
    release.wait();
  }));
  running.wait();
  EXPECT_FALSE(pool.submit([](std::stop_token) {}));
  release.count_down();
}

}  // namespace
}  // namespace resmgr::api
