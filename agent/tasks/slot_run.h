// One step of one warm container's lane; private to these.
#ifndef RESMGR_AGENT_TASKS_SLOT_RUN_H_
#define RESMGR_AGENT_TASKS_SLOT_RUN_H_

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "agent/engine/labels.h"
#include "agent/tasks/container_start.h"
#include "agent/tasks/slot_lanes.h"
#include "agent/tasks/slot_plan.h"
#include "common/backoff.h"

namespace resmgr::tasks {

struct SlotLanes::Memory final : LaneMemory {
  std::optional<Observation> seen;
  std::chrono::steady_clock::time_point seen_at;
  bool create_in_doubt = true;
  bool pulled = false;
  ContainerStart start;
  ProbePace probing;
  Backoff retry{Millis{100}, Millis{5'000}};
};

class SlotLanes::Run {
 public:
  Run(SlotLanes& lanes, Lanes::Turn& turn, Memory& memory)
      : lanes_(lanes), parts_(lanes.parts_), turn_(turn), slot_id_(turn.task_id), memory_(memory) {}

  Next step();

 private:
  Observation observe() const;
  bool is_taken(const engine::Belonging& whose, const std::string& container_id) const;
  const catalog::Service* service();
  Next perform(SlotAct act);

  Next hand_over();
  Next give_name(const Task& owner);
  Next create();
  Next start();
  Next record_started();
  Next probe();
  Next drain();
  Next stop();
  Next settle_create();
  Next remove();
  Next forget();

  // No container can be made of it as things are.
  Next fail(const std::string& reason);
  // Changes the row in a transaction, if it is still the one that this step read; returns whether
  // it was.
  bool change(const std::function<void(journal::SlotRow&)>& change);
  Next look_again() {
    memory_.seen.reset();
    return Next::again();
  }
  Next retry_later() {
    memory_.seen.reset();
    return Next::after(memory_.retry.next());
  }

  SlotLanes& lanes_;
  Parts& parts_;
  Lanes::Turn& turn_;
  const std::string& slot_id_;
  Memory& memory_;
  std::optional<journal::SlotRow> row_;
  std::shared_ptr<const catalog::Catalog> catalog_;  // keeps service()'s answer alive
};

}  // namespace resmgr::tasks

#endif  // RESMGR_AGENT_TASKS_SLOT_RUN_H_
