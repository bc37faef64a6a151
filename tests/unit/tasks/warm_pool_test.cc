// How many are kept warm, and of what.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/error.h"
#include "tests/unit/tasks/warm_fixture.h"

namespace resmgr::tasks {
namespace {

using engine::Op;
using support::eventually;
using testing::HasSubstr;
using testing::IsEmpty;

using WarmPoolTest = Warm;

TEST_F(WarmPoolTest, AnotherDefinitionDrainsThePool) {
  world.boot();
  ASSERT_TRUE(has_ready(2));
  const auto before = slots();
  want(2, "[resources]\npids = 99\n");
  EXPECT_TRUE(eventually(
      [&] { return ready() == 2 && slots().front().spec_hash != before.front().spec_hash; }));
  EXPECT_TRUE(eventually([&] { return world.containers() == 2; }));
}

TEST_F(WarmPoolTest, AnotherImageDrainsThePool) {
  world.options.lane_threads = 128;
  world.boot();
  ASSERT_TRUE(has_ready(2));
  const auto before = slots();
  world.engine.change_image("web:1");
  TaskSteps(*world.service).fill();
  EXPECT_TRUE(eventually(
      [&] { return ready() == 2 && slots().front().image_id != before.front().image_id; }));
}

TEST_F(WarmPoolTest, AnotherAddressDrainsThePoolBeforeAnybodyGetsOne) {
  world.boot();
  ASSERT_TRUE(has_ready(2));
  const auto before = slots();
  world.shut_down();
  world.options.publish_address = "127.0.0.2";
  world.boot();
  const auto row = world.run();
  for (const auto& slot : before) EXPECT_NE(row.task.container_id, slot.container_id);
  EXPECT_TRUE(eventually([&] { return ready() == 2 && std::ssize(slots()) == 2; }));
}

TEST_F(WarmPoolTest, UnderOnePathForEachTaskNoneIsKeptThatHasToKnowIt) {
  world.options.gateway = GatewayAddress("https://tasks.example", GatewayAddress::Mode::path);
  world.boot();
  ASSERT_TRUE(has_ready(2));
  want(2, "command = [\"--base={basePath}\"]\n");
  EXPECT_TRUE(eventually([&] { return slots().empty(); }));
  EXPECT_THAT(pool().problem, HasSubstr("basePath"));
  EXPECT_EQ(world.run().task.status, TaskStatus::running);
}

TEST_F(WarmPoolTest, FewerAreWantedOrNone) {
  world.boot();
  ASSERT_TRUE(has_ready(2));
  want(1);
  EXPECT_TRUE(has_ready(1));
  want(0);
  EXPECT_TRUE(eventually([&] { return slots().empty() && world.containers() == 0; }));
  EXPECT_THAT(world.service->pools(), IsEmpty());
}

TEST_F(WarmPoolTest, ADrainedHostHasNone) {
  world.boot();
  ASSERT_TRUE(has_ready(2));
  world.service->drain("", {kAlice, "ada"});
  EXPECT_TRUE(eventually([&] { return slots().empty() && world.containers() == 0; }));
  world.service->resume({kAlice, "ada"});
  EXPECT_TRUE(has_ready(2));
}

TEST_F(WarmPoolTest, TheyGiveWayBeforeAUserIsRefused) {
  engine::EngineInfo info;
  info.cpus = 4;
  info.memory_bytes = std::int64_t{3} << 30;
  world.engine.set_info(info);
  world.options.limits.memory_overcommit = 1;  // three of the service's 1 GiB
  want(3);
  world.boot();
  ASSERT_TRUE(has_ready(3));
  // Three tasks fill the host: each takes over one, and none is made again.
  for (int i = 0; i < 3; ++i) EXPECT_EQ(world.run().task.status, TaskStatus::running);
  EXPECT_TRUE(eventually([&] { return world.containers() == 3 && slots().empty(); }));
  EXPECT_TRUE(
      eventually([&] { return pool().problem.find("memory_overcommit") != std::string::npos; }));
  EXPECT_THROW(world.start(), Error);
}

TEST_F(WarmPoolTest, AnotherServicesStartMakesThemGiveWay) {
  engine::EngineInfo info;
  info.cpus = 4;
  info.memory_bytes = std::int64_t{2} << 30;
  world.engine.set_info(info);
  world.options.limits.memory_overcommit = 1;
  world.boot();
  ASSERT_TRUE(has_ready(2));
  // Of another definition, so that none of them fits.
  world.engine.hold(Op::create);
  want(0, "[resources]\npids = 99\n");
  const auto id = world.start();
  world.engine.release(Op::create);
  EXPECT_EQ(world.wait_started(id).task.status, TaskStatus::running);
}

TEST_F(WarmPoolTest, ALimitOfTasksIsOneOfThePoolToo) {
  world.options.limits.tasks_per_host = 3;
  world.boot();
  ASSERT_TRUE(has_ready(2));
  for (int i = 0; i < 2; ++i) world.run();
  EXPECT_TRUE(has_ready(1));
  EXPECT_TRUE(
      eventually([&] { return pool().problem.find("tasks_per_host") != std::string::npos; }));
}

TEST_F(WarmPoolTest, OneThatCantBeMadeIsTriedAgainLaterAndSaysWhy) {
  world.engine.fail_next(Op::create, Error(ErrorKind::rejected, "no room for it"), 2);
  world.boot();
  EXPECT_TRUE(eventually([&] { return slots().empty() && !pool().problem.empty(); }));
  EXPECT_THAT(pool().problem, HasSubstr("no room for it"));
  EXPECT_EQ(world.run().task.status, TaskStatus::running);  // a start is not held up by it
  EXPECT_EQ(pool().misses, 1);
  world.clock.advance(Millis{300'000});
  TaskSteps(*world.service).fill();
  EXPECT_TRUE(has_ready(2));
  EXPECT_THAT(pool().problem, IsEmpty());
}

TEST_F(WarmPoolTest, TheImageIsPulledOnceForAll) {
  world.engine.remove_image("web:1");
  world.engine.add_pullable("web:1");
  world.boot();
  ASSERT_TRUE(has_ready(2));
  EXPECT_LE(world.engine.count(Op::pull), 2);
}

}  // namespace
}  // namespace resmgr::tasks
