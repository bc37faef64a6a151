// What the engine says of a task's container, for the plan.
#ifndef RESMGR_AGENT_TASKS_OBSERVATION_H_
#define RESMGR_AGENT_TASKS_OBSERVATION_H_

#include <optional>
#include <string>
#include <string_view>

#include "agent/engine/engine.h"
#include "agent/journal/task_row.h"
#include "agent/tasks/plan.h"

namespace resmgr::tasks {

// The task's container: by the id that the journal knows, else by name. Asks the engine; throws
// unavailable.
std::optional<engine::ContainerState> find_container(engine::Engine& engine,
                                                     const std::string& task_id,
                                                     const std::optional<journal::TaskRow>& row);

// What that which was found is to the task of this agent: its own, or somebody else's. Pure.
Observation judge(const std::string& task_id, const std::optional<journal::TaskRow>& row,
                  const std::optional<engine::ContainerState>& found, std::string_view agent_id);

}  // namespace resmgr::tasks

#endif  // RESMGR_AGENT_TASKS_OBSERVATION_H_
