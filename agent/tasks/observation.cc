#include "agent/tasks/observation.h"

#include "agent/engine/labels.h"

namespace resmgr::tasks {

using journal::Phase;
using journal::TaskRow;
using Kind = Observation::Kind;

std::optional<engine::ContainerState> find_container(engine::Engine& engine,
                                                     const std::string& task_id,
                                                     const std::optional<TaskRow>& row) {
  if (row && !row->task.container_id.empty()) {
    auto found = engine.inspect(row->task.container_id);
    if (found || row->phase != Phase::removed) return found;
  }
  return engine.inspect(engine::container_name(task_id));
}

Observation judge(const std::string& task_id, const std::optional<TaskRow>& row,
                  const std::optional<engine::ContainerState>& found, std::string_view agent_id) {
  if (!found) return {Kind::absent, {}};
  const bool known_by_id = row && found->id == row->task.container_id;
  if (!known_by_id) {
    if (engine::task_of(found->labels, found->name, agent_id) != task_id) {
      return {Kind::foreign, {}};
    }
    // Ours by name and labels, and yet not the container that the journal knows.
    if (row && !row->task.container_id.empty()) return {Kind::absent, {}};
  }
  return {Kind::present, *found};
}

}  // namespace resmgr::tasks
