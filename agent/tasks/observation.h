// What the engine says of a task's container, for the plan.
#ifndef RESMGR_AGENT_TASKS_OBSERVATION_H_
#define RESMGR_AGENT_TASKS_OBSERVATION_H_

#include <optional>
#include <string>
#include <string_view>

#include "agent/engine/engine.h"
#include "agent/journal/journal.h"
#include "agent/tasks/plan.h"

namespace resmgr::tasks {

// What is known of a task, before the engine is asked.
struct Known {
  std::optional<journal::TaskRow> row;
  std::optional<journal::SlotRow> slot;  // that it claimed, until it has taken that over
  // Of a task that the journal does not know: the container that bears its id, as the engine told.
  std::string container_id;
};
Known known_of(journal::Reader& reader, std::string_view task_id);

// The task's container: by the id that is known, else by name; while it claims a warm one, that
// one. Asks the engine; throws unavailable.
std::optional<engine::ContainerState> find_container(engine::Engine& engine,
                                                     const std::string& task_id,
                                                     const Known& known);

// What that which was found is to the task of this agent: its own, or somebody else's. Pure.
Observation judge(const std::string& task_id, const Known& known,
                  const std::optional<engine::ContainerState>& found, std::string_view agent_id);

}  // namespace resmgr::tasks

#endif  // RESMGR_AGENT_TASKS_OBSERVATION_H_
