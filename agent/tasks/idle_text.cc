#include "agent/tasks/idle_text.h"

#include <array>
#include <cstdio>
#include <utility>

namespace resmgr::tasks {
namespace {

constexpr long long kSecond = 1'000;
constexpr long long kMinute = 60 * kSecond;
constexpr long long kHour = 60 * kMinute;

std::string two_digits(long long number) {
  std::array<char, 24> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%02lld", number);
  return buffer.data();
}

// What is left of a second is a second.
std::string left_text(Millis duration) {
  return elapsed_text(Millis{(duration.count() + kSecond - 1) / kSecond * kSecond});
}

std::string in_text(Millis left) { return left > Millis{0} ? "in " + left_text(left) : "now"; }

// " will be warned in 5m and stopped in 10m"
std::string will_be(const Outlook& outlook) {
  const std::string stopped = "stopped " + in_text(outlook.to_stop);
  if (!outlook.to_warning) return " will be " + stopped;
  return " will be warned " + in_text(*outlook.to_warning) + " and " + stopped;
}

std::string maximum(Millis most, Millis by) {
  return "maximum lifetime of " + limit_text(most) +
         (by > Millis{0} ? ", extended by " + limit_text(by) : std::string());
}

std::string names_of(const std::vector<SignalView>& signals, SignalState state) {
  std::string names;
  for (const SignalView& signal : signals) {
    if (signal.state != state) continue;
    if (!names.empty()) names += ", ";
    names += signal.name;
  }
  return names;
}

}  // namespace

std::string elapsed_text(Millis duration) {
  const long long total = duration.count() < 0 ? 0 : duration.count();
  const long long minutes = total / kMinute % 60;
  const long long seconds = total / kSecond % 60;
  if (total >= kHour) return std::to_string(total / kHour) + "h " + two_digits(minutes) + "m";
  if (total < kMinute) return std::to_string(seconds) + "s";
  return std::to_string(minutes) + "m" + (seconds > 0 ? " " + two_digits(seconds) + "s" : "");
}

std::string limit_text(Millis duration) {
  const std::array<std::pair<long long, const char*>, 4> parts = {
      {{duration.count() / kHour, "h"},
       {duration.count() / kMinute % 60, "m"},
       {duration.count() / kSecond % 60, "s"},
       {duration.count() % kSecond, "ms"}}};
  std::string text;
  for (const auto& [count, unit] : parts) {
    if (count <= 0) continue;
    if (!text.empty()) text += ' ';
    text += std::to_string(count) + unit;
  }
  return text.empty() ? "0s" : text;
}

std::string in_use_outlook(const std::vector<SignalView>& signals, Millis timeout) {
  const std::string stopped = "; will be stopped once idle for " + limit_text(timeout);
  const std::string busy = names_of(signals, SignalState::busy);
  if (!busy.empty()) return "in use (" + busy + ")" + stopped;
  const std::string unknown = names_of(signals, SignalState::unknown);
  if (!unknown.empty()) return "counts as in use while unknown: " + unknown + stopped;
  return "counts as in use: nothing watches its use" + stopped;
}

std::string idle_outlook(Millis idle_for, const Outlook& outlook) {
  return "idle for " + elapsed_text(idle_for) + (outlook.warned ? ", and was warned;" : ";") +
         will_be(outlook) + " unless it is used or extended";
}

std::string was_idle_reason(Millis idle_for) { return "was idle for " + elapsed_text(idle_for); }

std::string idle_warning_reason(Millis idle_for, const Outlook& outlook) {
  return "has been idle for " + elapsed_text(idle_for) + " and will be stopped " +
         in_text(outlook.to_stop);
}

std::string lifetime_outlook(Millis most, Millis by, const Outlook& outlook) {
  return "has a " + maximum(most, by) + (outlook.warned ? ", and was warned;" : ";") +
         will_be(outlook) + " unless it is extended";
}

std::string lifetime_reason(Millis most, Millis by) { return "reached its " + maximum(most, by); }

std::string lifetime_warning_reason(Millis most, Millis by, const Outlook& outlook) {
  return "reaches its " + maximum(most, by) + ", and will be stopped " + in_text(outlook.to_stop);
}

}  // namespace resmgr::tasks
