// The steps of a warm container's lane: made, started and found ready; stopped and removed.
// Whatever changes the world was an intent in the journal before; a claim is its task's business
// (lifecycle.h).
#ifndef RESMGR_AGENT_TASKS_SLOT_LANES_H_
#define RESMGR_AGENT_TASKS_SLOT_LANES_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "agent/catalog/catalog.h"
#include "agent/engine/engine.h"
#include "agent/journal/journal.h"
#include "agent/tasks/engine_session.h"
#include "agent/tasks/lanes.h"
#include "agent/tasks/puller.h"
#include "agent/tasks/task_service.h"
#include "agent/tasks/warm_pool.h"
#include "common/error.h"
#include "common/guarded.h"

namespace resmgr::tasks {

class SlotLanes {
 public:
  struct Parts {
    const TaskOptions& options;
    journal::Journal& journal;
    engine::Engine& engine;
    const Clock& clock;
    EngineSession& session;
    Puller& puller;
    WarmPool& pool;
    std::function<std::shared_ptr<const catalog::Catalog>()> catalog;
    // Something happened to a warm container that this task has claimed.
    std::function<void(const std::string& task_id)> wake_task;
  };
  explicit SlotLanes(Parts parts) : parts_(std::move(parts)) {}

  // One step of a lane; for Lanes. Never throws.
  Next step(Lanes::Turn& turn);

 private:
  struct Memory;
  class Run;
  using Pulled = std::unordered_map<std::string, std::optional<Error>>;

  Parts parts_;
  Guarded<Pulled> pulled_;  // how pulls for slots ended, until their lanes know
};

}  // namespace resmgr::tasks

#endif  // RESMGR_AGENT_TASKS_SLOT_LANES_H_
