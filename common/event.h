// A line of the journal: a past fact ("task.started") or an intent ("task.start_requested").
#ifndef RESMGR_COMMON_EVENT_H_
#define RESMGR_COMMON_EVENT_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "common/clock.h"

namespace resmgr {

struct Event {
  std::int64_t seq = 0;  // of the journal; AUTOINCREMENT: never used twice
  Instant time{};
  std::string type;     // "task.started", …
  std::string task_id;  // empty where it concerns no task
  std::string user_id;  // owner of the task; empty where it concerns no task
  std::string details;  // a JSON object; never a secret
  std::string task;     // the task's whole public row after it, as a JSON object; empty = none
};

// The same where it lies in somebody else's memory, and lives only as long as that.
struct EventView {
  EventView() = default;
  EventView(const Event& event)  // NOLINT(google-explicit-constructor): an event is one
      : seq(event.seq),
        time(event.time),
        type(event.type),
        task_id(event.task_id),
        user_id(event.user_id),
        details(event.details),
        task(event.task) {}

  std::int64_t seq = 0;
  Instant time{};
  std::string_view type;
  std::string_view task_id;
  std::string_view user_id;
  std::string_view details;
  std::string_view task;
};

// The types there are. Intents end in _requested.
namespace event_type {
inline constexpr char kAgentStarted[] = "agent.started";
inline constexpr char kAgentStopped[] = "agent.stopped";
inline constexpr char kAgentDrained[] = "agent.drained";  // starts are refused from now on
inline constexpr char kAgentResumed[] = "agent.resumed";
inline constexpr char kReconcileRequested[] = "agent.reconcile_requested";  // by an admin
// The journal became another one, with another id: a backup took its place, or what could still be
// read of it and of the engine.
inline constexpr char kJournalRestored[] = "journal.restored";
inline constexpr char kJournalRebuilt[] = "journal.rebuilt";
// Events were pruned that a destination had not got yet, for there was too much of them.
inline constexpr char kJournalGap[] = "journal.gap";
// The destination that it names never gets those.
inline constexpr char kSinkGap[] = "sink.gap";
inline constexpr char kStartRequested[] = "task.start_requested";  // admission
inline constexpr char kImagePulled[] = "task.image_pulled";
inline constexpr char kCreated[] = "task.created";
inline constexpr char kStarted[] = "task.started";
inline constexpr char kReady[] = "task.ready";
inline constexpr char kStopRequested[] = "task.stop_requested";
inline constexpr char kEnded[] = "task.ended";    // the container ended; carries the usage
inline constexpr char kFailed[] = "task.failed";  // no container ever ran for it
inline constexpr char kRemoved[] = "task.removed";
inline constexpr char kOom[] = "task.oom";
inline constexpr char kPortChanged[] = "task.port_changed";
inline constexpr char kIdleWarning[] = "task.idle_warning";  // it will be stopped: idle, or too old
inline constexpr char kIdleWarningWithdrawn[] = "task.idle_warning_withdrawn";
inline constexpr char kExtended[] = "task.extended";  // its limits were put off
}  // namespace event_type

}  // namespace resmgr

#endif  // RESMGR_COMMON_EVENT_H_
