// When a running task is warned and stopped because nobody uses it, or because it is too old. Pure.
//
// Ages are counted on the clock that never steps (Clock::since_boot); civil times are only what
// came from outside of the process, and what people are shown. A civil time from outside is put on
// that clock when it is first seen, and stays there: a later step of the civil clock moves nothing.
#ifndef RESMGR_AGENT_TASKS_IDLE_POLICY_H_
#define RESMGR_AGENT_TASKS_IDLE_POLICY_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/catalog/catalog.h"
#include "common/clock.h"

namespace resmgr::tasks {

// A point of time on the clock that never steps: Clock::since_boot().
using BootTime = Millis;

// One point of time on both clocks.
struct Moment {
  Instant wall{};
  BootTime boot{0};

  static Moment of(const Clock& clock) { return {clock.now(), clock.since_boot()}; }
};

enum class SignalState { busy, quiet, unknown };
std::string_view to_string(SignalState state);  // "busy", "quiet", "unknown"

namespace signal_name {
inline constexpr char kHttpProbe[] = "http_probe";
inline constexpr char kNetwork[] = "network";
inline constexpr char kCpu[] = "cpu";
inline constexpr char kTouch[] = "touch";
}  // namespace signal_name

// What one source says of a task's use. A source that is configured and has said nothing yet is an
// unknown signal, not a missing one.
struct Signal {
  std::string name;
  SignalState state = SignalState::unknown;
  std::optional<BootTime> last_busy;  // empty: not as far as it knows
  BootTime observed{0};               // when the state was found
  std::string detail;                 // for people
};

Signal unknown_signal(std::string_view name, BootTime now, std::string detail);

// The signal of what a gateway reports. Before `listening_since` a report could not have been
// heard (the agent was down, or there was no task), so that idleness counts from there at most.
Signal touch_signal(std::optional<BootTime> last_touch, BootTime listening_since, BootTime now);

// What the catalog says. Durations over 100 years count as 100 years.
struct IdleRules {
  Millis timeout{0};       // 0 = never stopped for idleness
  Millis warn{0};          // between the warning and the stop, at least; 0 = no warning
  Millis lifetime_max{0};  // 0 = no limit
  Millis stale_after{0};   // a signal that was observed longer ago is unknown

  static IdleRules of(const catalog::Service& service, Millis sample_interval);
};

// Not before these times, whatever the rules say.
struct Extension {
  std::optional<Instant> idle_until;
  std::optional<Instant> lifetime_until;
};

struct IdleFacts {
  Instant started_at{};             // the lifetime counts from here
  std::optional<Instant> ready_at;  // idleness counts from here; empty: it is not ready yet
  Extension extended;
  std::vector<Signal> signals;
  Moment now;
};

// What has to be remembered of a task from one judgement to the next. It may be lost with the
// process: a task is then warned again before it is stopped.
struct IdleMemory {
  struct Pin {
    Instant wall{};
    BootTime boot{0};
  };
  struct Warning {
    BootTime at{0};
    BootTime from{0};   // what the limit counted from then
    BootTime limit{0};  // and when it would be reached
  };
  std::optional<Pin> started;
  std::optional<Pin> ready;
  std::optional<Pin> idle_until;
  std::optional<Pin> lifetime_until;
  std::optional<BootTime> last_busy;
  std::optional<Warning> idle_warning;
  std::optional<Warning> lifetime_warning;
};

enum class IdleAction { none, warn, stop };
enum class IdleCause { idle, lifetime };
std::string_view to_string(IdleAction action);  // "none", "warn", "stop"
std::string_view to_string(IdleCause cause);    // "idle", "lifetime"

// One signal as people are shown it.
struct SignalView {
  std::string name;
  SignalState state = SignalState::unknown;
  Instant observed{};
  std::optional<Instant> last_busy;
  std::optional<Millis> age;  // since it was last busy; 0 while it is
  std::string detail;
};

struct IdleVerdict {
  IdleAction action = IdleAction::none;
  IdleCause cause = IdleCause::idle;  // of a warning or a stop
  std::string reason;                 // of a stop "was idle for 1h 00m"; of a warning what will be
  bool withdrawn = false;             // a warning that was given holds no longer

  std::optional<Instant> idle_since;    // empty while it is busy, or nobody can say
  std::optional<Instant> idle_warn_at;  // if it stays idle; in the past once it was warned
  std::optional<Instant> idle_stop_at;  // if it stays idle
  std::optional<Instant> lifetime_warn_at;
  std::optional<Instant> lifetime_stop_at;
  bool idle_warned = false;
  bool lifetime_warned = false;

  std::vector<SignalView> signals;
  std::string idle_outlook;      // what will happen, for people
  std::string lifetime_outlook;  // the same
  // The memory for the next judgement. Keep it once what the verdict asks for is on record; if it
  // could not be recorded, keep the old one, and the same will be asked for again.
  IdleMemory memory;
};

// Any busy signal is use, and so is any that is unknown or stale: while one is, the clock of
// idleness stands at its beginning. Else idleness counts from the last use that any signal knows,
// never from before `ready_at`.
//
// The stop comes when the limit is reached, and at least `rules.warn` after the warning, however
// late that was given. The warning comes `rules.warn` before the limit, or, where the limit itself
// is no longer than that, at the limit. Use, or an extension, withdraws it.
IdleVerdict judge(const IdleRules& rules, const IdleFacts& facts, const IdleMemory& memory);

// Both limits moved by so much from where `verdict` has them. A busy task's idleness would begin
// now at the earliest.
Extension extend(const IdleRules& rules, const IdleFacts& facts, const IdleVerdict& verdict,
                 Millis by);

}  // namespace resmgr::tasks

#endif  // RESMGR_AGENT_TASKS_IDLE_POLICY_H_
