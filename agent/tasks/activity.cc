#include "agent/tasks/activity.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <utility>

#include "agent/tasks/idle_text.h"
#include "common/time_format.h"

namespace resmgr::tasks {
namespace {

constexpr int kLongestGap = 3;  // intervals
constexpr Millis kLongestInterval = std::chrono::hours{24 * 365};

std::string percent(double value) {
  std::array<char, 32> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%.1f%%", std::min(value, 1e9));
  return buffer.data();
}

// As large as it gets: a counter that lies must not overflow the sum.
std::int64_t added(std::int64_t a, std::int64_t b) {
  std::int64_t sum = 0;
  return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

void say(Signal& signal, bool busy, BootTime now, std::string detail) {
  signal.state = busy ? SignalState::busy : SignalState::quiet;
  if (busy) signal.last_busy = now;
  signal.observed = now;
  signal.detail = std::move(detail);
}

void say_not_known(Signal& signal, BootTime now, std::string why) {
  signal.state = SignalState::unknown;
  signal.observed = now;
  signal.detail = std::move(why);
}

}  // namespace

ActivityFloors ActivityFloors::of(const catalog::IdlePolicy& policy, Millis sample_interval) {
  return {policy.network_bytes, policy.cpu_percent, sample_interval};
}

ActivityMeter::ActivityMeter(const ActivityFloors& floors)
    : network_(unknown_signal(signal_name::kNetwork, BootTime{0}, "no sample was taken yet")),
      cpu_(unknown_signal(signal_name::kCpu, BootTime{0}, "no sample was taken yet")) {
  set_floors(floors);
}

void ActivityMeter::set_floors(const ActivityFloors& floors) {
  floors_ = floors;
  floors_.interval = std::clamp(floors_.interval, Millis{1}, kLongestInterval);
}

void ActivityMeter::sample(const std::optional<engine::Stats>& stats, BootTime now,
                           std::int64_t own_bytes) {
  own_bytes_ = added(own_bytes_, std::max<std::int64_t>(own_bytes, 0));
  if (!stats) {
    say_unknown(now, "the engine gave no sample");
    return;
  }
  if (base_) {
    const Millis elapsed = now - base_->at;
    if (elapsed < std::max(floors_.interval / 2, Millis{1})) return;
    if (elapsed > kLongestGap * floors_.interval) {
      say_unknown(now, "no sample was taken for " + elapsed_text(elapsed));
    } else {
      judge_network(*stats, now);
      judge_cpu(*stats, now);
    }
  } else {
    say_unknown(now, "only one sample was taken yet");
  }
  base_ = {*stats, now};
  own_bytes_ = 0;
}

void ActivityMeter::say_unknown(BootTime now, const std::string& why) {
  say_not_known(network_, now, why);
  say_not_known(cpu_, now, why);
}

void ActivityMeter::judge_network(const engine::Stats& stats, BootTime now) {
  const engine::Stats& before = base_->stats;
  if (before.network_rx_bytes < 0 || before.network_tx_bytes < 0 ||
      stats.network_rx_bytes < before.network_rx_bytes ||
      stats.network_tx_bytes < before.network_tx_bytes) {
    say_not_known(network_, now, "its counters went backwards");
    return;
  }
  const std::int64_t moved = added(stats.network_rx_bytes - before.network_rx_bytes,
                                   stats.network_tx_bytes - before.network_tx_bytes);
  const std::int64_t bytes = std::max<std::int64_t>(moved - own_bytes_, 0);
  const Millis elapsed = now - base_->at;
  const double intervals = std::max(
      static_cast<double>(elapsed.count()) / static_cast<double>(floors_.interval.count()), 1.0);
  const bool busy =
      static_cast<double>(bytes) > static_cast<double>(floors_.network_bytes) * intervals;
  say(network_, busy, now,
      format_size(bytes) + " in " + format_duration(elapsed) + ", busy above " +
          format_size(floors_.network_bytes) + " in " + format_duration(floors_.interval));
}

void ActivityMeter::judge_cpu(const engine::Stats& stats, BootTime now) {
  const Millis used = stats.cpu_time - std::max(base_->stats.cpu_time, Millis{0});
  if (base_->stats.cpu_time < Millis{0} || used < Millis{0}) {
    say_not_known(cpu_, now, "its counter went backwards");
    return;
  }
  const double share =
      100.0 * static_cast<double>(used.count()) / static_cast<double>((now - base_->at).count());
  say(cpu_, share > floors_.cpu_percent, now,
      percent(share) + " of a core, busy above " + percent(floors_.cpu_percent));
}

std::vector<Signal> ActivityMeter::signals() const {
  std::vector<Signal> signals;
  if (floors_.network_bytes >= 0) signals.push_back(network_);
  if (floors_.cpu_percent >= 0) signals.push_back(cpu_);
  return signals;
}

}  // namespace resmgr::tasks
