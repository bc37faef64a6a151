// Warm containers: kept ready, claimed at once, used once.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "agent/tasks/difference.h"
#include "common/error.h"
#include "common/event.h"
#include "common/ids.h"
#include "tests/unit/tasks/warm_fixture.h"

namespace resmgr::tasks {
namespace {

using engine::Op;
using journal::Phase;
using journal::SlotPhase;
using support::eventually;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST_F(Warm, AsManyAreMadeAsTheCatalogWants) {
  world.boot();
  ASSERT_TRUE(has_ready(2));
  EXPECT_EQ(world.containers(), 2U);
  for (const auto& slot : slots()) {
    const auto made = container(slot.container_id);
    EXPECT_EQ(made.name, engine::container_name(slot.slot_id));
    EXPECT_EQ(made.labels.at(engine::kLabelSlotId), slot.slot_id);
    EXPECT_FALSE(made.labels.contains(engine::kLabelTaskId));
    EXPECT_FALSE(made.labels.contains(engine::kLabelUserId));
  }
  EXPECT_EQ(pool().wanted, 2);
  EXPECT_EQ(pool().ready, 2);
  EXPECT_TRUE(pool().refill_time);
}

TEST_F(Warm, AStartGetsOneAndTheRestIsRefilled) {
  world.boot();
  ASSERT_TRUE(has_ready(2));
  hold_refills();
  const auto oldest = slots().front();
  world.clock.advance(Millis{60'000});
  const auto row = world.run();
  EXPECT_EQ(row.task.status, TaskStatus::running);
  EXPECT_EQ(row.task.container_id, oldest.container_id);
  EXPECT_EQ(row.warm.slot_id, oldest.slot_id);
  EXPECT_TRUE(is_named(row));
  EXPECT_THAT(world.event_types(row.task.task_id),
              ElementsAre(event_type::kStartRequested, event_type::kStarted, event_type::kReady));
  EXPECT_EQ(pool().hits, 1);
  EXPECT_EQ(pool().misses, 0);
  world.engine.release(Op::create);
  EXPECT_TRUE(has_ready(2));
  EXPECT_EQ(world.containers(), 3U);
}

TEST_F(Warm, UsageBeginsAtTheClaim) {
  world.boot();
  ASSERT_TRUE(has_ready(2));
  hold_refills();
  const auto born = container(slots().front().container_id).started_at;
  engine::Stats stats;
  stats.cpu_time = Millis{9'000};
  stats.network_rx_bytes = 500;
  world.engine.set_stats(slots().front().container_id, stats);
  world.clock.advance(Millis{3'600'000});
  const Instant claimed = world.clock.now();
  const auto row = world.run();
  EXPECT_EQ(row.task.start_time, claimed);
  EXPECT_EQ(row.container_started_at(), born);

  stats.cpu_time = Millis{9'250};
  stats.network_rx_bytes = 620;
  world.engine.set_stats(row.task.container_id, stats);
  world.clock.advance(Millis{2'000});
  world.service->stop(row.task.task_id, "user", kAlice);
  const auto ended = world.wait_ended(row.task.task_id);
  EXPECT_EQ(ended.task.duration(), Millis{2'000});
  EXPECT_EQ(ended.cpu_ms, 250);
  const auto events = world.journal.reading(
      [&](journal::Reader& reader) { return reader.events_of(row.task.task_id); });
  EXPECT_THAT(events.back().details, HasSubstr(R"("networkRxBytes":120)"));
  EXPECT_TRUE(world.wait_phase(row.task.task_id, Phase::removed));
  world.engine.release(Op::create);
}

TEST_F(Warm, EachHasASecretOfItsOwnWhichIsTheTasks) {
  world.boot();
  ASSERT_TRUE(has_ready(2));
  const auto row = world.run();
  const auto url = world.service->iframe_url(row.task, true).value();
  const auto env = world.engine.spec_of(row.task.container_id).env;
  ASSERT_EQ(env.size(), 1U);
  EXPECT_THAT(url, HasSubstr("/?t=" + env[0].second));
  for (const auto& slot : slots()) {
    if (slot.container_id.empty() || slot.slot_id == row.warm.slot_id) continue;
    EXPECT_NE(world.engine.spec_of(slot.container_id).env[0].second, env[0].second);
  }
  world.boot();
  EXPECT_TRUE(eventually([&] { return world.service->iframe_url(row.task, true) == url; }));
}

TEST_F(Warm, NoneIsGivenOutTwice) {
  world.boot();
  ASSERT_TRUE(has_ready(2));
  std::vector<std::string> tasks;
  for (int i = 0; i < 5; ++i) tasks.push_back(world.start(i % 2 == 0 ? kAlice : kBob));
  std::vector<std::string> containers;
  for (const auto& id : tasks) containers.push_back(world.wait_started(id).task.container_id);
  std::sort(containers.begin(), containers.end());
  EXPECT_EQ(std::unique(containers.begin(), containers.end()), containers.end());
  EXPECT_TRUE(has_ready(2));
  EXPECT_EQ(pool().hits + pool().misses, 5);
}

TEST_F(Warm, OneThatDiedJustThenMakesTheTaskStartCold) {
  world.boot();
  ASSERT_TRUE(has_ready(2));
  // The claim finds it ready in the journal; the engine's word of its end is on its way.
  world.engine.withhold_events(true);
  const auto dead = slots().front();
  world.engine.exit_container(dead.container_id, 1);
  const auto row = world.run();
  EXPECT_EQ(row.task.status, TaskStatus::running);
  EXPECT_NE(row.task.container_id, dead.container_id);
  EXPECT_EQ(row.warm.slot_id, "");
  EXPECT_EQ(container(row.task.container_id).name, world.name(row.task.task_id));
  world.engine.withhold_events(false);
  EXPECT_TRUE(has_ready(2));
  EXPECT_FALSE(world.engine.inspect(dead.container_id));
  EXPECT_EQ(pool().misses, 1);
}

TEST_F(Warm, OneThatWasRestartedByHandIsNotGivenOut) {
  world.boot();
  ASSERT_TRUE(has_ready(2));
  const auto slot = slots().front();
  world.clock.advance(Millis{1'000});
  world.engine.restart_by_hand(slot.container_id);
  EXPECT_TRUE(eventually([&] { return !world.engine.inspect(slot.container_id); }));
  EXPECT_TRUE(has_ready(2));
}

TEST_F(Warm, AStopBeforeItIsTakenOverBillsNothing) {
  world.boot();
  ASSERT_TRUE(has_ready(2));
  world.engine.hold(Op::stats);
  const auto id = world.start();
  ASSERT_TRUE(world.engine.wait_until_held(Op::stats));
  world.service->stop(id, "user", kAlice);
  world.engine.release(Op::stats);
  const auto row = world.wait_ended(id);
  EXPECT_EQ(row.task.status, TaskStatus::stopped);
  EXPECT_FALSE(row.task.start_time);
  EXPECT_EQ(row.task.usage_hash, "");
  EXPECT_TRUE(has_ready(2));
  EXPECT_EQ(world.containers(), 2U);  // it is not given to another
  EXPECT_EQ(pool().hits + pool().misses, 0);
}

TEST_F(Warm, TheNextProcessFinishesAClaim) {
  world.boot();
  ASSERT_TRUE(has_ready(2));
  world.shut_down();
  const auto slot = slots().front();
  const auto id = world.admit_and_die();
  EXPECT_EQ(world.row(id).warm.slot_id, slot.slot_id);
  world.boot();
  EXPECT_EQ(world.wait_started(id).task.container_id, slot.container_id);
  EXPECT_TRUE(has_ready(2));
}

TEST_F(Warm, TheNextProcessKeepsThemWarm) {
  world.boot();
  ASSERT_TRUE(has_ready(2));
  const auto before = slots();
  world.shut_down();
  world.boot();
  ASSERT_TRUE(has_ready(2));
  EXPECT_EQ(slots().front().container_id, before.front().container_id);
  EXPECT_EQ(world.engine.count(Op::create), 2);
}

TEST_F(Warm, NobodyWaitsForTheNameWhichTheNextProcessGives) {
  world.boot();
  ASSERT_TRUE(has_ready(2));
  world.engine.hold(Op::rename);
  world.engine.fail_next(Op::rename, Error(ErrorKind::unavailable, "no answer in time"));
  const auto row = world.run();
  EXPECT_EQ(container(row.task.container_id).name, engine::container_name(row.warm.slot_id));
  world.engine.release(Op::rename);
  world.shut_down();
  world.boot();
  EXPECT_TRUE(is_named(row));
  EXPECT_TRUE(has_ready(2));
  EXPECT_EQ(world.row(row.task.task_id).phase, Phase::ready);
}

TEST_F(Warm, ATaskThatEndsBeforeItsContainerHasItsNameLeavesNothing) {
  world.boot();
  ASSERT_TRUE(has_ready(2));
  world.engine.hold(Op::rename);
  const auto row = world.run();
  ASSERT_TRUE(world.engine.wait_until_held(Op::rename));
  world.service->stop(row.task.task_id, "user", kAlice);
  EXPECT_TRUE(world.wait_phase(row.task.task_id, Phase::removed));
  world.engine.release(Op::rename);
  EXPECT_TRUE(has_ready(2));
  EXPECT_EQ(world.containers(), 2U);
}

// Of a journal that was put back nobody knows who was given what after it.
TEST_F(Warm, WhatIsNotTrustedIsMadeAnew) {
  world.boot();
  ASSERT_TRUE(has_ready(2));
  const auto before = slots();
  world.service->distrust_warm();
  const auto row = world.run();
  for (const auto& slot : before) EXPECT_NE(row.task.container_id, slot.container_id);
  EXPECT_TRUE(eventually([&] {
    return ready() == 2 && std::none_of(before.begin(), before.end(), [&](const auto& slot) {
             return world.engine.inspect(slot.container_id).has_value();
           });
  }));
}

// A journal of before the claim: who has it is told by its name alone.
TEST_F(Warm, ARestoredJournalGivesNobodyWhatSomebodyHas) {
  world.boot();
  ASSERT_TRUE(has_ready(2));
  const auto before = slots().front();
  const auto row = world.run();
  ASSERT_TRUE(is_named(row));
  world.shut_down();
  world.journal.transact([&](journal::Transaction& transaction) {
    for (const auto& slot : transaction.slots()) transaction.erase_slot(slot);
    auto restored = before;
    transaction.insert_slot(restored);
  });
  const auto id = world.admit_and_die(kBob);
  ASSERT_EQ(world.row(id).warm.slot_id, before.slot_id);
  world.boot();
  EXPECT_NE(world.wait_started(id).task.container_id, row.task.container_id);
  EXPECT_TRUE(container(row.task.container_id).alive());
  EXPECT_EQ(world.row(row.task.task_id).phase, Phase::ready);
}

TEST_F(Warm, AClaimedOneThatTheJournalDoesNotKnowIsAdopted) {
  world.boot();
  ASSERT_TRUE(has_ready(2));
  const auto row = world.run();
  ASSERT_TRUE(is_named(row));
  const auto state = container(row.task.container_id);
  // Another journal, the same engine and agent.
  World other;
  other.options = world.options;
  other.options.data_dir = other.temp.path();
  const auto whose = engine::belonging_of(state.labels, state.name, world.options.agent_id);
  ASSERT_TRUE(whose);
  EXPECT_EQ(whose->task_id, row.task.task_id);
  EXPECT_EQ(whose->user_id, kAlice);
  EXPECT_EQ(whose->slot_id, row.warm.slot_id);
  TaskService heir(other.options, other.journal, world.engine, world.catalog, world.clock);
  heir.run();
  ASSERT_TRUE(eventually([&] {
    const auto adopted = other.journal.reading(
        [&](journal::Reader& reader) { return reader.task(row.task.task_id); });
    return adopted && adopted->phase == Phase::ready;
  }));
  const auto adopted = other.row(row.task.task_id);
  EXPECT_EQ(adopted.task.user_id, kAlice);
  EXPECT_EQ(adopted.task.start_time, time_of_uuid_v7(row.task.task_id));
  EXPECT_EQ(adopted.container_started_at(), row.container_started_at());
  world.shut_down();
}

TEST_F(Warm, ALeftoverOfALostJournalIsRemoved) {
  world.boot();
  ASSERT_TRUE(has_ready(2));
  world.shut_down();
  world.journal.transact([&](journal::Transaction& transaction) {
    for (const auto& slot : transaction.slots()) transaction.erase_slot(slot);
  });
  want(0);
  world.boot();
  EXPECT_TRUE(eventually([&] { return world.containers() == 0; }));
}

// The create of a process that died is still under way.
TEST_F(Warm, ALateCreateOfADrainedSlotLeaksNothing) {
  want(1);
  world.engine.fail_then_do(Op::create);
  world.engine.hold(Op::inspect);
  world.boot();
  ASSERT_TRUE(eventually([&] { return slots().size() == 1; }));
  world.engine.release(Op::inspect);
  ASSERT_TRUE(eventually([&] { return world.engine.count(Op::create) >= 1; }));
  want(0);
  world.engine.do_late();
  EXPECT_TRUE(eventually([&] { return slots().empty() && world.containers() == 0; }));
}

TEST_F(Warm, WithTheEngineAwayNothingIsClosed) {
  world.boot();
  ASSERT_TRUE(has_ready(2));
  world.engine.set_reachable(false);
  ASSERT_TRUE(eventually([&] { return !world.service->engine_health().reachable; }));
  TaskSteps(*world.service).fill();
  EXPECT_EQ(ready(), 2);
  world.engine.set_reachable(true);
  ASSERT_TRUE(eventually([&] { return world.service->engine_health().reachable; }));
  EXPECT_EQ(world.run().task.status, TaskStatus::running);
  EXPECT_TRUE(has_ready(2));
}

TEST_F(Warm, HeartbeatsKnowAClaimedOne) {
  world.boot();
  ASSERT_TRUE(has_ready(2));
  const auto row = world.run();
  TaskSteps(*world.service).beat();
  const auto beat =
      world.journal.reading([](journal::Reader& reader) { return reader.heartbeat(); });
  ASSERT_TRUE(beat);
  EXPECT_THAT(beat->missed, IsEmpty());
}

TEST_F(Warm, NoneOfThemIsForeignToTheReconciler) {
  world.boot();
  ASSERT_TRUE(has_ready(2));
  const auto row = world.run();
  ASSERT_TRUE(has_ready(2));
  EXPECT_THAT(world.service->compare().differences, IsEmpty());
}

}  // namespace
}  // namespace resmgr::tasks
