// A task: one run of one service for one user, as every caller sees it.
#ifndef RESMGR_COMMON_TASK_H_
#define RESMGR_COMMON_TASK_H_

#include <optional>
#include <string>
#include <string_view>

#include "common/clock.h"

namespace resmgr {

enum class TaskStatus { starting, running, stopping, stopped, error };

// The names of the REST contract: "Starting", "Running", "Stopping", "Stopped", "Error".
std::string_view to_string(TaskStatus status);
std::optional<TaskStatus> task_status_from(std::string_view name);  // case-insensitive

// Starting, Running and Stopping: the task still holds its quota slot.
constexpr bool is_active(TaskStatus status) {
  return status == TaskStatus::starting || status == TaskStatus::running ||
         status == TaskStatus::stopping;
}

// Whether the times come from the engine ("exact") or are the last at which the container was
// seen alive ("bounded").
enum class Precision { exact, bounded };
std::string_view to_string(Precision precision);
std::optional<Precision> precision_from(std::string_view name);

struct Task {
  std::string task_id;  // UUIDv7 (RFC 9562): ids sort by admission time
  std::string user_id;  // UUID
  std::string service_type;
  std::string container_id;           // empty until the engine made one
  int container_port = 0;             // the host port that a browser connects to; 0 = none yet
  std::string host;                   // name of the agent that runs it
  Instant created_at{};               // admission
  std::optional<Instant> start_time;  // the engine's State.StartedAt
  std::optional<Instant> stop_time;   // the engine's State.FinishedAt
  TaskStatus status = TaskStatus::starting;
  std::string status_reason;  // for people; empty = none
  Precision precision = Precision::exact;
  std::string usage_hash;        // lower-case hex SHA-256 (outward.md); empty until it ended
  std::optional<int> exit_code;  // -1 = it ended, and nobody knows how

  // Never negative; empty while it runs or if it never started.
  std::optional<Millis> duration() const;
};

}  // namespace resmgr

#endif  // RESMGR_COMMON_TASK_H_
