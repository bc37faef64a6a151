// Two warm containers of a service, and what is known of them.
#ifndef RESMGR_TESTS_UNIT_TASKS_WARM_FIXTURE_H_
#define RESMGR_TESTS_UNIT_TASKS_WARM_FIXTURE_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/unit/tasks/world.h"

namespace resmgr::tasks {

class Warm : public testing::Test {
 protected:
  Warm() { want(2); }

  void want(int count, const std::string& more = "") {
    world.set_catalog(R"(
      name = "web"
      title = "Web"
      image = "web:1"
      container_port = 8080
      url_path = "/?t={token}"
      env = { TOKEN = "{token}" }
      probe = "none"
      warm = )" + std::to_string(count) +
                      "\n" + more);
  }
  std::vector<journal::SlotRow> slots() const {
    return world.journal.reading([](journal::Reader& reader) { return reader.slots(); });
  }
  int ready() const {
    const auto all = slots();
    return static_cast<int>(std::count_if(all.begin(), all.end(), [](const auto& slot) {
      return slot.phase == journal::SlotPhase::ready;
    }));
  }
  bool has_ready(int count) {
    return support::eventually([&] { return ready() == count && std::ssize(slots()) == count; });
  }
  PoolState pool() const { return world.service->pools().at(0); }
  engine::ContainerState container(const std::string& id) {
    return world.engine.inspect(id).value();
  }
  bool is_named(const journal::TaskRow& owner) {
    const std::string name =
        engine::claimed_name(owner.warm.slot_id, owner.task.task_id, owner.task.user_id);
    return support::eventually([&] { return container(owner.task.container_id).name == name; });
  }
  // So that who claims next finds what is there.
  void hold_refills() { world.engine.hold(engine::Op::create); }

  World world;
};

}  // namespace resmgr::tasks

#endif  // RESMGR_TESTS_UNIT_TASKS_WARM_FIXTURE_H_
