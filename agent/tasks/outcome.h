// How facts from the engine change a task's row. Pure.
#ifndef RESMGR_AGENT_TASKS_OUTCOME_H_
#define RESMGR_AGENT_TASKS_OUTCOME_H_

#include <optional>
#include <string>
#include <string_view>

#include "agent/engine/engine.h"
#include "agent/journal/task_row.h"
#include "common/clock.h"
#include "common/error.h"

namespace resmgr::tasks {

// Who or what ended a task: TaskRow::ended_by, and `endedBy` in its usage record.
namespace ended_by {
inline constexpr char kUser[] = "user";
inline constexpr char kAdmin[] = "admin";
inline constexpr char kExit[] = "exit";                 // the service, by itself
inline constexpr char kOutOfMemory[] = "oom";           // the kernel, at its memory limit
inline constexpr char kOutside[] = "outside";           // somebody at the engine, past the agent
inline constexpr char kStartFailed[] = "start_failed";  // the agent: it did not become ready
inline constexpr char kIdle[] = "idle";                 // the agent: nobody used it
inline constexpr char kLifetime[] = "lifetime";  // the agent: it reached its maximum lifetime
}  // namespace ended_by

// A container's end as the engine's event stream told it.
struct Death {
  std::string container_id;
  Instant time{};
  int exit_code = -1;
};

// The end of a task whose container ran.
struct End {
  Instant time{};
  Precision precision = Precision::exact;
  int exit_code = -1;  // -1: nobody knows
  std::string ended_by;
  TaskStatus status = TaskStatus::stopped;
  std::string reason;   // for people; may be empty
  std::string failure;  // ErrorKind's name where the start failed, else empty
};

// `container` is what is left of it (it may run again: somebody restarted it), if anything is.
// `last_alive` is the last time at which it was seen alive; it bounds the end where the engine
// does not tell it.
End conclude(const journal::TaskRow& row, const std::optional<engine::ContainerState>& container,
             const std::optional<Death>& death, Instant last_alive);

void apply_started(journal::TaskRow& row, const engine::ContainerState& container);
void apply_ready(journal::TaskRow& row);
// `failure` is empty where somebody asked for the stop.
void apply_stop_intent(journal::TaskRow& row, std::string_view by, std::string_view failure,
                       std::string_view reason);
void apply_end(journal::TaskRow& row, const End& end);
// It was to be stopped, and never ran.
void apply_unstarted(journal::TaskRow& row);

}  // namespace resmgr::tasks

#endif  // RESMGR_AGENT_TASKS_OUTCOME_H_
