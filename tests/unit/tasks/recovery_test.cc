// A process was killed; the next one finishes, adopts or undoes what it left.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "common/error.h"
#include "tests/unit/tasks/world.h"

namespace resmgr::tasks {
namespace {

using engine::Op;
using journal::Phase;
using support::eventually;
using testing::HasSubstr;

class Recovery : public testing::Test {
 protected:
  World world;
};

TEST_F(Recovery, AnAdmittedTaskIsStarted) {
  const auto id = world.admit_and_die();
  world.boot();
  EXPECT_EQ(world.wait_started(id).task.status, TaskStatus::running);
  EXPECT_EQ(world.containers(), 1U);
}

TEST_F(Recovery, ACreatedContainerIsStarted) {
  const auto id = world.admit_create_and_die();
  world.boot();
  EXPECT_EQ(world.wait_started(id).task.status, TaskStatus::running);
  EXPECT_EQ(world.containers(), 1U);
}

TEST_F(Recovery, ARunningContainerIsKept) {
  const auto id = world.admit_create_and_die();
  world.engine.start(world.name(id));
  world.boot();
  EXPECT_EQ(world.wait_started(id).task.status, TaskStatus::running);
  EXPECT_EQ(world.engine.count(Op::start), 1);
}

TEST_F(Recovery, AContainerThatEndedMeanwhileIsBilled) {
  const auto id = world.admit_create_and_die();
  world.engine.start(world.name(id));
  world.clock.advance(Millis{4'000});
  world.engine.exit_container(world.name(id), 0);
  world.clock.advance(Millis{60'000});
  world.boot();
  const auto row = world.wait_started(id);
  EXPECT_EQ(row.task.status, TaskStatus::error);  // it never became ready
  EXPECT_EQ(row.task.duration(), Millis{4'000});
  EXPECT_EQ(row.task.usage_hash.size(), 64U);
}

// The create of the killed process is still under way when the next one looks: 'absent' is not yet
// 'never'.
TEST_F(Recovery, ACreateThatComesTrueLateLeavesNothing) {
  const auto id = world.admit_and_die();
  world.engine.fail_then_do(Op::create);
  EXPECT_THROW(world.engine.create(
                   container_spec(world.options, *world.catalog->find("web"), world.row(id))),
               Error);
  world.intend_to_stop(id);
  world.engine.hold(Op::create);
  world.boot();
  ASSERT_TRUE(world.engine.wait_until_held(Op::create));  // it asks instead of believing the list
  world.engine.do_late();
  world.engine.release(Op::create);
  EXPECT_TRUE(world.wait_phase(id, Phase::removed));
  EXPECT_EQ(world.containers(), 0U);
}

// The start of the killed process comes true while the next one removes the created container.
TEST_F(Recovery, AStartThatComesTrueLateIsStoppedAndBilled) {
  const auto id = world.admit_create_and_die();
  world.intend_to_stop(id);
  world.engine.hold(Op::remove);
  world.boot();
  ASSERT_TRUE(world.engine.wait_until_held(Op::remove));
  world.engine.start(world.name(id));
  world.clock.advance(Millis{500});
  world.engine.release(Op::remove);
  const auto row = world.wait_ended(id);
  EXPECT_EQ(row.task.status, TaskStatus::stopped);
  EXPECT_EQ(row.task.usage_hash.size(), 64U);
  EXPECT_TRUE(world.wait_phase(id, Phase::removed));
  EXPECT_EQ(world.containers(), 0U);
}

// Hazard 2: the row moved on while the engine was at work, so that what was planned no longer
// holds.
TEST_F(Recovery, AStopThatComesWhileTheEngineStartsIsNotOverwritten) {
  world.boot();
  world.engine.hold(Op::start);
  const auto id = world.start();
  ASSERT_TRUE(world.engine.wait_until_held(Op::start));
  world.service->stop(id, "user", kAlice);
  world.engine.release(Op::start);
  const auto row = world.wait_ended(id);
  EXPECT_EQ(row.task.status, TaskStatus::stopped);
  EXPECT_EQ(row.ended_by, "user");
  EXPECT_TRUE(world.wait_phase(id, Phase::removed));
  EXPECT_EQ(world.containers(), 0U);
}

TEST_F(Recovery, AStopIsFinished) {
  world.boot();
  const auto running = world.run();
  world.shut_down();
  world.intend_to_stop(running.task.task_id);
  world.boot();
  EXPECT_EQ(world.wait_ended(running.task.task_id).task.status, TaskStatus::stopped);
  EXPECT_TRUE(world.wait_phase(running.task.task_id, Phase::removed));
}

TEST_F(Recovery, AnEndedTasksContainerIsRemoved) {
  world.boot();
  const auto running = world.run();
  world.engine.fail_next(Op::remove, Error(ErrorKind::unavailable, "no answer"), 3);
  world.service->stop(running.task.task_id, "user", kAlice);
  world.wait_ended(running.task.task_id);
  world.boot();
  EXPECT_TRUE(world.wait_phase(running.task.task_id, Phase::removed));
  EXPECT_EQ(world.containers(), 0U);
}

TEST_F(Recovery, AnEngineThatIsAwayMeansUnknown) {
  world.boot();
  const auto running = world.run();
  world.engine.set_reachable(false);
  ASSERT_TRUE(eventually([&] { return !world.service->engine_health().reachable; }));
  EXPECT_THROW(world.start(), Error);
  world.boot();
  EXPECT_FALSE(world.service->engine_health().reachable);
  EXPECT_EQ(world.row(running.task.task_id).phase, Phase::ready);
  world.engine.set_reachable(true);
  ASSERT_TRUE(eventually([&] { return world.service->engine_health().reachable; }));
  EXPECT_EQ(world.row(running.task.task_id).phase, Phase::ready);
}

TEST_F(Recovery, AStopWhileTheEngineIsAwayIsDoneLater) {
  world.boot();
  const auto running = world.run();
  world.engine.set_reachable(false);
  ASSERT_TRUE(eventually([&] { return !world.service->engine_health().reachable; }));
  world.service->stop(running.task.task_id, "user", kAlice);
  world.service->stop(running.task.task_id, "user", kAlice);
  EXPECT_EQ(world.row(running.task.task_id).phase, Phase::stopping);
  world.engine.set_reachable(true);
  EXPECT_EQ(world.wait_ended(running.task.task_id).task.status, TaskStatus::stopped);
}

// Hazard 3.
TEST_F(Recovery, AnotherEnginesEmptyListClosesNothing) {
  world.boot();
  const auto running = world.run();
  world.shut_down();
  world.engine.forget_everything();
  world.boot();
  const auto health = world.service->engine_health();
  EXPECT_FALSE(health.reachable);
  EXPECT_THAT(health.last_error, HasSubstr("cannot trust the engine"));
  EXPECT_EQ(world.row(running.task.task_id).phase, Phase::ready);
  const std::string network = engine::network_name(world.options.agent_id);
  EXPECT_FALSE(world.engine.inspect_network(network));
  // If it is the same engine, and somebody has removed all of it, this is the way out.
  EXPECT_THAT(health.last_error, HasSubstr("docker network create"));
  EXPECT_THAT(health.last_error, HasSubstr(network));
  engine::NetworkSpec spec;
  spec.name = network;
  spec.labels = engine::ours(world.options.agent_id);
  world.engine.create_network(spec);
  EXPECT_EQ(world.wait_ended(running.task.task_id).task.precision, Precision::bounded);
}

TEST_F(Recovery, APrunedNetworkAloneIsMadeAgain) {
  world.boot();
  const auto running = world.run();
  world.shut_down();
  world.engine.prune_networks();
  world.boot();
  EXPECT_TRUE(world.service->engine_health().reachable);
  EXPECT_EQ(world.row(running.task.task_id).phase, Phase::ready);
}

TEST_F(Recovery, AContainerOfALostJournalIsAdopted) {
  world.boot();
  const auto running = world.run();
  world.shut_down();
  journal::Journal empty({world.temp.path() / "new.db"});
  TaskService service(world.options, empty, world.engine, world.catalog, world.clock);
  service.run();
  EXPECT_TRUE(eventually([&] {
    const auto row =
        empty.reading([&](journal::Reader& reader) { return reader.task(running.task.task_id); });
    return row && row->phase == Phase::ready;
  }));
}

TEST_F(Recovery, EventsThatWereMissedAreFoundByTheTimer) {
  world.boot();
  const auto running = world.run();
  world.engine.break_streams();
  world.engine.exit_container(running.task.container_id, 0);
  EXPECT_EQ(world.wait_ended(running.task.task_id).task.exit_code, 0);
}

// Hazard 7: after a restart of the engine a freed port is given to the next container.
TEST_F(Recovery, AUrlIsGivenOnlyFromAPortSeenInThisConnection) {
  world.boot();
  const auto running = world.run();
  EXPECT_TRUE(world.service->iframe_url(running.task, false));
  world.engine.set_reachable(false);
  ASSERT_TRUE(eventually([&] { return !world.service->engine_health().reachable; }));
  EXPECT_FALSE(world.service->iframe_url(running.task, false));
  EXPECT_EQ(world.service->iframe_url(running.task, true), "");
}

}  // namespace
}  // namespace resmgr::tasks
