// Hazard 10: what is on record of a task's last hours when the engine's own record is gone or
// wrong.
#include "agent/tasks/heartbeats.h"

#include <gtest/gtest.h>

#include <utility>

#include "common/error.h"
#include "tests/unit/tasks/world.h"

namespace resmgr::tasks {
namespace {

using engine::Op;
using journal::Heartbeat;
using journal::HostMoment;
using journal::Phase;

constexpr Millis kSecond{1'000};
constexpr Millis kHour{3'600'000};

class HeartbeatsTest : public testing::Test {
 protected:
  // The agent dies. What it did last was a beat.
  void beat_and_die() {
    world.shut_down();
    EngineSession session(world.options.agent_id, world.engine, world.journal);
    session.establish();
    Heartbeats(world.options, world.journal, world.engine, session, world.clock).step();
  }
  std::optional<Heartbeat> stored() const {
    return world.journal.reading([](journal::Reader& reader) { return reader.heartbeat(); });
  }
  void lose_power(Millis off) {
    world.clock.reboot(off);
    world.options.boot_id += "'";
    world.engine.lose_power();
    world.clock.advance(20 * kSecond);  // until the agent starts
  }

  World world;
};

TEST_F(HeartbeatsTest, OneRowSaysThatAllLive) {
  world.boot();
  world.run();
  world.run(kBob);
  const auto before = world.journal.head();
  world.clock.advance(10 * kSecond);
  beat_and_die();
  EXPECT_EQ(stored(), (Heartbeat{{"boot 1", world.clock.now(), world.clock.since_boot()}, {}}));
  EXPECT_EQ(world.journal.head(), before);
}

TEST_F(HeartbeatsTest, ARemovalWhileNobodyWatchedIsBoundedByTheLastBeat) {
  world.boot();
  const auto running = world.run();
  world.clock.advance(10 * kSecond);
  beat_and_die();
  world.clock.advance(7 * kSecond);
  world.engine.remove_by_hand(running.task.container_id);
  world.clock.advance(kHour);
  world.boot();
  const auto ended = world.wait_ended(running.task.task_id);
  EXPECT_EQ(ended.task.precision, Precision::bounded);
  EXPECT_EQ(ended.task.duration(), 10 * kSecond);
}

TEST_F(HeartbeatsTest, APowerLossIsBoundedByTheLastBeatAndNotByTheNextBoot) {
  world.boot();
  const auto running = world.run();
  world.clock.advance(30 * kSecond);
  beat_and_die();
  world.clock.advance(4 * kSecond);
  lose_power(kHour);
  world.boot();
  const auto ended = world.wait_ended(running.task.task_id);
  EXPECT_EQ(ended.task.duration(), 30 * kSecond);
  EXPECT_EQ(ended.task.precision, Precision::bounded);
  EXPECT_EQ(ended.task.status, TaskStatus::error);
  EXPECT_EQ(ended.task.status_reason, "the host lost power or was reset");
  EXPECT_EQ(ended.task.usage_hash.size(), 64U);
  EXPECT_TRUE(world.wait_phase(running.task.task_id, Phase::removed));
}

// The boot's first beat is written, and then that process is killed too.
TEST_F(HeartbeatsTest, ABeatOfTheNextBootTakesNothingAway) {
  world.boot();
  const auto running = world.run();
  world.clock.advance(30 * kSecond);
  beat_and_die();
  lose_power(kHour);
  for (int process = 0; process < 2; ++process) {
    beat_and_die();
    world.clock.advance(10 * kSecond);
  }
  world.boot();
  const auto ended = world.wait_ended(running.task.task_id);
  EXPECT_EQ(ended.task.duration(), 30 * kSecond);
  EXPECT_EQ(ended.task.precision, Precision::bounded);
}

TEST_F(HeartbeatsTest, AnEndBeforeThePowerLossIsTheEnginesOwn) {
  world.boot();
  const auto running = world.run();
  beat_and_die();
  world.clock.advance(25 * kSecond);
  world.engine.exit_container(running.task.container_id, 0);
  world.clock.advance(kHour);
  lose_power(kHour);
  world.boot();
  const auto ended = world.wait_ended(running.task.task_id);
  EXPECT_EQ(ended.task.precision, Precision::exact);
  EXPECT_EQ(ended.task.duration(), 25 * kSecond);
  EXPECT_EQ(ended.task.status, TaskStatus::stopped);
}

TEST_F(HeartbeatsTest, ARealExitWith255OfTheSameBootIsExact) {
  world.boot();
  const auto running = world.run();
  beat_and_die();
  world.clock.advance(25 * kSecond);
  world.engine.exit_container(running.task.container_id, 255);
  world.clock.advance(kHour);
  world.boot();
  const auto ended = world.wait_ended(running.task.task_id);
  EXPECT_EQ(ended.task.precision, Precision::exact);
  EXPECT_EQ(ended.task.duration(), 25 * kSecond);
  EXPECT_EQ(ended.task.exit_code, 255);
}

// Without names of the boots the times have to tell.
TEST_F(HeartbeatsTest, APowerLossIsSeenWithoutBootIdsToo) {
  world.options.boot_id.clear();
  world.boot();
  const auto running = world.run();
  world.clock.advance(30 * kSecond);
  beat_and_die();
  lose_power(kHour);
  world.options.boot_id.clear();
  world.boot();
  const auto ended = world.wait_ended(running.task.task_id);
  EXPECT_EQ(ended.task.precision, Precision::bounded);
  EXPECT_EQ(ended.task.duration(), 30 * kSecond);
}

TEST_F(HeartbeatsTest, ATaskThatStartedAfterTheLastBeatLastedNoTimeThatAnybodySaw) {
  world.boot();
  world.clock.advance(5 * kSecond);
  const auto running = world.run();
  world.clock.advance(5 * kSecond);
  world.shut_down();
  lose_power(kHour);
  world.boot();
  const auto ended = world.wait_ended(running.task.task_id);
  EXPECT_EQ(ended.task.precision, Precision::bounded);
  EXPECT_EQ(ended.task.duration(), Millis{0});
}

// Unknown is never alive.
TEST_F(HeartbeatsTest, NoBeatWhileTheEngineDoesNotAnswer) {
  world.boot();
  world.run();
  world.clock.advance(10 * kSecond);
  world.shut_down();
  EngineSession session(world.options.agent_id, world.engine, world.journal);
  Heartbeats heartbeats(world.options, world.journal, world.engine, session, world.clock);
  const auto before = stored();
  heartbeats.step();  // it was not connected yet
  EXPECT_EQ(stored(), before);
  session.establish();
  world.engine.fail_next(Op::list, Error(ErrorKind::unavailable, "no answer"));
  EXPECT_THROW(heartbeats.step(), Error);
  EXPECT_EQ(stored(), before);
  heartbeats.step();
  EXPECT_NE(stored(), before);
}

TEST_F(HeartbeatsTest, AContainerThatIsDeadKeepsItsOlderBound) {
  world.boot();
  const auto dead = world.run();
  const auto alive = world.run(kBob);
  world.clock.advance(10 * kSecond);
  beat_and_die();
  const HostMoment seen{"boot 1", world.clock.now(), world.clock.since_boot()};
  world.engine.exit_container(dead.task.container_id, 0);
  world.clock.advance(10 * kSecond);
  beat_and_die();
  EXPECT_EQ(stored()->missed, (std::map<std::string, HostMoment>{{dead.task.task_id, seen}}));
  EXPECT_EQ(stored()->at.time, world.clock.now());
}

// Hazard 17.
TEST_F(HeartbeatsTest, AClockThatStepsBackMakesNoNegativeTime) {
  world.boot();
  const auto running = world.run();
  world.clock.set(world.clock.now() - kHour);
  world.clock.advance(10 * kSecond);
  beat_and_die();
  world.engine.remove_by_hand(running.task.container_id);
  world.boot();
  const auto ended = world.wait_ended(running.task.task_id);
  EXPECT_EQ(ended.task.duration(), Millis{0});
  EXPECT_EQ(ended.task.precision, Precision::bounded);
}

TEST_F(HeartbeatsTest, NothingIsWrittenWhileNothingRuns) {
  world.boot();
  world.clock.advance(10 * kSecond);
  const auto before = stored();
  ASSERT_TRUE(before);
  beat_and_die();
  EXPECT_EQ(stored(), before);
}

}  // namespace
}  // namespace resmgr::tasks
