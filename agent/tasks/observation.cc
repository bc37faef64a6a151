#include "agent/tasks/observation.h"

#include "agent/engine/labels.h"

namespace resmgr::tasks {

using journal::Phase;
using Kind = Observation::Kind;

Known known_of(journal::Reader& reader, std::string_view task_id) {
  Known known{reader.task(task_id), {}, {}};
  if (known.row && known.row->is_claiming()) known.slot = reader.slot(known.row->warm.slot_id);
  return known;
}

std::optional<engine::ContainerState> find_container(engine::Engine& engine,
                                                     const std::string& task_id,
                                                     const Known& known) {
  const auto& row = known.row;
  if (row && row->is_claiming()) {
    return known.slot ? engine.inspect(known.slot->container_id) : std::nullopt;
  }
  if (row && !row->task.container_id.empty()) {
    auto found = engine.inspect(row->task.container_id);
    if (found || row->phase != Phase::removed) return found;
  }
  // A warm container that it claimed has a name of which the task's id is but a part.
  if (!row && !known.container_id.empty()) return engine.inspect(known.container_id);
  return engine.inspect(engine::container_name(task_id));
}

Observation judge(const std::string& task_id, const Known& known,
                  const std::optional<engine::ContainerState>& found, std::string_view agent_id) {
  if (!found) return {Kind::absent, {}};
  const auto& row = known.row;
  if (row && found->id == row->task.container_id) return {Kind::present, *found};
  const auto whose = engine::belonging_of(found->labels, found->name, agent_id);
  if (row && row->is_claiming()) {
    // It bears the name of who has it, which a journal that was put back may not know.
    const bool its = whose && whose->slot_id == row->warm.slot_id &&
                     (whose->task_id.empty() || whose->task_id == task_id);
    return its ? Observation{Kind::present, *found} : Observation{Kind::foreign, {}};
  }
  if (!whose || whose->task_id != task_id) return {Kind::foreign, {}};
  // Ours by name and labels, and yet not the container that the journal knows.
  if (row && !row->task.container_id.empty()) return {Kind::absent, {}};
  return {Kind::present, *found};
}

}  // namespace resmgr::tasks
