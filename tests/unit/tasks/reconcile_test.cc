// Journal and engine compared in the open, and brought together.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <string>
#include <thread>

#include "agent/tasks/difference.h"
#include "agent/tasks/drain.h"
#include "common/event.h"
#include "common/ids.h"
#include "tests/unit/tasks/world.h"

namespace resmgr::tasks {
namespace {

using Class = Difference::Class;
using Outcome = Difference::Outcome;
using engine::Op;
using journal::Phase;
using support::eventually;
using testing::HasSubstr;

constexpr Millis kLong{60'000};
const Requester kOperator{"99999999-9999-4999-8999-999999999999", "root"};

class ReconcileTest : public testing::Test {
 protected:
  // A container of a task that the journal has never heard of.
  std::string make_container(const std::string& name_or_empty = "") {
    const std::string task_id = new_uuid_v7(world.clock.now());
    journal::TaskRow row;
    row.task.task_id = task_id;
    row.task.user_id = kBob;
    row.task.service_type = "web";
    row.task.created_at = world.clock.now();
    auto spec = container_spec(world.options, *world.catalog->find("web"), row);
    if (!name_or_empty.empty()) spec.name = name_or_empty;
    world.engine.create(spec);
    return task_id;
  }
  Reconciliation settle(Millis wait = kLong) {
    return world.service->reconcile(kOperator, wait, {});
  }
  int events(const std::string& type) const {
    return world.journal.reading([&](journal::Reader& reader) {
      int count = 0;
      for (const auto& event : reader.events_after(0, 10'000, "")) count += event.type == type;
      return count;
    });
  }
  static std::string classes(const Reconciliation& result) {
    std::string text;
    for (const auto& one : result.differences) {
      text += std::string(text.empty() ? "" : " ") + std::string(to_string(one.kind)) + ":" +
              std::string(to_string(one.outcome));
    }
    return text;
  }

  World world;
};

TEST_F(ReconcileTest, SaysNothingWhereBothAgree) {
  world.boot();
  world.run();
  const auto result = world.service->compare();
  EXPECT_EQ(classes(result), "");
  EXPECT_EQ(result.agreeing, 1);
  EXPECT_TRUE(result.engine_reachable);
  EXPECT_TRUE(result.dry_run);
}

// Hazard 1 and the restored journal: created containers count, too.
TEST_F(ReconcileTest, ACreatedContainerThatNobodyKnowsIsRemoved) {
  world.boot();
  make_container();
  EXPECT_EQ(classes(world.service->compare()), "remove:planned");
  EXPECT_EQ(world.containers(), 1U);
  const auto done = settle();
  EXPECT_EQ(classes(done), "remove:done");
  EXPECT_EQ(done.differences[0].act, Act::discard);  // what it was, not what was left of it last
  EXPECT_EQ(world.containers(), 0U);
  EXPECT_EQ(events(event_type::kReconcileRequested), 1);
}

TEST_F(ReconcileTest, ADryRunLooksAndAdoptsNothing) {
  world.boot();
  // The lane that the engine's event wakes can't write meanwhile.
  std::promise<void> held;
  std::promise<void> release;
  std::thread writer([&] {
    world.journal.transact([&](journal::Transaction&) {
      held.set_value();
      release.get_future().wait();
    });
  });
  held.get_future().wait();
  const std::string task_id = make_container();
  world.engine.start(world.name(task_id));
  const auto calls_before = world.engine.count(Op::stop) + world.engine.count(Op::remove);
  const auto shown = world.service->compare();
  EXPECT_EQ(classes(shown), "adopt:planned");
  EXPECT_EQ(shown.differences[0].task_id, task_id);
  EXPECT_EQ(shown.differences[0].state, engine::ContainerStatus::running);
  EXPECT_FALSE(shown.differences[0].phase);
  EXPECT_EQ(world.engine.count(Op::stop) + world.engine.count(Op::remove), calls_before);
  EXPECT_FALSE(world.journal.reading([&](journal::Reader& reader) { return reader.task(task_id); })
                   .has_value());
  release.set_value();
  writer.join();
  settle();
  const auto row = world.row(task_id);
  EXPECT_EQ(row.phase, Phase::ready);
  EXPECT_EQ(row.task.user_id, kBob);
  // What it reserves of the host is the catalog's word.
  EXPECT_EQ(row.memory_bytes, world.catalog->find("web")->memory_bytes);
  EXPECT_EQ(classes(world.service->compare()), "");
}

// Hazard 4.
TEST_F(ReconcileTest, AForeignContainerIsShownAndLeft) {
  world.boot();
  make_container("lazy_darwin");
  world.engine.start("lazy_darwin");
  EXPECT_EQ(classes(world.service->compare()), "foreign:planned");
  EXPECT_EQ(classes(settle()), "foreign:left");
  EXPECT_TRUE(world.engine.inspect("lazy_darwin")->alive());
}

TEST_F(ReconcileTest, AnotherAgentsContainersAreNotShown) {
  world.boot();
  const std::string own = world.options.agent_id;
  world.options.agent_id = "bbbbbbbb-0000-4000-8000-000000000002";
  make_container();
  world.options.agent_id = own;
  EXPECT_EQ(classes(world.service->compare()), "");
}

TEST_F(ReconcileTest, AnEngineThatIsAwayMakesAllUnknownAndNothingIsDone) {
  world.boot();
  world.run();
  world.run();
  world.engine.set_reachable(false);
  ASSERT_TRUE(eventually([&] { return !world.service->engine_health().reachable; }));
  const auto shown = world.service->compare();
  EXPECT_EQ(classes(shown), "unknown:planned unknown:planned");
  EXPECT_FALSE(shown.engine_reachable);
  EXPECT_FALSE(shown.engine_error.empty());
  EXPECT_EQ(classes(settle()), "unknown:unknown unknown:unknown");
  EXPECT_EQ(events(event_type::kReconcileRequested), 0);
  world.engine.set_reachable(true);
  ASSERT_TRUE(eventually([&] { return world.service->engine_health().reachable; }));
  EXPECT_EQ(classes(world.service->compare()), "");
}

// The session stands, and yet a question gets no answer: the rest is not asked.
TEST_F(ReconcileTest, OneUnansweredQuestionMakesAllOfItUnknown) {
  world.boot();
  for (int i = 0; i < 3; ++i) world.run();
  world.engine.fail_next(Op::inspect, Error(ErrorKind::unavailable, "no answer"));
  world.engine.clear_calls();
  const auto shown = world.service->compare();
  EXPECT_EQ(classes(shown), "unknown:planned unknown:planned unknown:planned");
  EXPECT_EQ(shown.engine_error, "no answer");
  EXPECT_EQ(world.engine.count(Op::inspect), 1);
}

// The engine answers, and of one container with a fault of its own: the others are known.
TEST_F(ReconcileTest, OneRefusedQuestionLeavesOneUnknown) {
  world.boot();
  for (int i = 0; i < 3; ++i) world.run();
  world.engine.fail_next(Op::inspect, Error(ErrorKind::rejected, "a fault of the engine"));
  const auto shown = world.service->compare();
  EXPECT_EQ(classes(shown), "unknown:planned");
  EXPECT_EQ(shown.agreeing, 2);
  EXPECT_TRUE(shown.engine_reachable);
}

TEST_F(ReconcileTest, WhatTakesLongIsPending) {
  world.boot();
  world.engine.hold(Op::create);
  const std::string id = world.start();
  ASSERT_TRUE(world.engine.wait_until_held(Op::create));
  EXPECT_EQ(classes(settle(Millis{30})), "finish:pending");
  // … and one who stops waits for nobody.
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(classes(world.service->reconcile(kOperator, kLong, stop.get_token())),
            "finish:pending");
  world.engine.release(Op::create);
  world.wait_started(id);
}

TEST_F(ReconcileTest, AnEndThatWasMissedIsClosedAndCleared) {
  world.boot();
  const auto running = world.run();
  // Its lane is at it, and the engine does not let it remove what is left.
  world.engine.hold(Op::remove);
  world.engine.exit_container(world.name(running.task.task_id), 3);
  ASSERT_TRUE(world.engine.wait_until_held(Op::remove));
  const auto shown = world.service->compare();
  ASSERT_EQ(classes(shown), "remove:planned");
  EXPECT_EQ(shown.differences[0].phase, Phase::ended);
  EXPECT_EQ(shown.differences[0].status, TaskStatus::error);
  world.engine.release(Op::remove);
  settle();
  EXPECT_TRUE(world.wait_phase(running.task.task_id, Phase::removed));
  EXPECT_EQ(world.containers(), 0U);
}

// Hazard 40.
TEST_F(ReconcileTest, ADrainedHostStartsNothingAndStopsAll) {
  world.boot();
  const auto first = world.run();
  const std::string replayed = world.start(kAlice, "key");
  const Drain drain = world.service->drain("new kernel", kOperator);
  EXPECT_EQ(drain.since, world.clock.now());
  for (int life = 0; life < 2; ++life) {
    try {
      world.start();
      ADD_FAILURE() << "it was started";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::unavailable);
      EXPECT_EQ(error.problem, "draining");
      EXPECT_THAT(error.message(), HasSubstr("new kernel"));
    }
    // What was promised is answered.
    EXPECT_EQ(world.start(kAlice, "key"), replayed);
    world.boot();  // it outlives the agent
  }
  world.service->stop(first.task.task_id, "user", kAlice);
  EXPECT_EQ(world.wait_ended(first.task.task_id).task.status, TaskStatus::stopped);
  world.service->resume(kOperator);
  EXPECT_FALSE(world.service->draining());
  world.run();
  EXPECT_EQ(events(event_type::kAgentDrained), 1);
  EXPECT_EQ(events(event_type::kAgentResumed), 1);
}

TEST_F(ReconcileTest, DrainingAgainKeepsWhenItBegan) {
  world.boot();
  const Instant began = world.clock.now();
  world.service->drain("first", kOperator);
  world.clock.advance(Millis{5'000});
  EXPECT_EQ(world.service->drain("", kOperator).reason, "first");
  const Drain again = world.service->drain("second", kOperator);
  EXPECT_EQ(again.reason, "second");
  EXPECT_EQ(again.since, began);
  EXPECT_EQ(events(event_type::kAgentDrained), 2);
  world.service->resume(kOperator);
  world.service->resume(kOperator);
  EXPECT_EQ(events(event_type::kAgentResumed), 1);
}

}  // namespace
}  // namespace resmgr::tasks
