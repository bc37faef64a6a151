// What is seen of one running task's use, from one look to the next.
#ifndef RESMGR_AGENT_TASKS_TASK_USE_H_
#define RESMGR_AGENT_TASKS_TASK_USE_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "agent/catalog/catalog.h"
#include "agent/engine/engine.h"
#include "agent/journal/activity.h"
#include "agent/tasks/activity.h"
#include "agent/tasks/idle_policy.h"
#include "agent/tasks/jupyter_probe.h"
#include "common/task.h"

namespace resmgr::tasks {

// For one thread at a time.
class TaskUse {
 public:
  // Of a task that runs. What happened before `now` was not heard of.
  TaskUse(const Task& task, BootTime now);

  // `stats` empty: the engine did not say.
  void sample(const std::optional<engine::Stats>& stats, const ActivityFloors& floors,
              BootTime now);

  // Whether its service is to be asked now: a service that does not answer is asked less often, so
  // that few of them can't keep all askers busy.
  bool is_probe_due(BootTime now, Millis sample_interval) const;
  void hear(const JupyterLook& look, const Moment& now);

  void touch(BootTime now);
  // Counts the touches: what was judged before a later one holds no longer.
  std::uint64_t touches() const { return touches_; }

  // The signals that `policy` has looked at.
  std::vector<Signal> signals(const catalog::IdlePolicy& policy, BootTime now) const;

  const IdleMemory& memory() const { return memory_; }
  void keep(const IdleMemory& memory) { memory_ = memory; }

 private:
  const BootTime listening_since_;
  ActivityMeter meter_;
  JupyterActivity jupyter_;
  std::optional<Signal> probe_;  // empty: it was not asked yet
  BootTime probed_at_{0};
  int probes_failed_ = 0;  // in a row
  std::int64_t own_bytes_ = 0;
  std::optional<BootTime> touched_at_;
  std::uint64_t touches_ = 0;
  IdleMemory memory_;
};

// Whether a service of this policy is asked how it is used.
bool is_probed(const catalog::IdlePolicy& policy);

}  // namespace resmgr::tasks

#endif  // RESMGR_AGENT_TASKS_TASK_USE_H_
