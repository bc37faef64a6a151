// Whether a task's container computes or talks, from samples of what the engine counts for it.
#ifndef RESMGR_AGENT_TASKS_ACTIVITY_H_
#define RESMGR_AGENT_TASKS_ACTIVITY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/catalog/catalog.h"
#include "agent/engine/engine.h"
#include "agent/tasks/idle_policy.h"
#include "common/clock.h"

namespace resmgr::tasks {

struct ActivityFloors {
  std::int64_t network_bytes =
      1024;                 // both ways, per interval; more is busy; below 0: not looked at
  double cpu_percent = 2;   // of one core; more is busy; below 0: not looked at
  Millis interval{10'000};  // between two samples, as planned; above 0

  static ActivityFloors of(const catalog::IdlePolicy& policy, Millis sample_interval);
};

// One task's. It compares each sample with the one before; the first shows nothing yet.
class ActivityMeter {
 public:
  explicit ActivityMeter(const ActivityFloors& floors);

  // `stats` empty: the engine did not say. `own_bytes` is what the agent itself sent to and got
  // from the container since the call before (see JupyterLook): it is no use, and is taken off. A
  // sample that comes less than half an interval after the one before is passed over, and its
  // `own_bytes` are kept for the next. Floors grow with the time between two samples; over more
  // than three intervals an average would hide a short use, so that these are unknown.
  void sample(const std::optional<engine::Stats>& stats, BootTime now, std::int64_t own_bytes = 0);

  // "network" and "cpu", those of them that are looked at; unknown until two samples were taken.
  std::vector<Signal> signals() const;

  // A floor below 0 switches a signal off.
  void set_floors(const ActivityFloors& floors);

 private:
  struct Base {
    engine::Stats stats;
    BootTime at{0};
  };
  void say_unknown(BootTime now, const std::string& why);
  void judge_network(const engine::Stats& stats, BootTime now);
  void judge_cpu(const engine::Stats& stats, BootTime now);

  ActivityFloors floors_;
  std::optional<Base> base_;
  std::int64_t own_bytes_ = 0;
  Signal network_;
  Signal cpu_;
};

}  // namespace resmgr::tasks

#endif  // RESMGR_AGENT_TASKS_ACTIVITY_H_
