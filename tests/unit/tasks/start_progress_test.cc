#include "agent/tasks/start_progress.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "common/event.h"
#include "tests/unit/tasks/world.h"

namespace resmgr::tasks {
namespace {

using engine::Op;
using support::eventually;

class StartProgressTest : public testing::Test {
 protected:
  // Whether the start is at the step, or gets there.
  bool reaches(const std::string& id, StartStep step) {
    return eventually([&] {
      const auto progress = world_.service->starts().find(id);
      return progress && progress->step == step;
    });
  }
  StartProgress progress(const std::string& id) const {
    return world_.service->starts().find(id).value();
  }
  bool is_dropped(const std::string& id) {
    return eventually([&] { return !world_.service->starts().find(id); });
  }
  void need_a_pull() {
    world_.engine.remove_image("web:1");
    world_.engine.add_pullable("web:1");
    world_.engine.hold(Op::pull);
  }

  World world_;
};

TEST_F(StartProgressTest, GoesThroughTheSteps) {
  need_a_pull();
  world_.engine.set_pull_progress({{300, 1'000, "Downloading"}});
  world_.boot();
  const auto id = world_.start();
  const Instant begin = world_.clock.now();
  ASSERT_TRUE(world_.engine.wait_until_held(Op::pull));
  ASSERT_TRUE(reaches(id, StartStep::pulling));
  const StartProgress pulling = progress(id);
  EXPECT_EQ(pulling.since, begin);
  ASSERT_TRUE(pulling.pull);
  EXPECT_EQ(pulling.pull->done_bytes, 300);
  EXPECT_EQ(pulling.pull->total_bytes, 1'000);
  EXPECT_EQ(pulling.pull->status, "Downloading");

  world_.clock.advance(Millis{10'000});
  world_.engine.hold(Op::create);
  world_.engine.release(Op::pull);
  ASSERT_TRUE(world_.engine.wait_until_held(Op::create));
  EXPECT_EQ(progress(id).step, StartStep::creating);
  EXPECT_EQ(progress(id).since, begin + Millis{10'000});
  EXPECT_FALSE(progress(id).pull);

  world_.clock.advance(Millis{5'000});
  world_.engine.hold(Op::start);
  world_.engine.release(Op::create);
  ASSERT_TRUE(world_.engine.wait_until_held(Op::start));
  EXPECT_EQ(progress(id).step, StartStep::starting);
  EXPECT_EQ(progress(id).since, begin + Millis{15'000});

  world_.clock.advance(Millis{3'000});
  world_.engine.release(Op::start);
  EXPECT_EQ(world_.wait_started(id).task.status, TaskStatus::running);
  EXPECT_TRUE(is_dropped(id));

  // They were recorded together, each with the time when it was.
  std::map<std::string, Instant> times;
  world_.journal.read([&](journal::Reader& reader) {
    for (const auto& event : reader.events_of(id)) times[event.type] = event.time;
  });
  EXPECT_EQ(times[event_type::kStartRequested], begin);
  EXPECT_EQ(times[event_type::kImagePulled], begin + Millis{10'000});
  EXPECT_EQ(times[event_type::kCreated], begin + Millis{15'000});
  EXPECT_EQ(times[event_type::kStarted], begin + Millis{18'000});
}

TEST_F(StartProgressTest, WaitsForItsTurn) {
  world_.options.concurrent_starts = 1;
  world_.engine.hold(Op::create);
  world_.boot();
  const auto first = world_.start();
  ASSERT_TRUE(world_.engine.wait_until_held(Op::create));
  const auto second = world_.start(kBob);
  EXPECT_TRUE(reaches(second, StartStep::queued));
  EXPECT_EQ(progress(first).step, StartStep::creating);
  world_.engine.release(Op::create);
  EXPECT_TRUE(is_dropped(first));
  EXPECT_TRUE(is_dropped(second));
}

TEST_F(StartProgressTest, ProbesUntilTheServiceAnswers) {
  world_.set_catalog(R"(
    name = "web"
    title = "Web"
    image = "web:1"
    container_port = 8080
    probe = { tcp = true }
  )");
  world_.boot();
  const auto id = world_.start();
  EXPECT_TRUE(reaches(id, StartStep::probing));
  world_.service->stop(id, "user", kAlice);
  world_.wait_ended(id);
  EXPECT_TRUE(is_dropped(id));
}

TEST_F(StartProgressTest, EndsWithAStartThatFailsOrIsStopped) {
  world_.engine.fail_next(Op::create, Error(ErrorKind::rejected, "no room"));
  world_.boot();
  EXPECT_TRUE(is_dropped(world_.run().task.task_id));
  need_a_pull();
  const auto id = world_.start();
  ASSERT_TRUE(reaches(id, StartStep::pulling));
  world_.service->stop(id, "user", kAlice);
  world_.wait_ended(id);
  EXPECT_TRUE(is_dropped(id));
  world_.engine.release(Op::pull);
}

TEST_F(StartProgressTest, AnAgentThatWasRestartedKnowsItAgain) {
  need_a_pull();
  const auto id = world_.admit_and_die();
  world_.boot();
  EXPECT_TRUE(reaches(id, StartStep::pulling));
  world_.engine.release(Op::pull);
  EXPECT_EQ(world_.wait_started(id).task.status, TaskStatus::running);
  EXPECT_TRUE(is_dropped(id));
}

}  // namespace
}  // namespace resmgr::tasks
