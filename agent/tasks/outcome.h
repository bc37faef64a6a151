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
inline constexpr char kHost[] = "host";                 // the host, which lost power or was reset
inline constexpr char kEngine[] = "engine";             // the engine, whose processes were killed
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

// What is known of a container beside the engine's own record, which may be gone or wrong: an
// engine that finds a container dead which it had left running, because the host lost power, or
// because all of the engine's processes were killed, takes the present time for its end, and 255
// for its exit code.
struct Witness {
  Instant last_alive{};   // when it was last seen alive; bounds the end that nobody tells
  bool rebooted = false;  // the host has booted since then
  Instant booted_at{};    // when the present boot began, as the wall clock has it now
  std::optional<Instant> engine_started;  // EngineInfo::started_at
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
// `death` is what this process was told live.
End conclude(const journal::TaskRow& row, const std::optional<engine::ContainerState>& container,
             const std::optional<Death>& death, const Witness& witness);

void apply_started(journal::TaskRow& row, const engine::ContainerState& container);
// It claimed this container, which was ready. Its usage begins at the claim: the container's start
// and what it had `used` by now count for nobody.
void apply_taken_over(journal::TaskRow& row, const engine::ContainerState& container,
                      const engine::Stats& used);
void apply_ready(journal::TaskRow& row);
// `failure` is empty where somebody asked for the stop.
void apply_stop_intent(journal::TaskRow& row, std::string_view by, std::string_view failure,
                       std::string_view reason);
void apply_end(journal::TaskRow& row, const End& end);
// It was to be stopped, and never ran.
void apply_unstarted(journal::TaskRow& row);

}  // namespace resmgr::tasks

#endif  // RESMGR_AGENT_TASKS_OUTCOME_H_
