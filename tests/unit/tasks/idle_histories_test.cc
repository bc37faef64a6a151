// Random histories: whatever happens, nothing that was used is stopped, nothing is stopped without
// its warning, and the civil clock decides nothing.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "agent/tasks/idle_policy.h"
#include "tests/fakes/fake_clock.h"

namespace resmgr::tasks {
namespace {

using namespace std::chrono_literals;

constexpr int kHistories = 800;
constexpr int kSteps = 120;

struct Step {
  Millis passes{0};
  Millis clock_steps{0};
  SignalState state = SignalState::quiet;
  bool told_late = false;  // quiet now, and used in the middle of the time that passed
  bool extended = false;
  bool restarted = false;
};

struct History {
  Millis timeout{0};
  Millis warn{0};
  Millis lifetime{0};
  std::vector<Step> steps;
};

History random_history(std::uint32_t seed) {
  std::mt19937 random(seed);
  const auto below = [&](int count) {
    return static_cast<int>(random() % static_cast<unsigned>(count));
  };
  History history;
  history.timeout = Millis{60'000} * below(40);
  history.warn = Millis{60'000} * below(12);
  history.lifetime = Millis{60'000} * below(300);
  const int use = 1 + below(30);  // how rare it is
  for (int i = 0; i < kSteps; ++i) {
    Step step;
    step.passes = Millis{1'000 + below(120'000)};
    if (below(60) == 0) step.passes = Millis{60'000} * below(120);
    if (below(10) == 0) step.clock_steps = Millis{60'000} * (below(2'000) - 1'000);
    if (below(use) == 0) step.state = below(2) == 0 ? SignalState::busy : SignalState::unknown;
    step.told_late = below(use) == 0;
    step.extended = below(40) == 0;
    step.restarted = below(60) == 0;
    history.steps.push_back(step);
  }
  return history;
}

struct Decision {
  IdleAction action;
  IdleCause cause;
  BootTime at;
  std::optional<Millis> idle_for;
  friend bool operator==(const Decision&, const Decision&) = default;
};

// What the test itself holds to be true of one history.
struct Truth {
  BootTime last_use{0};
  std::optional<BootTime> idle_warned;
  std::optional<BootTime> lifetime_warned;
};

void check(const History& history, const IdleVerdict& verdict, BootTime now, BootTime start,
           Truth& truth) {
  const bool idle = verdict.cause == IdleCause::idle;
  std::optional<BootTime>& warned = idle ? truth.idle_warned : truth.lifetime_warned;
  if (verdict.action == IdleAction::warn) {
    EXPECT_GT(history.warn, 0ms);
    warned = now;
  }
  if (verdict.action != IdleAction::stop) return;
  if (idle) {
    EXPECT_GT(history.timeout, 0ms);
    EXPECT_GE(now - truth.last_use, history.timeout) << "it was used";
  } else {
    EXPECT_GT(history.lifetime, 0ms);
    EXPECT_GE(now - start, history.lifetime) << "it is not that old";
  }
  if (history.warn == 0ms) return;
  ASSERT_TRUE(warned) << "nobody was warned";
  EXPECT_GE(now - *warned, history.warn);
}

// Plays one history on the policy, and keeps the truth beside it.
class Player {
 public:
  Player(const History& history, bool with_clock_steps)
      : history_(history),
        with_clock_steps_(with_clock_steps),
        start_(clock_.since_boot()),
        rules_{history.timeout, history.warn, history.lifetime, 10h} {
    facts_.started_at = clock_.now();
    facts_.ready_at = clock_.now();
    truth_.last_use = start_;
  }

  std::vector<Decision> play() {
    happen(Step{});  // so that it has been seen before the clock steps
    decide();
    for (const Step& step : history_.steps) {
      happen(step);
      const IdleVerdict verdict = decide();
      if (verdict.action == IdleAction::stop) break;
      if (!step.extended) continue;
      // No multiple of what the clock steps by, so that no two extensions look the same.
      facts_.extended = extend(rules_, facts_, verdict, 10min + 1ms);
      truth_.idle_warned.reset();
      truth_.lifetime_warned.reset();
      if (decide().action == IdleAction::stop) break;
    }
    return std::move(decisions_);
  }

 private:
  void happen(const Step& step) {
    clock_.advance(step.passes);
    if (with_clock_steps_) clock_.set(clock_.now() + step.clock_steps);
    const BootTime now = clock_.since_boot();
    if (step.restarted) {
      memory_ = {};
      truth_.last_use = told_.value_or(start_);  // what was unknown is forgotten
    }
    if (step.told_late) told_ = now - step.passes / 2;
    if (step.state == SignalState::busy) told_ = now;
    if (told_) truth_.last_use = std::max(truth_.last_use, *told_);
    if (step.state != SignalState::quiet) truth_.last_use = now;
    if (truth_.idle_warned && truth_.last_use > *truth_.idle_warned) truth_.idle_warned.reset();
    facts_.signals = {{signal_name::kHttpProbe, step.state, told_, now, ""}};
  }

  IdleVerdict decide() {
    facts_.now = Moment::of(clock_);
    IdleVerdict verdict = judge(rules_, facts_, memory_);
    memory_ = verdict.memory;
    check(history_, verdict, facts_.now.boot, start_, truth_);
    std::optional<Millis> idle_for;
    if (verdict.idle_since) idle_for = facts_.now.wall - *verdict.idle_since;
    decisions_.push_back({verdict.action, verdict.cause, facts_.now.boot, idle_for});
    return verdict;
  }

  const History& history_;
  const bool with_clock_steps_;
  FakeClock clock_;
  const BootTime start_;
  const IdleRules rules_;
  IdleFacts facts_;
  IdleMemory memory_;
  Truth truth_;
  std::optional<BootTime> told_;
  std::vector<Decision> decisions_;
};

std::vector<Decision> play(const History& history, bool with_clock_steps) {
  return Player(history, with_clock_steps).play();
}

TEST(IdleHistories, NothingInUseIsStoppedAndNothingUnwarned) {
  int stopped = 0;
  for (std::uint32_t seed = 0; seed < kHistories; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const std::vector<Decision> decisions = play(random_history(seed), false);
    if (decisions.back().action == IdleAction::stop) ++stopped;
    if (HasFailure()) return;
  }
  EXPECT_GT(stopped, kHistories / 4);
  EXPECT_LT(stopped, kHistories);
}

TEST(IdleHistories, TheCivilClockDecidesNothing) {
  for (std::uint32_t seed = 0; seed < kHistories; ++seed) {
    History history = random_history(seed);
    for (Step& step : history.steps) step.restarted = false;
    ASSERT_TRUE(play(history, true) == play(history, false)) << "seed " << seed;
  }
}

}  // namespace
}  // namespace resmgr::tasks
