#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "agent/tasks/drain.h"
#include "agent/tasks/reconciler.h"
#include "common/error.h"
#include "common/event.h"
#include "tests/unit/tasks/world.h"

namespace resmgr::tasks {
namespace {

using engine::Op;
using journal::Phase;
using support::eventually;
using testing::ElementsAre;
using testing::HasSubstr;

class Lifecycle : public testing::Test {
 protected:
  World world;
};

TEST_F(Lifecycle, FromAdmissionToRemoval) {
  world.boot();
  const auto running = world.run();
  EXPECT_EQ(running.task.status, TaskStatus::running);
  EXPECT_TRUE(running.task.start_time.has_value());
  EXPECT_GT(running.task.container_port, 0);
  EXPECT_EQ(world.containers(), 1U);

  world.clock.advance(Millis{62'000});
  world.service->stop(running.task.task_id, "user", kAlice);
  const auto ended = world.wait_ended(running.task.task_id);
  EXPECT_EQ(ended.task.status, TaskStatus::stopped);
  EXPECT_EQ(ended.task.duration(), Millis{62'000});
  EXPECT_EQ(ended.task.usage_hash.size(), 64U);
  EXPECT_TRUE(world.wait_phase(running.task.task_id, Phase::removed));
  EXPECT_EQ(world.containers(), 0U);
  EXPECT_THAT(world.event_types(running.task.task_id),
              ElementsAre(event_type::kStartRequested, event_type::kCreated, event_type::kStarted,
                          event_type::kReady, event_type::kStopRequested, event_type::kEnded,
                          event_type::kRemoved));
}

// The engine tells of it after it has answered, and is not asked again for that.
TEST_F(Lifecycle, TheEnginesWordOfAStartThatWasSeenIsNoNews) {
  world.options.lane_threads = 0;
  // Nor does the sampler ask for anything meanwhile.
  world.options.sample_interval = std::chrono::hours{1};
  world.boot();
  TaskSteps steps(*world.service);
  const auto settles = [&](const std::string& id, TaskStatus status) {
    return eventually([&] {
      while (steps.lane([](std::size_t) { return std::size_t{0}; })) continue;
      return world.row(id).task.status == status;
    });
  };
  world.engine.withhold_events(true);
  const auto first = world.start();
  ASSERT_TRUE(settles(first, TaskStatus::running));
  const auto second = world.start(kBob);
  ASSERT_TRUE(settles(second, TaskStatus::running));
  world.engine.exit_container(world.name(second), 3);
  world.engine.clear_calls();
  world.engine.withhold_events(false);
  // Told later than both starts.
  ASSERT_TRUE(settles(second, TaskStatus::error));
  const std::string id = world.row(first).task.container_id;
  for (const auto& call : world.engine.calls()) {
    EXPECT_NE(call.subject, id);
    EXPECT_NE(call.subject, world.name(first));
  }
}

// Hazard 5: after the removal the engine's times are gone.
TEST_F(Lifecycle, TheEndIsOnRecordBeforeTheContainerIsRemoved) {
  world.boot();
  const auto running = world.run();
  world.clock.advance(Millis{5'000});
  world.engine.hold(Op::remove);
  world.service->stop(running.task.task_id, "user", kAlice);
  const auto ended = world.wait_ended(running.task.task_id);  // and the caller has the answer
  EXPECT_EQ(ended.task.duration(), Millis{5'000});
  EXPECT_EQ(ended.task.usage_hash.size(), 64U);
  ASSERT_TRUE(world.engine.wait_until_held(Op::remove));
  EXPECT_EQ(world.row(running.task.task_id).phase, Phase::ended);
  EXPECT_EQ(world.containers(), 1U);
  world.engine.release(Op::remove);
  EXPECT_TRUE(world.wait_phase(running.task.task_id, Phase::removed));
  EXPECT_EQ(world.containers(), 0U);
}

// Hazard 17: what never ran is not billed.
TEST_F(Lifecycle, ATaskWhoseContainerNeverRanHasNoUsageRecord) {
  world.engine.fail_next(Op::create, Error(ErrorKind::rejected, "no room"));
  world.boot();
  const auto failed = world.run();
  EXPECT_EQ(failed.task.status, TaskStatus::error);
  EXPECT_FALSE(failed.task.start_time);
  EXPECT_TRUE(failed.task.usage_hash.empty());
  EXPECT_FALSE(world.journal.reading(
      [&](journal::Reader& reader) { return reader.usage_record(failed.task.task_id); }));
}

// Hazard 19.
TEST_F(Lifecycle, TheContainerBearsTheSecretOnlyInItsEnvironment) {
  world.boot();
  const auto running = world.run();
  const auto url = world.service->iframe_url(running.task, true).value();
  const auto token = url.substr(url.find("?t=") + 3);
  EXPECT_EQ(token.size(), 64U);
  const auto spec = world.engine.spec_of(running.task.container_id);
  EXPECT_THAT(spec.env, ElementsAre(std::make_pair("TOKEN", token)));
  for (const auto& [name, value] : spec.labels) EXPECT_EQ(value.find(token), std::string::npos);
  world.journal.read([&](journal::Reader& reader) {
    for (const auto& event : reader.events_after(0, 100, "")) {
      EXPECT_EQ((event.details + event.task).find(token), std::string::npos);
    }
  });
  world.boot();  // the secret survives a restart of the agent
  EXPECT_EQ(world.service->iframe_url(running.task, true), url);
}

// Hazard 13.
TEST_F(Lifecycle, AMissingImageIsPulledOnceForAllWhoWait) {
  world.engine.remove_image("web:1");
  world.engine.add_pullable("web:1");
  world.engine.hold(Op::pull);
  // The test takes the lanes' steps, and so knows when both wait.
  world.options.lane_threads = 0;
  world.boot();
  TaskSteps steps(*world.service);
  const auto take_all = [&] {
    while (steps.lane([](std::size_t) { return std::size_t{0}; })) continue;
  };
  const auto first = world.start();
  const auto second = world.start(kBob);
  ASSERT_TRUE(eventually([&] {
    take_all();
    return world.engine.count(Op::create) >= 2;
  }));
  ASSERT_TRUE(world.engine.wait_until_held(Op::pull));
  world.engine.release(Op::pull);
  EXPECT_TRUE(eventually([&] {
    take_all();
    return world.row(first).task.status == TaskStatus::running &&
           world.row(second).task.status == TaskStatus::running;
  }));
  EXPECT_EQ(world.engine.count(Op::pull), 1);
}

TEST_F(Lifecycle, AnImageThatNobodyHasFailsTheStartInTheEnginesWords) {
  world.engine.remove_image("web:1");
  world.boot();
  const auto row = world.run();
  EXPECT_EQ(row.task.status, TaskStatus::error);
  EXPECT_EQ(row.failure, "rejected");
  EXPECT_THAT(row.task.status_reason, HasSubstr("web:1"));
  EXPECT_TRUE(row.task.usage_hash.empty());
}

// Hazard 13.
TEST_F(Lifecycle, AStopDuringAPullEndsTheTaskAtOnce) {
  world.engine.remove_image("web:1");
  world.engine.add_pullable("web:1");
  world.engine.hold(Op::pull);
  world.boot();
  const auto id = world.start();
  ASSERT_TRUE(world.engine.wait_until_held(Op::pull));
  world.service->stop(id, "user", kAlice);
  const auto row = world.wait_ended(id);
  EXPECT_EQ(row.task.status, TaskStatus::stopped);
  EXPECT_EQ(row.task.status_reason, "was stopped before it started");
  EXPECT_TRUE(row.task.usage_hash.empty());
  world.engine.release(Op::pull);
}

TEST_F(Lifecycle, AStopDuringTheCreateLeavesNothing) {
  world.engine.hold(Op::create);
  world.boot();
  const auto id = world.start();
  ASSERT_TRUE(world.engine.wait_until_held(Op::create));
  world.service->stop(id, "user", kAlice);
  world.engine.release(Op::create);
  EXPECT_EQ(world.wait_ended(id).task.status, TaskStatus::stopped);
  EXPECT_TRUE(eventually([&] { return world.containers() == 0; }));
  EXPECT_TRUE(world.wait_phase(id, Phase::removed));
}

TEST_F(Lifecycle, ACreateWithoutAnAnswerMakesOneContainer) {
  world.engine.do_then_fail(Op::create);
  world.boot();
  EXPECT_EQ(world.run().task.status, TaskStatus::running);
  EXPECT_EQ(world.containers(), 1U);
}

TEST_F(Lifecycle, AStartWithoutAnAnswerRunsOnce) {
  world.engine.do_then_fail(Op::start);
  world.boot();
  EXPECT_EQ(world.run().task.status, TaskStatus::running);
  EXPECT_EQ(world.containers(), 1U);
}

TEST_F(Lifecycle, AStopWithoutAnAnswerIsFinished) {
  world.boot();
  const auto running = world.run();
  world.engine.do_then_fail(Op::stop);
  world.engine.do_then_fail(Op::remove);
  world.service->stop(running.task.task_id, "user", kAlice);
  EXPECT_EQ(world.wait_ended(running.task.task_id).task.status, TaskStatus::stopped);
  EXPECT_TRUE(world.wait_phase(running.task.task_id, Phase::removed));
  EXPECT_EQ(world.containers(), 0U);
}

// Hazard 7: the engine itself tries some ports only.
TEST_F(Lifecycle, TakenPortsAreTriedPast) {
  world.engine.occupy_ports(20);
  world.boot();
  EXPECT_EQ(world.run().task.status, TaskStatus::running);
  EXPECT_EQ(world.engine.count(Op::start), 21);
}

// Hazard 7: each try moves on by one in a range.
TEST_F(Lifecycle, ARangeIsTriedAsOftenAsItHasPorts) {
  world.options.port_range = "30000-30199";
  world.engine.occupy_ports(150);
  world.boot();
  EXPECT_EQ(world.run().task.status, TaskStatus::running);
  EXPECT_EQ(world.engine.count(Op::start), 151);
}

TEST_F(Lifecycle, PortsThatAreAllTakenFailTheStart) {
  world.engine.occupy_ports(1'000);
  world.boot();
  const auto row = world.run();
  EXPECT_EQ(row.task.status, TaskStatus::error);
  EXPECT_EQ(world.engine.count(Op::start), 64);
  EXPECT_TRUE(world.wait_phase(row.task.task_id, Phase::removed));
  EXPECT_EQ(world.containers(), 0U);
}

TEST_F(Lifecycle, AServiceThatNeverAnswersIsStoppedAndBilled) {
  world.set_catalog(R"(
    name = "web"
    title = "Web"
    image = "web:1"
    container_port = 8080
    probe = { tcp = true, interval = "20ms" }
    start_timeout = "100ms"
  )");
  world.boot();
  const auto row = world.run();
  EXPECT_EQ(row.task.status, TaskStatus::error);
  EXPECT_EQ(row.failure, "not_ready");
  EXPECT_EQ(row.task.status_reason, "did not answer on its port 8080 within 100ms");
  EXPECT_EQ(row.task.usage_hash.size(), 64U);
  EXPECT_TRUE(world.wait_phase(row.task.task_id, Phase::removed));
  EXPECT_EQ(world.containers(), 0U);
}

TEST_F(Lifecycle, ANetworkThatWasPrunedIsMadeAgain) {
  world.boot();
  world.engine.prune_networks();
  EXPECT_EQ(world.run().task.status, TaskStatus::running);
}

TEST_F(Lifecycle, AnExitIsSeenWithTheEnginesTimeAndCode) {
  world.boot();
  const auto running = world.run();
  world.clock.advance(Millis{5'000});
  world.engine.exit_container(running.task.container_id, 3);
  const auto ended = world.wait_ended(running.task.task_id);
  EXPECT_EQ(ended.task.status, TaskStatus::error);
  EXPECT_EQ(ended.task.status_reason, "exited with code 3");
  EXPECT_EQ(ended.task.duration(), Millis{5'000});
  EXPECT_EQ(ended.task.precision, Precision::exact);
  EXPECT_TRUE(world.wait_phase(running.task.task_id, Phase::removed));
}

// Hazard 17: the engine's finish is before its start, for its clock was set back in between.
TEST_F(Lifecycle, ADurationIsNeverNegative) {
  world.boot();
  const auto running = world.run();
  const auto other = world.run();
  world.clock.set(world.clock.now() - std::chrono::hours{5});
  world.engine.exit_container(running.task.container_id, 0);
  const auto exited = world.wait_ended(running.task.task_id);
  EXPECT_EQ(exited.task.duration(), Millis{0});
  EXPECT_EQ(exited.task.stop_time, exited.task.start_time);
  world.service->stop(other.task.task_id, "user", kAlice);
  EXPECT_EQ(world.wait_ended(other.task.task_id).task.duration(), Millis{0});
  const auto record = world.journal.reading(
      [&](journal::Reader& reader) { return reader.usage_record(other.task.task_id); });
  EXPECT_THAT(record.value(), testing::HasSubstr("\"durationMs\":0,"));
}

// Hazard 8.
TEST_F(Lifecycle, AChildKilledForMemoryIsAnEventAndNoEnd) {
  world.boot();
  const auto running = world.run();
  world.engine.oom_kill_child(running.task.container_id);
  EXPECT_TRUE(eventually([&] {
    const auto types = world.event_types(running.task.task_id);
    return std::count(types.begin(), types.end(), event_type::kOom) == 1;
  }));
  EXPECT_EQ(world.row(running.task.task_id).task.status, TaskStatus::running);
}

TEST_F(Lifecycle, ARemovalByHandIsExactWhileWeWatch) {
  world.boot();
  const auto running = world.run();
  world.clock.advance(Millis{5'000});
  world.engine.remove_by_hand(running.task.container_id);
  const auto ended = world.wait_ended(running.task.task_id);
  EXPECT_EQ(ended.task.precision, Precision::exact);
  EXPECT_EQ(ended.task.duration(), Millis{5'000});
  EXPECT_EQ(ended.ended_by, "outside");
}

// The container is seen to be gone before the engine's word of its end comes.
TEST_F(Lifecycle, ARemovalByHandIsExactAlsoWhereItIsSeenBeforeItIsTold) {
  world.boot();
  const auto running = world.run();
  world.clock.advance(Millis{5'000});
  world.engine.withhold_events(true);
  world.engine.remove_by_hand(running.task.container_id);
  // Looking again and again does not shorten the wait for the word.
  for (int i = 0; i < 3; ++i) {
    const auto looks = world.engine.count(Op::inspect);
    world.service->reconcile({.user_id = kAlice, .name = ""}, Millis{0}, {});
    ASSERT_TRUE(eventually([&] { return world.engine.count(Op::inspect) > looks + 1; }));
  }
  world.engine.withhold_events(false);
  const auto ended = world.wait_ended(running.task.task_id);
  EXPECT_EQ(ended.task.precision, Precision::exact);
  EXPECT_EQ(ended.task.duration(), Millis{5'000});
}

TEST_F(Lifecycle, ARemovalWhileWeWereAwayIsBounded) {
  world.boot();
  const auto running = world.run();
  world.shut_down();
  world.clock.advance(Millis{5'000});
  world.engine.remove_by_hand(running.task.container_id);
  world.clock.advance(Millis{3'600'000});
  world.boot();
  const auto ended = world.wait_ended(running.task.task_id);
  EXPECT_EQ(ended.task.precision, Precision::bounded);
  EXPECT_LE(ended.task.duration(), Millis{5'000});
  EXPECT_EQ(ended.task.usage_hash.size(), 64U);
}

// Hazard 6: a restart overwrites the times of the first run.
TEST_F(Lifecycle, ARestartByHandEndsTheTaskAtItsFirstFinish) {
  world.boot();
  const auto running = world.run();
  world.clock.advance(Millis{5'000});
  world.engine.restart_by_hand(running.task.container_id);
  world.clock.advance(Millis{7'000});
  const auto ended = world.wait_ended(running.task.task_id);
  EXPECT_EQ(ended.task.duration(), Millis{5'000});
  EXPECT_EQ(ended.ended_by, "outside");
  EXPECT_TRUE(eventually([&] { return world.containers() == 0; }));
}

TEST_F(Lifecycle, ARestartByHandWhileWeWereAwayEndsItThere) {
  world.boot();
  const auto running = world.run();
  world.shut_down();
  world.clock.advance(Millis{5'000});
  world.engine.restart_by_hand(running.task.container_id);
  world.clock.advance(Millis{7'000});
  world.boot();
  const auto ended = world.wait_ended(running.task.task_id);
  EXPECT_EQ(ended.task.duration(), Millis{5'000});
  EXPECT_TRUE(eventually([&] { return world.containers() == 0; }));
}

// Hazard 4: labels are not enough.
TEST_F(Lifecycle, ForeignContainersAreLeftAlone) {
  world.boot();
  const auto running = world.run();
  // As after `docker commit` and `docker run`: all our labels, another name.
  engine::ContainerSpec foreign = world.engine.spec_of(running.task.container_id);
  foreign.name = "somebody-elses";
  const auto id = world.engine.create(foreign);
  world.engine.start(id);
  engine::ContainerSpec unlabelled;
  unlabelled.name = "plain";
  unlabelled.image = "web:1";
  world.engine.create(unlabelled);
  world.boot();
  world.service->stop(running.task.task_id, "user", kAlice);
  EXPECT_TRUE(world.wait_phase(running.task.task_id, Phase::removed));
  EXPECT_EQ(world.containers(), 2U);
  EXPECT_TRUE(world.engine.inspect(id)->alive());
}

// Hazard 4: nor are labels and name, where the journal knows the id.
TEST_F(Lifecycle, AnotherContainerUnderTheTasksNameAndLabelsIsNotTheTasks) {
  world.boot();
  const auto running = world.run();
  const auto spec = world.engine.spec_of(running.task.container_id);
  world.shut_down();
  world.engine.remove_by_hand(running.task.container_id);
  const auto other = world.engine.create(spec);
  world.engine.start(other);
  world.boot();
  const auto ended = world.wait_ended(running.task.task_id);
  EXPECT_EQ(ended.task.container_id, running.task.container_id);
  EXPECT_EQ(ended.task.precision, Precision::bounded);
  ASSERT_TRUE(world.wait_phase(running.task.task_id, Phase::removed));
  world.boot();
  EXPECT_TRUE(world.engine.inspect(other)->alive());
}

TEST_F(Lifecycle, AForeignContainerUnderOurNameFailsTheStart) {
  const auto id = world.admit_and_die();
  engine::ContainerSpec foreign;
  foreign.name = world.name(id);
  foreign.image = "web:1";
  world.engine.create(foreign);
  world.boot();
  const auto row = world.wait_started(id);
  EXPECT_EQ(row.task.status, TaskStatus::error);
  EXPECT_EQ(world.containers(), 1U);
}

// Hazard 20.
TEST_F(Lifecycle, LastOutputOfAnEndedTaskStays) {
  world.engine.set_program("web:1", {"hello\nlast words\n", std::nullopt, false});
  world.boot();
  const auto running = world.run();
  // The engine fails to give it once: it is asked again before the container is removed.
  world.engine.fail_next(engine::Op::logs, Error(ErrorKind::rejected, "the log is busy"));
  world.service->stop(running.task.task_id, "user", kAlice);
  ASSERT_TRUE(world.wait_phase(running.task.task_id, Phase::removed));
  std::string output;
  engine::LogOptions options;
  options.tail = 1;
  world.service->logs(running.task.task_id, options,
                      [&](std::string_view bytes) {
                        output += bytes;
                        return true;
                      },
                      {});
  EXPECT_EQ(output, "last words\n");
  // … as long as the task is kept.
  world.service->forget_output(running.task.task_id);
  EXPECT_THROW(
      world.service->logs(running.task.task_id, options, [](std::string_view) { return true; }, {}),
      Error);
}

}  // namespace
}  // namespace resmgr::tasks
