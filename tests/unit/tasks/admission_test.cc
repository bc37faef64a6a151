#include "agent/tasks/admission.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "common/error.h"
#include "tests/unit/tasks/world.h"

namespace resmgr::tasks {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class AdmissionTest : public testing::Test {
 protected:
  // The error that a start is refused with.
  template <typename Fn>
  Error refusal(Fn&& fn) {
    try {
      fn();
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "nothing was refused";
    return Error(ErrorKind::internal, "");
  }

  World world;
};

// 200 starts of one user at once; how many were admitted.
int race(World& world) {
  std::atomic<int> admitted{0};
  std::atomic<int> refused{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 20; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 10; ++j) {
        try {
          world.start();
          ++admitted;
        } catch (const Error& error) {
          EXPECT_EQ(error.kind(), ErrorKind::limit);
          EXPECT_EQ(error.problem, "limit-tasks-per-user");
          EXPECT_EQ(error.task_ids.size(), 5U);
          ++refused;
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(admitted + refused, 200);
  return admitted;
}

TEST_F(AdmissionTest, RacingStartsDontPassALimitTogether) {
  world.options.limits.tasks_per_user = 5;
  world.boot();
  EXPECT_EQ(race(world), 5);
  world.boot();
  EXPECT_EQ(race(world), 0);
  world.start(kBob);
}

TEST_F(AdmissionTest, ASlotIsHeldUntilTheEngineConfirmedTheEnd) {
  world.options.limits.tasks_per_host = 1;
  world.boot();
  const auto running = world.run();
  world.engine.hold(engine::Op::stop);
  world.service->stop(running.task.task_id, "user", kAlice);
  ASSERT_TRUE(world.engine.wait_until_held(engine::Op::stop));
  EXPECT_EQ(refusal([&] { world.start(kBob); }).problem, "limit-tasks-per-host");
  world.engine.release(engine::Op::stop);
  world.wait_ended(running.task.task_id);
  world.start(kBob);
}

TEST_F(AdmissionTest, EachLimitNamesItselfAndItsHolders) {
  world.options.limits.tasks_per_user_and_service = 1;
  world.boot();
  const auto id = world.start();
  const Error error = refusal([&] { world.start(); });
  EXPECT_EQ(error.problem, "limit-tasks-per-user-and-service");
  EXPECT_THAT(error.task_ids, ElementsAre(id));
  EXPECT_THAT(error.message(), HasSubstr("1 of 1"));
}

// Hazard 15.
TEST_F(AdmissionTest, AKeyAdmitsOnce) {
  world.boot();
  const auto first = world.service->start({kAlice, "web", kAlice, "key", "h"});
  const auto again = world.service->start({kAlice, "web", kAlice, "key", "h"});
  EXPECT_FALSE(first.replayed);
  EXPECT_TRUE(again.replayed);
  EXPECT_EQ(again.task_id, first.task_id);
  world.boot();
  EXPECT_EQ(world.start(kAlice, "key"), first.task_id);
  EXPECT_EQ(refusal([&] { world.start(kAlice, "key", "other"); }).problem,
            "idempotency-key-reused");
}

// Hazard 15.
TEST_F(AdmissionTest, AKeyBelongsToItsPrincipal) {
  world.boot();
  const auto alices = world.start(kAlice, "key");
  EXPECT_NE(world.start(kBob, "key"), alices);
}

// Hazard 15.
TEST_F(AdmissionTest, ARefusedStartKeepsNoKey) {
  world.options.limits.tasks_per_user = 1;
  world.boot();
  const auto id = world.start();
  EXPECT_THROW(world.start(kAlice, "key"), Error);
  world.service->stop(id, "user", kAlice);
  world.wait_ended(id);
  EXPECT_NE(world.start(kAlice, "key"), id);
}

TEST_F(AdmissionTest, AKeyIsForgottenAfterADay) {
  world.boot();
  const auto first = world.start(kAlice, "key");
  world.clock.advance(kIdempotencyAge);
  EXPECT_NE(world.start(kAlice, "key"), first);
}

// A step back makes a key live longer, and one ahead that is taken back forgets none that is asked
// for in between by nobody.
TEST_F(AdmissionTest, AKeySurvivesAClockThatStepsBack) {
  world.boot();
  const std::string first = world.start(kAlice, "key");
  world.clock.set(world.clock.now() - std::chrono::hours{24 * 365});
  EXPECT_EQ(world.start(kAlice, "key"), first);
  world.clock.advance(std::chrono::hours{48});
  EXPECT_EQ(world.start(kAlice, "key"), first);
}

TEST_F(AdmissionTest, IdsGrowThoughTheClockStepsBack) {
  world.boot();
  std::string last;
  for (int i = 0; i < 5; ++i) {
    const std::string id = world.start();
    EXPECT_GT(id, last);
    last = id;
    world.clock.set(world.clock.now() - std::chrono::hours{1});
  }
}

// Hazard 36: the floor is asked of both disks. On /proc nothing is ever free.
TEST_F(AdmissionTest, TheFloorIsThatOfBothDisks) {
  const std::string& data = world.options.data_dir;
  EXPECT_NO_THROW(check_free_disk(data, "/", 1));
  EXPECT_NO_THROW(check_free_disk(data, "/not/visible/from/here", 1));
  EXPECT_EQ(refusal([&] { check_free_disk(data, "/proc", 1); }).problem, "disk-full");
  EXPECT_EQ(refusal([&] { check_free_disk("/proc", "/", 1); }).problem, "disk-full");
  EXPECT_NO_THROW(check_free_disk("/proc", "/proc", 0));
}

TEST_F(AdmissionTest, OtherLimitsHoldForStartsFromThenOn) {
  world.boot();
  world.start();
  Limits limits;
  limits.tasks_per_user = 1;
  world.service->set_limits(limits);
  EXPECT_EQ(refusal([&] { world.start(); }).problem, "limit-tasks-per-user");
  world.service->set_limits({});
  EXPECT_NO_THROW(world.start());
}

TEST_F(AdmissionTest, AnUnknownServiceIsNamedWithThoseThereAre) {
  world.boot();
  const Error error = refusal([&] { world.service->start({kAlice, "nope", kAlice, "", ""}); });
  EXPECT_EQ(error.kind(), ErrorKind::usage);
  ASSERT_EQ(error.fields.size(), 1U);
  EXPECT_EQ(error.fields[0].pointer, "/serviceType");
  EXPECT_THAT(error.hint(), HasSubstr("web"));
}

TEST_F(AdmissionTest, AFullDiskRefusesStartsAndSaysWhy) {
  world.options.limits.min_free_disk_bytes = INT64_MAX;
  world.boot();
  const Error error = refusal([&] { world.start(); });
  EXPECT_EQ(error.kind(), ErrorKind::unavailable);
  EXPECT_EQ(error.problem, "disk-full");
}

}  // namespace
}  // namespace resmgr::tasks
