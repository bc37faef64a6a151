// The words of the idle policy.
#ifndef RESMGR_AGENT_TASKS_IDLE_TEXT_H_
#define RESMGR_AGENT_TASKS_IDLE_TEXT_H_

#include <optional>
#include <string>
#include <vector>

#include "agent/tasks/idle_policy.h"
#include "common/clock.h"

namespace resmgr::tasks {

// How far away a limit is.
struct Outlook {
  std::optional<Millis> to_warning;  // empty: it was given, or there is none
  Millis to_stop{0};
  bool warned = false;
};

inline constexpr char kNeverIdleOutlook[] = "is never stopped for being idle";
inline constexpr char kNotReadyOutlook[] = "is not ready yet, and can't be idle before";
inline constexpr char kNoLifetimeOutlook[] = "has no maximum lifetime";

// Time that has passed or is left: "1h 05m", "5m 03s", "5m", "42s".
std::string elapsed_text(Millis duration);
// A limit as an operator would write it: "24h", "1h 30m", "90s" is "1m 30s".
std::string limit_text(Millis duration);

// For the signals that keep a task from being idle.
std::string in_use_outlook(const std::vector<SignalView>& signals, Millis timeout);
std::string idle_outlook(Millis idle_for, const Outlook& outlook);
std::string was_idle_reason(Millis idle_for);  // "was idle for 1h 00m"
std::string idle_warning_reason(Millis idle_for, const Outlook& outlook);

// `by` is how much it was extended.
std::string lifetime_outlook(Millis most, Millis by, const Outlook& outlook);
std::string lifetime_reason(Millis most, Millis by);  // "reached its maximum lifetime of 24h"
std::string lifetime_warning_reason(Millis most, Millis by, const Outlook& outlook);

}  // namespace resmgr::tasks

#endif  // RESMGR_AGENT_TASKS_IDLE_TEXT_H_
