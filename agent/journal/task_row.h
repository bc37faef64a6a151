// A task as the journal keeps it: the public row and what only the agent needs.
#ifndef RESMGR_AGENT_JOURNAL_TASK_ROW_H_
#define RESMGR_AGENT_JOURNAL_TASK_ROW_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/task.h"

namespace resmgr::journal {

// How far a task has come. Each phase but the last is an intent that the reconciler finishes.
enum class Phase {
  admitted,  // Starting: a container is to be made and started
  started,   // Starting: the engine started it; it is to become ready
  ready,     // Running
  stopping,  // Stopping: it is to be stopped
  ended,     // Stopped or Error: the end is on record; what is left at the engine is to be removed
  removed,   // Stopped or Error: nothing of it is left at the engine; final
};
std::string_view to_string(Phase phase);
std::optional<Phase> phase_from(std::string_view name);

// Of a task that was given a warm container.
struct WarmStart {
  std::string slot_id;  // the slot's that it claimed; empty: its container is made for it
  // When the engine started the container: before the task, whose start is the claim.
  std::optional<Instant> container_started_at;
  // What the container had used by then; it counts for nobody.
  std::int64_t cpu_ms = 0;
  std::int64_t network_rx_bytes = 0;
  std::int64_t network_tx_bytes = 0;
};

struct TaskRow {
  Task task;
  Phase phase = Phase::admitted;
  // Counts the changes of this row. An update must carry the version that it was read with.
  std::int64_t version = 0;
  // Who or what ended it, or is to: "user", "admin", "exit", "oom", "engine", "start_failed", …
  std::string ended_by;
  // For a start that failed: the ErrorKind's name, from which the waiting call makes its answer.
  std::string failure;
  // The catalog's definition that it was admitted with (Service::spec_hash).
  std::string spec_hash;
  // Limits that its container has, for sums over the host.
  std::int64_t memory_bytes = 0;
  double cpus = 0;
  // Last samples; they stay 0 until one was taken.
  std::int64_t cpu_ms = 0;
  std::int64_t peak_memory_bytes = 0;
  WarmStart warm;

  // The engine's own State.StartedAt of its container, once that is known.
  const std::optional<Instant>& container_started_at() const {
    return warm.container_started_at ? warm.container_started_at : task.start_time;
  }
  // It claimed a warm container, and has not taken it over yet.
  bool is_claiming() const { return !warm.slot_id.empty() && task.container_id.empty(); }
};

}  // namespace resmgr::journal

#endif  // RESMGR_AGENT_JOURNAL_TASK_ROW_H_
