// What to do next about a warm container, from what the journal knows of its slot and what the
// engine has. Pure; as plan.h for a task's.
#ifndef RESMGR_AGENT_TASKS_SLOT_PLAN_H_
#define RESMGR_AGENT_TASKS_SLOT_PLAN_H_

#include <optional>

#include "agent/journal/slot_row.h"
#include "agent/tasks/plan.h"

namespace resmgr::tasks {

enum class SlotAct {
  none,            // settled, or its task's business
  ask_again,       // the engine does not say
  create,          // make the container and start it
  start,           // it is made: start it
  record_started,  // it runs: journal that
  probe,           // it runs: see whether it is ready
  drain,           // it ended, or is not what it was: nobody may have it
  stop,            // it runs, and is to go
  settle_create,   // a create may still be under way at the engine: issue it again to know
  remove,          // it does not run: remove it
  forget,          // nothing is left of it at the engine, or nothing that is the slot's
};

// `seen` is foreign where a container of another name, or one that a task has claimed, is there.
// `create_in_doubt` as for plan().
SlotAct plan_slot(const std::optional<journal::SlotRow>& row, const Observation& seen,
                  bool create_in_doubt);

}  // namespace resmgr::tasks

#endif  // RESMGR_AGENT_TASKS_SLOT_PLAN_H_
