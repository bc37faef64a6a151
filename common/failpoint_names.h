// Every failpoint there is: a place right before or right after something that changes the world
// (the journal, the engine, a file) and thus a place at which a kill leaves a history of its own.
//
// The crash suite kills an agent at each of these and fails where nothing reached one, so that the
// list can't be longer than the code; a failpoint() whose name is not here does not compile, so
// that it can't be shorter.
#ifndef RESMGR_COMMON_FAILPOINT_NAMES_H_
#define RESMGR_COMMON_FAILPOINT_NAMES_H_

#include <array>
#include <string_view>

namespace resmgr {

// A transition is a change of a task's row by its lane; its name is the phase that the row is in
// afterwards. `unstarted`: removed, and no container ever ran; `noted`: an event, and the phase is
// as it was.
inline constexpr std::array kFailpoints = std::to_array<std::string_view>({
    "file.before_rename",
    "file.after_rename",
    "journal.before_migration",
    "journal.after_migration",
    "journal.before_commit",
    "journal.after_commit",
    "agent_started.before_commit",
    "agent_started.after_commit",
    "agent_stopped.before_commit",
    "agent_stopped.after_commit",
    "admission.before_commit",
    "admission.after_commit",
    "stop.before_commit",
    "stop.after_commit",
    "transition.started.before_commit",
    "transition.started.after_commit",
    "transition.ready.before_commit",
    "transition.ready.after_commit",
    "transition.stopping.before_commit",
    "transition.stopping.after_commit",
    "transition.ended.before_commit",
    "transition.ended.after_commit",
    "transition.removed.before_commit",
    "transition.removed.after_commit",
    "transition.unstarted.before_commit",
    "transition.unstarted.after_commit",
    "transition.noted.before_commit",
    "transition.noted.after_commit",
    "extension.before_commit",
    "extension.after_commit",
    "warning.before_commit",
    "warning.after_commit",
    "drain.before_commit",
    "drain.after_commit",
    "sample.before_commit",
    "sample.after_commit",
    "heartbeat.before_commit",
    "heartbeat.after_commit",
    "sink.before_deliver",
    "sink.after_deliver",
    "postgres.before_commit",
    "postgres.after_commit",
    "post.before_commit",
    "post.after_commit",
    "cursor.before_commit",
    "cursor.after_commit",
    "dead_letter.before_commit",
    "dead_letter.after_commit",
    "pool.before_commit",
    "pool.after_commit",
    "slot.before_commit",
    "slot.after_commit",
    "adoption.before_commit",
    "adoption.after_commit",
    "engine.before_create_network",
    "engine.after_create_network",
    "engine.before_pull",
    "engine.after_pull",
    "engine.before_create",
    "engine.after_create",
    "engine.before_start",
    "engine.after_start",
    "engine.before_stop",
    "engine.after_stop",
    "engine.before_rename",
    "engine.after_rename",
    "engine.before_settle",
    "engine.after_settle",
    "engine.before_discard",
    "engine.after_discard",
    "engine.before_remove",
    "engine.after_remove",
    "engine.before_remove_volume",
    "engine.after_remove_volume",
    "log_tail.before_rename",
    "log_tail.after_rename",
});

// One of them; anything else does not compile.
class FailpointName {
 public:
  // Implicit, so that a call reads failpoint("engine.before_create").
  // NOLINTNEXTLINE(google-explicit-constructor)
  consteval FailpointName(const char* name) : name_(name) {
    for (const std::string_view known : kFailpoints) {
      if (known == name_) return;
    }
    throw "this name is not in kFailpoints";
  }
  constexpr std::string_view text() const { return name_; }

 private:
  std::string_view name_;
};

}  // namespace resmgr

#endif  // RESMGR_COMMON_FAILPOINT_NAMES_H_
