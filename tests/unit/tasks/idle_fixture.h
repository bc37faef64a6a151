// A task for tests of the idle policy.
#ifndef RESMGR_TESTS_UNIT_TASKS_IDLE_FIXTURE_H_
#define RESMGR_TESTS_UNIT_TASKS_IDLE_FIXTURE_H_

#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/tasks/idle_policy.h"
#include "tests/fakes/fake_clock.h"

namespace resmgr::tasks {

// One task and its clock; judge() keeps the memory, as the agent does once all is on record.
class IdleFixture : public ::testing::Test {
 protected:
  using Action = IdleAction;

  IdleFixture() {
    rules_.timeout = std::chrono::hours{1};
    rules_.warn = std::chrono::minutes{5};
    rules_.stale_after = std::chrono::minutes{1};
    facts_.started_at = clock_.now();
    facts_.ready_at = clock_.now();
  }

  void says(SignalState state, std::optional<BootTime> last_busy = std::nullopt,
            const std::string& name = signal_name::kCpu) {
    for (Signal& signal : facts_.signals) {
      if (signal.name == name) {
        signal = {name, state, last_busy, clock_.since_boot(), "detail"};
        return;
      }
    }
    facts_.signals.push_back({name, state, last_busy, clock_.since_boot(), "detail"});
  }
  void quiet(const std::string& name = signal_name::kCpu) {
    std::optional<BootTime> last;
    for (const Signal& signal : facts_.signals) {
      if (signal.name == name) last = signal.last_busy;
    }
    says(SignalState::quiet, last, name);
  }
  void busy() { says(SignalState::busy, clock_.since_boot()); }

  IdleVerdict judge() {
    facts_.now = Moment::of(clock_);
    IdleVerdict verdict = tasks::judge(rules_, facts_, memory_);
    memory_ = verdict.memory;
    return verdict;
  }
  IdleVerdict after(Millis time) {
    clock_.advance(time);
    quiet();
    return judge();
  }
  // Judged each minute, quiet all the time. What happened when.
  using History = std::vector<std::pair<Millis, Action>>;
  History for_minutes(int minutes) {
    History history;
    const BootTime begin = clock_.since_boot();
    for (int i = 0; i < minutes; ++i) {
      const IdleVerdict verdict = after(std::chrono::minutes{1});
      if (verdict.action == Action::none) continue;
      history.emplace_back(clock_.since_boot() - begin, verdict.action);
      if (verdict.action == Action::stop) break;
    }
    return history;
  }

  FakeClock clock_;
  IdleRules rules_;
  IdleFacts facts_;
  IdleMemory memory_;
};

}  // namespace resmgr::tasks

#endif  // RESMGR_TESTS_UNIT_TASKS_IDLE_FIXTURE_H_
