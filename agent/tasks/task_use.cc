#include "agent/tasks/task_use.h"

#include <algorithm>
#include <utility>

namespace resmgr::tasks {
namespace {

constexpr Millis kLongestProbePause{60'000};
constexpr int kMostDoublings = 10;

}  // namespace

bool is_probed(const catalog::IdlePolicy& policy) {
  return policy.probe == catalog::IdleProbe::jupyter && policy.timeout > Millis{0};
}

TaskUse::TaskUse(const Task& task, BootTime now)
    : listening_since_(now),
      meter_(ActivityFloors{}),
      jupyter_(task.start_time.value_or(task.created_at)) {}

void TaskUse::sample(const std::optional<engine::Stats>& stats, const ActivityFloors& floors,
                     BootTime now) {
  meter_.set_floors(floors);
  meter_.sample(stats, now, std::exchange(own_bytes_, 0));
}

bool TaskUse::is_probe_due(BootTime now, Millis sample_interval) const {
  if (!probe_ || probes_failed_ == 0) return true;
  const Millis pause = sample_interval * (1LL << std::min(probes_failed_, kMostDoublings));
  return now - probed_at_ >= std::min(pause, std::max(kLongestProbePause, sample_interval));
}

void TaskUse::hear(const JupyterLook& look, const Moment& now) {
  probe_ = jupyter_.observe(look, now);
  probed_at_ = now.boot;
  probes_failed_ = look.answered ? 0 : probes_failed_ + 1;
  own_bytes_ += look.traffic_bytes;
}

void TaskUse::touch(BootTime now) {
  touched_at_ = now;
  ++touches_;
}

std::vector<Signal> TaskUse::signals(const catalog::IdlePolicy& policy, BootTime now) const {
  std::vector<Signal> signals;
  if (is_probed(policy)) {
    signals.push_back(
        probe_.value_or(unknown_signal(signal_name::kHttpProbe, now, "it was not asked yet")));
  }
  for (Signal& signal : meter_.signals()) signals.push_back(std::move(signal));
  signals.push_back(touch_signal(touched_at_, listening_since_, now));
  return signals;
}

}  // namespace resmgr::tasks
