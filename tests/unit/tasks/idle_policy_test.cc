#include "agent/tasks/idle_policy.h"

#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "tests/unit/tasks/idle_fixture.h"

namespace resmgr::tasks {
namespace {

using namespace std::chrono_literals;

class IdlePolicyTest : public IdleFixture {};

TEST_F(IdlePolicyTest, SaysWhyAndWhen) {
  const Instant ready = clock_.now();
  IdleVerdict verdict = after(12min);
  EXPECT_EQ(verdict.action, Action::none);
  EXPECT_EQ(verdict.idle_since, ready);
  EXPECT_EQ(verdict.idle_warn_at, ready + 55min);
  EXPECT_EQ(verdict.idle_stop_at, ready + 60min);
  EXPECT_FALSE(verdict.idle_warned);
  EXPECT_EQ(verdict.idle_outlook,
            "idle for 12m; will be warned in 43m and stopped in 48m unless it is used or extended");
  EXPECT_FALSE(verdict.lifetime_stop_at);
  EXPECT_EQ(verdict.lifetime_outlook, "has no maximum lifetime");

  verdict = after(43min);
  EXPECT_EQ(verdict.action, Action::warn);
  EXPECT_EQ(verdict.cause, IdleCause::idle);
  EXPECT_EQ(verdict.reason, "has been idle for 55m and will be stopped in 5m");
  EXPECT_TRUE(verdict.idle_warned);

  verdict = after(2min);
  EXPECT_EQ(verdict.action, Action::none);
  EXPECT_EQ(verdict.idle_warn_at, ready + 55min);
  EXPECT_EQ(verdict.idle_outlook,
            "idle for 57m, and was warned; will be stopped in 3m unless it is used or extended");

  verdict = after(3min);
  EXPECT_EQ(verdict.action, Action::stop);
  EXPECT_EQ(verdict.cause, IdleCause::idle);
  EXPECT_EQ(verdict.reason, "was idle for 1h 00m");
}

TEST_F(IdlePolicyTest, NeverStopsWithoutATimeout) {
  rules_.timeout = 0min;
  EXPECT_EQ(for_minutes(300), History{});
  EXPECT_EQ(judge().idle_outlook, "is never stopped for being idle");
}

TEST_F(IdlePolicyTest, DoesNotCountBeforeReadiness) {
  facts_.ready_at.reset();
  EXPECT_EQ(for_minutes(300), History{});
  EXPECT_EQ(judge().idle_outlook, "is not ready yet, and can't be idle before");
  facts_.ready_at = clock_.now();
  EXPECT_EQ(for_minutes(120), (History{{55min, Action::warn}, {60min, Action::stop}}));
}

TEST_F(IdlePolicyTest, UseFromBeforeReadinessDoesNotCount) {
  says(SignalState::quiet, clock_.since_boot() - 30min);
  EXPECT_EQ(judge().idle_since, clock_.now());
}

TEST_F(IdlePolicyTest, CountsFromTheLatestUseThatAnySignalKnows) {
  const BootTime begin = clock_.since_boot();
  clock_.advance(40min);
  says(SignalState::quiet, begin + 10min, signal_name::kNetwork);
  says(SignalState::quiet, begin + 30min, signal_name::kHttpProbe);
  says(SignalState::quiet, std::nullopt, signal_name::kTouch);
  quiet();
  EXPECT_EQ(judge().idle_since, clock_.now() - 10min);
}

TEST_F(IdlePolicyTest, AUseThatASignalForgotIsRemembered) {
  clock_.advance(30min);
  says(SignalState::quiet, clock_.since_boot());
  judge();
  clock_.advance(30min);
  says(SignalState::quiet, std::nullopt);
  EXPECT_EQ(judge().idle_since, clock_.now() - 30min);
}

TEST_F(IdlePolicyTest, AUseInTheFutureIsNow) {
  says(SignalState::quiet, clock_.since_boot() + 10h);
  EXPECT_EQ(judge().idle_since, clock_.now());
  const IdleVerdict verdict = after(1min);
  EXPECT_EQ(verdict.idle_since, clock_.now());
}

TEST_F(IdlePolicyTest, OneSignalIsEnoughToKeepIt) {
  for (const SignalState state : {SignalState::busy, SignalState::unknown}) {
    for (int i = 0; i < 200; ++i) {
      clock_.advance(1min);
      quiet();
      quiet(signal_name::kNetwork);
      says(state, std::nullopt, signal_name::kHttpProbe);
      const IdleVerdict verdict = judge();
      ASSERT_EQ(verdict.action, Action::none) << to_string(state);
      ASSERT_FALSE(verdict.idle_since);
      ASSERT_FALSE(verdict.idle_stop_at);
    }
  }
  EXPECT_EQ(judge().idle_outlook,
            "counts as in use while unknown: http_probe; will be stopped once idle for 1h");
  says(SignalState::busy, std::nullopt, signal_name::kNetwork);
  busy();
  EXPECT_EQ(judge().idle_outlook, "in use (cpu, network); will be stopped once idle for 1h");
}

TEST_F(IdlePolicyTest, TheUnknownRestartsTheClock) {
  after(50min);
  clock_.advance(1min);
  says(SignalState::unknown);
  judge();
  EXPECT_EQ(for_minutes(120), (History{{55min, Action::warn}, {60min, Action::stop}}));
}

TEST_F(IdlePolicyTest, ASignalThatFellSilentIsUnknown) {
  quiet(signal_name::kNetwork);
  for (int i = 0; i < 200; ++i) ASSERT_EQ(after(1min).action, Action::none);  // cpu only
  const IdleVerdict verdict = judge();
  ASSERT_EQ(verdict.signals.size(), 2U);
  EXPECT_EQ(verdict.signals[0].name, "network");
  EXPECT_EQ(verdict.signals[0].state, SignalState::unknown);
  EXPECT_EQ(verdict.signals[0].detail, "was last heard of 3h 20m ago");
  EXPECT_EQ(verdict.signals[1].state, SignalState::quiet);
  EXPECT_FALSE(verdict.idle_since);
}

TEST_F(IdlePolicyTest, WithoutSignalsNothingIsIdle) {
  for (int i = 0; i < 200; ++i) {
    clock_.advance(1min);
    ASSERT_EQ(judge().action, Action::none);
  }
  EXPECT_EQ(judge().idle_outlook,
            "counts as in use: nothing watches its use; will be stopped once idle for 1h");
}

TEST_F(IdlePolicyTest, ShowsEachSignalWithItsAge) {
  const BootTime begin = clock_.since_boot();
  const Instant begin_wall = clock_.now();
  clock_.advance(10min);
  says(SignalState::busy, begin, signal_name::kNetwork);
  says(SignalState::quiet, begin, signal_name::kHttpProbe);
  says(SignalState::unknown, std::nullopt, signal_name::kTouch);
  clock_.advance(1s);
  const std::vector<SignalView> views = judge().signals;
  ASSERT_EQ(views.size(), 3U);
  EXPECT_EQ(views[0].name, "network");
  EXPECT_EQ(views[0].age, 0s);
  EXPECT_EQ(views[0].detail, "detail");
  EXPECT_EQ(views[0].observed, clock_.now() - 1s);
  EXPECT_EQ(views[1].age, 10min + 1s);
  EXPECT_EQ(views[1].last_busy, begin_wall);
  EXPECT_EQ(views[2].state, SignalState::unknown);
  EXPECT_FALSE(views[2].age);
}

TEST(Signals, ATouchCountsFromWhenItCouldBeHeard) {
  const Signal silent = touch_signal(std::nullopt, 10min, 30min);
  EXPECT_EQ(silent.name, "touch");
  EXPECT_EQ(silent.state, SignalState::quiet);
  EXPECT_EQ(silent.last_busy, 10min);
  EXPECT_EQ(silent.observed, 30min);
  EXPECT_EQ(touch_signal(20min, 10min, 30min).last_busy, 20min);
  EXPECT_EQ(touch_signal(5min, 10min, 30min).last_busy, 10min);
}

TEST(Signals, HaveNames) {
  EXPECT_EQ(to_string(SignalState::busy), "busy");
  EXPECT_EQ(to_string(SignalState::quiet), "quiet");
  EXPECT_EQ(to_string(SignalState::unknown), "unknown");
  EXPECT_EQ(to_string(IdleAction::none), "none");
  EXPECT_EQ(to_string(IdleAction::warn), "warn");
  EXPECT_EQ(to_string(IdleAction::stop), "stop");
  EXPECT_EQ(to_string(IdleCause::idle), "idle");
  EXPECT_EQ(to_string(IdleCause::lifetime), "lifetime");
}

TEST(Rules, ComeFromTheCatalog) {
  catalog::Service service;
  service.idle.timeout = 2h;
  service.idle.warn = 3min;
  service.lifetime_max = 24h;
  const IdleRules rules = IdleRules::of(service, 40s);
  EXPECT_EQ(rules.timeout, 2h);
  EXPECT_EQ(rules.warn, 3min);
  EXPECT_EQ(rules.lifetime_max, 24h);
  EXPECT_EQ(rules.stale_after, 2min);
  EXPECT_EQ(IdleRules::of(service, 10s).stale_after, 1min);
  EXPECT_GT(IdleRules::of(service, Millis::max()).stale_after, 1h);
}

}  // namespace
}  // namespace resmgr::tasks
