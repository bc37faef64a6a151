#include "agent/tasks/outcome.h"

#include <algorithm>
#include <csignal>
#include <cstring>

#include "common/time_format.h"

namespace resmgr::tasks {
namespace {

using journal::Phase;
using journal::TaskRow;

constexpr int kSignalBase = 128;  // a shell's and Docker's way to say 'by signal n'
// What Docker says of a container that it left running and finds dead.
constexpr int kFoundDead = 255;
// How long before EngineInfo::started_at the engine may have noted such ends: it takes as long as
// the slowest container that it has to stop first.
constexpr Millis kEngineStart{120'000};

bool runs_again(const TaskRow& row, const engine::ContainerState& container) {
  const auto& known = row.container_started_at();
  return container.alive() || (known && container.started_at && *container.started_at != *known);
}

// Who made the engine's record false.
enum class Loss { none, host, engine };

// An exit code of -1 is not known.
Loss loss_of(Instant finish, int exit_code, const Witness& witness) {
  if (witness.rebooted && (exit_code == kFoundDead || finish >= witness.booted_at)) {
    return Loss::host;
  }
  // A real 255 of these minutes is not told from a loss; then the bound is the honest answer.
  if ((exit_code == kFoundDead || exit_code < 0) && witness.engine_started &&
      finish <= *witness.engine_started && finish >= *witness.engine_started - kEngineStart) {
    return Loss::engine;
  }
  return Loss::none;
}

// When and how it ended; who and why comes after.
Loss find_time(End& end, const TaskRow& row, const std::optional<engine::ContainerState>& container,
               const std::optional<Death>& death, const Witness& witness) {
  const Instant start = row.task.start_time.value_or(witness.last_alive);
  const auto exact = [&](Instant time, int exit_code) {
    end.time = std::max(time, start);
    end.precision = Precision::exact;
    end.exit_code = exit_code;
    return Loss::none;
  };
  Loss loss = Loss::none;
  const bool death_known = death && death->container_id == row.task.container_id;
  if (container && !runs_again(row, *container) && container->finished_at) {
    if (!death_known) loss = loss_of(*container->finished_at, container->exit_code, witness);
    if (loss == Loss::none) return exact(*container->finished_at, container->exit_code);
  } else if (death_known) {
    return exact(death->time, death->exit_code);
  } else if (container && container->previous_finish && *container->previous_finish >= start) {
    loss = loss_of(*container->previous_finish, -1, witness);
    if (loss == Loss::none) return exact(*container->previous_finish, -1);
  }
  end.time = std::max(witness.last_alive, start);
  end.precision = Precision::bounded;
  end.exit_code = -1;
  return loss;
}

void explain_loss(End& end, Loss loss) {
  end.status = TaskStatus::error;
  end.ended_by = loss == Loss::host ? ended_by::kHost : ended_by::kEngine;
  end.reason = loss == Loss::host ? "the host lost power or was reset"
                                  : "the container engine was killed, and its container with it";
}

// The name of a signal that says that a program did what it can't do; null for any other.
const char* crash_name(int signal) {
  switch (signal) {
    case SIGILL:
    case SIGTRAP:
    case SIGABRT:
    case SIGBUS:
    case SIGFPE:
    case SIGSEGV:
    case SIGSYS:
      return sigabbrev_np(signal);
    default:
      return nullptr;
  }
}

std::string exit_text(int exit_code) {
  if (exit_code < 0) return "ended, and its exit code is not known";
  if (const char* name = crash_name(exit_code - kSignalBase)) {
    return "crashed (SIG" + std::string(name) + ")";
  }
  return "exited with code " + std::to_string(exit_code);
}

void explain_exit(End& end, const TaskRow& row, bool oom_killed) {
  if (oom_killed && end.exit_code == kSignalBase + SIGKILL) {
    end.ended_by = ended_by::kOutOfMemory;
    end.status = TaskStatus::error;
    end.reason = "ran out of its " + format_size(row.memory_bytes) + " of memory";
  } else if (end.exit_code == 0) {
    end.ended_by = ended_by::kExit;
    end.status = TaskStatus::stopped;
    end.reason = "ended by itself";
  } else if (end.exit_code == kSignalBase + SIGTERM) {
    end.ended_by = ended_by::kOutside;
    end.status = TaskStatus::stopped;
    end.reason = "was stopped outside resmgr (SIGTERM)";
  } else if (end.exit_code == kSignalBase + SIGKILL) {
    end.ended_by = ended_by::kOutside;
    end.status = TaskStatus::error;
    end.reason = "was killed outside resmgr (SIGKILL)";
  } else {
    end.ended_by = ended_by::kExit;
    end.status = TaskStatus::error;
    end.reason = exit_text(end.exit_code);
  }
}

}  // namespace

End conclude(const TaskRow& row, const std::optional<engine::ContainerState>& container,
             const std::optional<Death>& death, const Witness& witness) {
  End end;
  const Loss loss = find_time(end, row, container, death, witness);

  if (row.phase == Phase::stopping) {
    end.ended_by = row.ended_by;
    end.failure = row.failure;
    end.status = row.failure.empty() ? TaskStatus::stopped : TaskStatus::error;
    end.reason = row.task.status_reason;
    return end;
  }
  if (loss != Loss::none) {
    explain_loss(end, loss);
  } else if (!container) {
    end.ended_by = ended_by::kOutside;
    end.status = TaskStatus::error;
    end.reason = "its container was removed outside resmgr";
  } else if (runs_again(row, *container)) {
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

void apply_taken_over(TaskRow& row, const engine::ContainerState& container,
                      const engine::Stats& used) {
  apply_started(row, container);
  row.task.start_time = row.task.created_at;
  row.warm.container_started_at = container.started_at;
  row.warm.cpu_ms = used.cpu_time.count();
  row.warm.network_rx_bytes = used.network_rx_bytes;
  row.warm.network_tx_bytes = used.network_tx_bytes;
  apply_ready(row);
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
