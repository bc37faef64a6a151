// A volume that is not to outlive its task, where the task came to its end in an unusual way.

#include <gtest/gtest.h>

#include <string>

#include "common/error.h"
#include "tests/unit/tasks/world.h"

namespace resmgr::tasks {
namespace {

using engine::Op;
using journal::Phase;
using support::eventually;

class Volumes : public testing::Test {
 protected:
  Volumes() {
    world.set_catalog(R"(
      name = "web"
      title = "Web"
      image = "web:1"
      container_port = 8080
      probe = "none"
      [[volumes]]
      name = "scratch-{taskId}"
      path = "/scratch"
      keep = false
    )");
    world.boot();
  }

  std::string fail_to_start() {
    world.engine.fail_next(Op::start, Error(ErrorKind::rejected, "it can't be started"));
    const auto id = world.start();
    EXPECT_TRUE(world.wait_phase(id, Phase::removed));
    return id;
  }

  World world;
};

TEST_F(Volumes, GoWithAContainerThatNeverRan) {
  fail_to_start();
  EXPECT_EQ(world.containers(), 0U);
  EXPECT_TRUE(world.engine.volumes().empty());
}

TEST_F(Volumes, AreWaitedForWhereTheEngineIsAway) {
  world.engine.fail_next(Op::remove_volume, Error(ErrorKind::unavailable, "no answer in time"), 2);
  fail_to_start();
  EXPECT_EQ(world.engine.count(Op::remove_volume), 3);
  EXPECT_TRUE(world.engine.volumes().empty());
}

// A create comes true when its task is over (hazard 1): with the container, its volume is back.
TEST_F(Volumes, GoWithAContainerThatCameLate) {
  const auto id = fail_to_start();
  world.shut_down();
  world.engine.create(container_spec(world.options, *world.catalog->find("web"), world.row(id)));
  ASSERT_EQ(world.engine.volumes().size(), 1U);
  world.boot();
  EXPECT_TRUE(eventually([&] { return world.engine.volumes().empty(); }));
  EXPECT_EQ(world.containers(), 0U);
}

// The journal is lost, and the container was made and never started.
TEST_F(Volumes, GoWithAnOrphan) {
  const auto id = world.admit_and_die();
  world.shut_down();
  world.engine.create(container_spec(world.options, *world.catalog->find("web"), world.row(id)));
  journal::Journal empty({world.temp.path() / "new.db"});
  TaskService service(world.options, empty, world.engine, world.catalog, world.clock);
  service.run();
  EXPECT_TRUE(eventually([&] { return world.engine.volumes().empty(); }));
  EXPECT_EQ(world.containers(), 0U);
}

}  // namespace
}  // namespace resmgr::tasks
