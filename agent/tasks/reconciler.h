// Journal and engine compared in the open: what the lanes would do, and have done, for people to
// see. The comparison is a hypothesis; whatever is done about it is done by each task's lane, which
// looks for itself.
#ifndef RESMGR_AGENT_TASKS_RECONCILER_H_
#define RESMGR_AGENT_TASKS_RECONCILER_H_

#include <stop_token>
#include <string>
#include <vector>

#include "agent/engine/engine.h"
#include "agent/journal/journal.h"
#include "agent/tasks/difference.h"
#include "agent/tasks/engine_session.h"
#include "agent/tasks/lanes.h"
#include "agent/tasks/lifecycle.h"

namespace resmgr::tasks {

// Thread-safe.
class Reconciler {
 public:
  Reconciler(const std::string& agent_id, engine::Engine& engine, journal::Journal& journal,
             EngineSession& session, Lifecycle& lifecycle, Lanes& lanes)
      : agent_id_(agent_id),
        engine_(engine),
        journal_(journal),
        session_(session),
        lifecycle_(lifecycle),
        lanes_(lanes) {}

  // Changes nothing. An engine that is away is no error: whatever it would have to say is unknown.
  Reconciliation look();

  // Wakes the lanes of what `before` shows, waits until each has settled, `longest_wait` has passed
  // or `stop` is requested, and says what became of each.
  Reconciliation settle(Reconciliation before, Millis longest_wait, const std::stop_token& stop);

 private:
  // One connection to the engine, as long as it holds.
  class Sight;

  // `container_id`: of the container that bears the task's id, as a list told; may be empty.
  View view_of(const std::string& task_id, const std::string& container_id, Sight& sight) const;
  std::vector<View> all_views(const std::vector<engine::ContainerSummary>& listed,
                              Sight& sight) const;
  struct Pending;
  bool has_settled(Pending& pending, Sight& sight) const;
  void wake(const Difference& difference);

  const std::string& agent_id_;
  engine::Engine& engine_;
  journal::Journal& journal_;
  EngineSession& session_;
  Lifecycle& lifecycle_;
  Lanes& lanes_;
};

}  // namespace resmgr::tasks

#endif  // RESMGR_AGENT_TASKS_RECONCILER_H_
