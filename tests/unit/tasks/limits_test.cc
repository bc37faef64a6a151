// What the host and its users may use, beside counts of tasks (admission_test.cc).
#include "agent/tasks/limits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "common/limit_error.h"
#include "tests/unit/tasks/world.h"

namespace resmgr::tasks {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class LimitsTest : public testing::Test {
 protected:
  LimitsTest() {
    engine::EngineInfo info = world.engine.info();
    info.memory_bytes = 4LL << 30;
    info.cpus = 2;
    world.engine.set_info(info);
    set_service("1GiB", "0.5");
  }
  void set_service(const std::string& memory, const std::string& cpus) {
    world.set_catalog(
        "name = \"web\"\ntitle = \"Web\"\nimage = \"web:1\"\nprobe = \"none\"\n"
        "container_port = 8080\n[resources]\nmemory = \"" +
        memory + "\"\ncpus = " + cpus + "\n");
  }
  std::optional<LimitError> refusal(const std::string& user = kAlice, bool sees_all = true) {
    try {
      world.service->start({user, "web", user, "", "", sees_all});
    } catch (const LimitError& error) {
      return error;
    }
    return std::nullopt;
  }

  World world;
};

TEST_F(LimitsTest, MemoryIsPromisedOnce) {
  world.options.limits.memory_overcommit = 0.75;  // 3 GiB
  world.boot();
  const std::string first = world.start();
  const std::string second = world.start();
  const std::string third = world.start(kBob);
  const auto refused = refusal();
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->problem, "limit-memory-overcommit");
  EXPECT_EQ(refused->use().name, "memory_overcommit");
  EXPECT_EQ(refused->use().max, 3.0 * (1LL << 30));
  EXPECT_EQ(refused->use().used, 3.0 * (1LL << 30));
  EXPECT_THAT(refused->task_ids, ElementsAre(first, second, third));
  EXPECT_THAT(refused->message(), HasSubstr("wants"));
  EXPECT_FALSE(refused->retry_after);
}

// Hazard 16: until the engine confirmed the end.
TEST_F(LimitsTest, AStoppingTaskHoldsItsMemory) {
  world.options.limits.memory_overcommit = 0.25;
  world.boot();
  const auto running = world.run();
  world.engine.hold(engine::Op::stop);
  world.service->stop(running.task.task_id, "user", kAlice);
  ASSERT_TRUE(world.engine.wait_until_held(engine::Op::stop));
  EXPECT_TRUE(refusal());
  world.engine.release(engine::Op::stop);
  world.wait_ended(running.task.task_id);
  EXPECT_FALSE(refusal());
}

TEST_F(LimitsTest, CoresAreSummedInFractions) {
  set_service("16MiB", "0.1");
  world.options.limits.cpu_overcommit = 0.5;  // one core: ten tasks, though 0.1 is no binary number
  world.boot();
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(refusal()) << i;
  const auto refused = refusal();
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->use().name, "cpu_overcommit");
  EXPECT_EQ(refused->use().max, 1.0);
  EXPECT_NEAR(refused->use().used, 1.0, 1e-9);
}

TEST_F(LimitsTest, AServiceThatIsTooBigIsToldSo) {
  set_service("5GiB", "0.5");
  world.options.limits.memory_overcommit = 1;
  world.boot();
  const auto refused = refusal();
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->use().used, 0);
  EXPECT_THAT(refused->hint(), HasSubstr("more than the host"));
}

TEST_F(LimitsTest, UnsetKeysLimitNothing) {
  set_service("64GiB", "16");
  world.boot();
  EXPECT_FALSE(refusal());
  EXPECT_FALSE(refusal());
}

TEST_F(LimitsTest, ARateIsOfAUserAndOfTheLastMinute) {
  world.options.limits.starts_per_user_per_minute = 2;
  world.boot();
  const std::string first = world.start(kAlice, "key");
  world.clock.advance(Millis{20'000});
  const std::string second = world.start();
  // A replay starts nothing, and is refused by nothing.
  EXPECT_EQ(world.start(kAlice, "key"), first);
  auto refused = refusal();
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->problem, "limit-starts-per-user-per-minute");
  EXPECT_EQ(refused->use().max, 2);
  EXPECT_EQ(refused->use().used, 2);
  EXPECT_EQ(refused->retry_after, std::chrono::seconds(40));
  EXPECT_THAT(refused->task_ids, ElementsAre(first, second));
  EXPECT_FALSE(refusal(kBob));
  // An end gives nothing back, a restart forgives nothing, and what was refused does not count.
  world.service->stop(first, "user", kAlice);
  world.wait_ended(first);
  world.boot();
  EXPECT_TRUE(refusal());
  world.clock.advance(Millis{39'999});
  EXPECT_TRUE(refusal());
  world.clock.advance(Millis{1});
  EXPECT_FALSE(refusal());
}

// A clock that is set back by an hour must not lock users out for that hour.
TEST_F(LimitsTest, AClockThatStepsBackBeginsARateAnew) {
  world.options.limits.starts_per_user_per_minute = 1;
  world.boot();
  world.start();
  world.clock.set(world.clock.now() - Millis{3'600'000});
  EXPECT_FALSE(refusal());
  EXPECT_TRUE(refusal());
  world.clock.advance(Millis{60'000});
  EXPECT_FALSE(refusal());
}

// Two racing starts read the clock in one order and are admitted in the other.
TEST_F(LimitsTest, ARateCountsWhatWasAdmittedAMomentAheadOfTheClock) {
  world.options.limits.starts_per_user_per_minute = 1;
  world.boot();
  world.start();
  world.clock.set(world.clock.now() - Millis{1});
  EXPECT_TRUE(refusal());
}

// Another user's task is not there for who may not see it.
TEST_F(LimitsTest, ARefusalNamesTasksThatTheCallerMaySee) {
  world.options.limits.tasks_per_host = 2;
  world.boot();
  const std::string alices = world.start();
  const std::string bobs = world.start(kBob);
  EXPECT_THAT(refusal(kAlice, false)->task_ids, ElementsAre(alices));
  EXPECT_THAT(refusal(kAlice, true)->task_ids, ElementsAre(alices, bobs));
  EXPECT_EQ(refusal(kAlice, false)->use().used, 2);
}

}  // namespace
}  // namespace resmgr::tasks
