// The limits of [limits] that count tasks, starts, memory and cores. They hold for a task from its
// admission until the engine confirmed its end (Starting, Running and Stopping).
#ifndef RESMGR_AGENT_TASKS_LIMITS_H_
#define RESMGR_AGENT_TASKS_LIMITS_H_

#include "agent/catalog/catalog.h"
#include "agent/journal/journal.h"
#include "agent/tasks/task_service.h"
#include "common/clock.h"

namespace resmgr::tasks {

// Inside the transaction that is to admit the start: what it reads can't change before that is
// committed. Throws LimitError.
void check_limits(journal::Transaction& transaction, const Limits& limits,
                  const StartIntent& intent, const catalog::Service& service, Instant now,
                  const HostCapacity& host);

}  // namespace resmgr::tasks

#endif  // RESMGR_AGENT_TASKS_LIMITS_H_
