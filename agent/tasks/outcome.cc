#include "agent/tasks/outcome.h"

#include <algorithm>

#include "common/time_format.h"

namespace resmgr::tasks {
namespace {

using journal::Phase;
using journal::TaskRow;

constexpr int kSignalBase = 128;  // a shell's and Docker's way to say 'by signal n'
constexpr int kSigKill = 9;
constexpr int kSigTerm = 15;

bool restarted(const TaskRow& row, const engine::ContainerState& container) {
  return container.alive() || (row.task.start_time && container.started_at &&
                               *container.started_at != *row.task.start_time);
}

// When and how it ended; who and why comes after.
void find_time(End& end, const TaskRow& row, const std::optional<engine::ContainerState>& container,
               const std::optional<Death>& death, Instant last_alive) {
  const Instant start = row.task.start_time.value_or(last_alive);
  const auto exact = [&](Instant time, int exit_code) {
    end.time = std::max(time, start);
    end.precision = Precision::exact;
    end.exit_code = exit_code;
  };
  const bool death_known = death && death->container_id == row.task.container_id;
  if (container && !restarted(row, *container) && container->finished_at) {
    return exact(*container->finished_at, container->exit_code);
  }
  if (death_known) return exact(death->time, death->exit_code);
  if (container && container->previous_finish && *container->previous_finish >= start) {
    return exact(*container->previous_finish, -1);
  }
  end.time = std::max(last_alive, start);
  end.precision = Precision::bounded;
  end.exit_code = -1;
}

void explain_exit(End& end, const TaskRow& row, bool oom_killed) {
  if (oom_killed && end.exit_code == kSignalBase + kSigKill) {
    end.ended_by = ended_by::kOutOfMemory;
    end.status = TaskStatus::error;
    end.reason = "ran out of its " + format_size(row.memory_bytes) + " of memory";
  } else if (end.exit_code == 0) {
    end.ended_by = ended_by::kExit;
    end.status = TaskStatus::stopped;
    end.reason = "ended by itself";
  } else if (end.exit_code == kSignalBase + kSigTerm) {
    end.ended_by = ended_by::kOutside;
    end.status = TaskStatus::stopped;
    end.reason = "was stopped outside resmgr (SIGTERM)";
  } else if (end.exit_code == kSignalBase + kSigKill) {
    end.ended_by = ended_by::kOutside;
    end.status = TaskStatus::error;
    end.reason = "was killed outside resmgr (SIGKILL)";
  } else {
    end.ended_by = ended_by::kExit;
    end.status = TaskStatus::error;
    end.reason = end.exit_code < 0 ? "ended, and its exit code is not known"
                                   : "exited with code " + std::to_string(end.exit_code);
  }
}

}  // namespace

End conclude(const TaskRow& row, const std::optional<engine::ContainerState>& container,
             const std::optional<Death>& death, Instant last_alive) {
  End end;
  find_time(end, row, container, death, last_alive);

  if (row.phase == Phase::stopping) {
    end.ended_by = row.ended_by;
    end.failure = row.failure;
    end.status = row.failure.empty() ? TaskStatus::stopped : TaskStatus::error;
    end.reason = row.task.status_reason;
    return end;
  }
  if (!container) {
    end.ended_by = ended_by::kOutside;
    end.status = TaskStatus::error;
    end.reason = "its container was removed outside resmgr";
  } else if (restarted(row, *container)) {
    end.ended_by = ended_by::kOutside;
    end.status = TaskStatus::error;
    end.reason = "its container was restarted outside resmgr";
  } else {
    explain_exit(end, row, container->oom_killed);
  }
  if (row.phase == Phase::started) {
    end.status = TaskStatus::error;
    end.failure = to_string(ErrorKind::rejected);
    end.reason += " before it was ready";
  }
  return end;
}

void apply_started(TaskRow& row, const engine::ContainerState& container) {
  row.phase = Phase::started;
  row.task.container_id = container.id;
  row.task.container_port = container.host_port;
  row.task.start_time = container.started_at;
}

void apply_ready(TaskRow& row) {
  row.phase = Phase::ready;
  row.task.status = TaskStatus::running;
}

void apply_stop_intent(TaskRow& row, std::string_view by, std::string_view failure,
                       std::string_view reason) {
  row.phase = Phase::stopping;
  row.task.status = TaskStatus::stopping;
  row.ended_by = by;
  row.failure = failure;
  row.task.status_reason = reason;
}

void apply_end(TaskRow& row, const End& end) {
  row.phase = Phase::ended;
  row.task.status = end.status;
  row.task.status_reason = end.reason;
  row.task.stop_time = end.time;
  row.task.precision = end.precision;
  row.task.exit_code = end.exit_code;
  row.ended_by = end.ended_by;
  row.failure = end.failure;
}

void apply_unstarted(TaskRow& row) {
  row.phase = Phase::removed;
  row.task.status = row.failure.empty() ? TaskStatus::stopped : TaskStatus::error;
  if (row.task.status_reason.empty()) row.task.status_reason = "was stopped before it started";
}

}  // namespace resmgr::tasks
