#include "tests/simulation/invariants.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "agent/engine/labels.h"
#include "agent/tasks/outcome.h"
#include "common/time_format.h"
#include "tests/simulation/journal_invariants.h"

namespace resmgr::simulation {
namespace {

using engine::ContainerState;
using journal::Phase;
using journal::TaskRow;
using tasks::ended_by::kAdmin;
using tasks::ended_by::kStartFailed;
using tasks::ended_by::kUser;

// What the engine did with one container, by its own events.
struct Life {
  std::string name;
  std::vector<Instant> starts;
  std::vector<Instant> ends;
};

class Judge {
 public:
  explicit Judge(const Rig& rig) : rig_(rig), ledger_(rig.ledger) {
    for (const auto& event : rig.engine.told()) {
      Life& life = lives_[event.container_id];
      life.name = event.name;
      if (event.action == "start") life.starts.push_back(event.time);
      if (event.action == "die") life.ends.push_back(event.time);
    }
  }

  std::vector<std::string> judge() {
    faults_ = broken_in_journal(*rig_.journal, ledger_.journal_was_lost);
    const auto rows = rig_.rows();
    for (const TaskRow& row : rows) {
      if (row.phase != Phase::removed) continue;
      if (row.task.start_time) judge_times(row);
      judge_cause(row);
    }
    judge_callers(rows);
    judge_owners(rows);
    judge_containers(rows);
    judge_runs();
    return std::move(faults_);
  }

 private:
  void expect(bool holds, const std::string& whose, const std::string& what) {
    if (!holds) faults_.push_back(whose + ": " + what);
  }

  // The engine's own times.
  void judge_times(const TaskRow& row) {
    const std::string& id = row.task.task_id;
    const auto life = lives_.find(row.task.container_id);
    if (life == lives_.end() || life->second.starts.empty()) {
      return expect(false, id, "is billed, and its container never ran");
    }
    const bool touched = ledger_.touched.contains(row.task.container_id);
    const auto& ends = life->second.ends;
    if (!touched) {
      expect(row.container_started_at() == life->second.starts.front(), id,
             "began at another time");
      if (!row.warm.slot_id.empty()) {
        expect(row.task.start_time == row.task.created_at, id, "is not billed from its claim on");
      }
      expect(row.task.precision == Precision::exact, id, "its end is bounded without need");
    }
    if (row.task.precision == Precision::bounded) return;
    const bool known = std::any_of(ends.begin(), ends.end(), [&](Instant end) {
      return std::max(end, *row.task.start_time) == *row.task.stop_time;
    });
    expect(known, id, "'exact' says " + format_rfc3339(*row.task.stop_time));
  }

  // Nothing ends a task but what ends a task.
  void judge_cause(const TaskRow& row) {
    const std::string& id = row.task.task_id;
    const std::string& container = row.task.container_id;
    if (row.ended_by == kUser || row.ended_by == kAdmin) {
      expect(ledger_.stop_asked.contains(id), id, "was stopped, and nobody asked for that");
    } else if (row.ended_by == kStartFailed) {
      expect(ledger_.starts_may_fail, id, "failed without a cause: " + row.task.status_reason);
    } else {
      expect(ledger_.exited.contains(container) || ledger_.touched.contains(container), id,
             "ended by '" + row.ended_by + "' without a cause: " + row.task.status_reason);
    }
  }

  void judge_callers(const std::vector<TaskRow>& rows) {
    std::map<std::string, const TaskRow*> by_id;
    for (const TaskRow& row : rows) by_id[row.task.task_id] = &row;
    for (const auto& id : ledger_.started) {
      expect(by_id.contains(id) || ledger_.journal_was_lost, id, "was admitted, and is not there");
    }
    for (const auto& id : ledger_.stop_told) {
      const auto row = by_id.find(id);
      if (row == by_id.end()) continue;
      expect(row->second->phase == Phase::removed || ledger_.journal_was_lost, id,
             "runs, though its stop was recorded");
    }
    expect(rig_.waiting() == 0, "callers", std::to_string(rig_.waiting()) + " wait in vain");
    expect(rig_.called_twice() == 0, "callers", "one was called twice");
  }

  // Exactly those of the tasks that run, and their ports and volumes.
  void judge_containers(const std::vector<TaskRow>& rows) {
    std::map<std::string, const TaskRow*> running;
    std::set<std::string> volumes;
    for (const TaskRow& row : rows) {
      if (row.phase != Phase::ready) continue;
      running[row.task.container_id] = &row;
      volumes.insert("scratch-" + row.task.task_id);
    }
    judge_slots();
    for (const ContainerState& container : rig_.our_containers()) {
      if (waits_for_task(container)) continue;
      const auto row = running.find(container.id);
      if (row == running.end()) {
        if (const auto id = task_with_another(container, rows)) {
          volumes.insert("scratch-" + *id);
          continue;
        }
        expect(false, container.name, "is left at the engine" + whose(container, rows));
        continue;
      }
      const Task& task = row->second->task;
      expect(container.alive(), task.task_id, "is Running, and its container is not");
      expect(container.started_at == row->second->container_started_at(), task.task_id,
             "is Running in another run of its container");
      expect(container.host_port == task.container_port, task.task_id,
             "is at port " + std::to_string(container.host_port) + ", and not at " +
                 std::to_string(task.container_port));
      running.erase(row);
    }
    for (const auto& [container, row] : running) {
      expect(false, row->task.task_id, "is Running, and its container is gone");
    }
    for (const auto& volume : rig_.engine.volumes()) {
      expect(volumes.contains(volume) || was_taken_away(volume), volume,
             "is a volume of no task that runs");
    }
    judge_foreign();
    judge_output(rows);
  }

  bool waits_for_task(const ContainerState& container) const {
    return engine::belonging_of(container.labels, container.name, rig_.options.agent_id)
        ->task_id.empty();
  }

  // The containers that wait for a task are those of the slots, which are all ready; and there are
  // as many as can be.
  void judge_slots() {
    std::map<std::string, const journal::SlotRow*> ready;
    const auto slots = rig_.slots();
    for (const auto& slot : slots) {
      expect(slot.phase == journal::SlotPhase::ready, slot.slot_id,
             "is a slot that nobody cares for, in phase " + std::string(to_string(slot.phase)));
      ready[slot.container_id] = &slot;
    }
    for (const ContainerState& container : rig_.our_containers()) {
      if (!waits_for_task(container)) continue;
      expect(ready.erase(container.id) == 1, container.name, "waits, and is no slot's");
      expect(container.alive(), container.name, "waits, and does not run");
    }
    for (const auto& [container, slot] : ready) {
      expect(false, slot->slot_id, "is ready, and its container is gone");
    }
  }

  // Whoever bills for a container had it alone.
  void judge_owners(const std::vector<TaskRow>& rows) {
    std::map<std::string, std::string> owners;
    for (const TaskRow& row : rows) {
      if (row.task.container_id.empty()) continue;
      const auto [owner, is_first] = owners.emplace(row.task.container_id, row.task.task_id);
      expect(is_first, row.task.task_id, "has the container of " + owner->second);
    }
  }

  // A create that came true after its task was over brought it back, and somebody removed the
  // container before the agent saw it: of that volume nobody knows.
  bool was_taken_away(const std::string& volume) const {
    return std::any_of(lives_.begin(), lives_.end(), [&](const auto& entry) {
      const auto& [id, life] = entry;
      return life.starts.empty() && ledger_.touched.contains(id) &&
             life.name.substr(life.name.find('-')) == volume.substr(volume.find('-'));
    });
  }

  // The task's own container was removed by hand, and after that a create of long ago came true: by
  // its id that is not the one that the journal knows, and so it is not touched (hazard 4).
  std::optional<std::string> task_with_another(const ContainerState& container,
                                               const std::vector<TaskRow>& rows) const {
    if (container.started_at) return std::nullopt;
    for (const TaskRow& row : rows) {
      if (engine::container_name(row.task.task_id) != container.name) continue;
      if (ledger_.touched.contains(row.task.container_id)) return row.task.task_id;
    }
    return std::nullopt;
  }

  static std::string whose(const ContainerState& container, const std::vector<TaskRow>& rows) {
    std::string text = container.alive() ? ", alive" : "";
    for (const TaskRow& row : rows) {
      if (engine::container_name(row.task.task_id) != container.name) continue;
      text += ", phase " + std::string(to_string(row.phase)) + ", of " + container.id.substr(0, 8) +
              " and not " + row.task.container_id.substr(0, 8);
    }
    return text;
  }

  void judge_foreign() {
    const auto all = rig_.engine.containers();
    for (const auto& id : ledger_.foreign) {
      const bool there = std::any_of(all.begin(), all.end(), [&](const ContainerState& container) {
        return container.id == id && container.alive();
      });
      expect(there && lives_[id].starts.size() == 1, id, "was another's, and was touched");
    }
  }

  // What a task printed is kept before its container is removed.
  void judge_output(const std::vector<TaskRow>& rows) {
    if (ledger_.output_may_be_lost || ledger_.journal_was_lost) return;
    for (const TaskRow& row : rows) {
      if (row.phase != Phase::removed || !row.task.start_time) continue;
      if (ledger_.touched.contains(row.task.container_id)) continue;
      expect(std::filesystem::exists(rig_.options.data_dir + "/logs/" + row.task.task_id + ".log"),
             row.task.task_id, "its output was not kept");
    }
  }

  // A task runs once, unless somebody took its container away before anyone could see it run.
  void judge_runs() {
    std::map<std::string, int> runs;
    for (const auto& [id, life] : lives_) {
      if (ledger_.foreign.contains(id) || ledger_.touched.contains(id)) continue;
      if (!life.starts.empty()) ++runs[life.name];
      expect(life.starts.size() <= 1, life.name, "was started twice");
    }
    for (const auto& [name, count] : runs) expect(count <= 1, name, "ran in two containers");
  }

  const Rig& rig_;
  const Ledger& ledger_;
  std::map<std::string, Life> lives_;
  std::vector<std::string> faults_;
};

}  // namespace

std::vector<std::string> broken_invariants(const Rig& rig) { return Judge(rig).judge(); }

std::vector<std::string> broken_limits(const Rig& rig) {
  std::map<std::string, int> of_user;
  int all = 0;
  for (const ContainerState& container : rig.our_containers()) {
    if (!container.alive() || rig.ledger.touched.contains(container.id)) continue;
    const auto whose = engine::belonging_of(container.labels, container.name, rig.options.agent_id);
    if (whose->task_id.empty()) continue;
    ++of_user[whose->user_id];
    ++all;
  }
  std::vector<std::string> faults;
  for (const auto& [user, count] : of_user) {
    if (count > kTasksPerUser)
      faults.push_back(user + " has " + std::to_string(count) + " running");
  }
  if (all > kTasksPerHost) faults.push_back("the host has " + std::to_string(all) + " running");
  return faults;
}

}  // namespace resmgr::simulation
