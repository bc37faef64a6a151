#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "agent/tasks/idle_policy.h"
#include "tests/unit/tasks/idle_fixture.h"

namespace resmgr::tasks {
namespace {

using namespace std::chrono_literals;

class IdleWarningsTest : public IdleFixture {};

TEST_F(IdleWarningsTest, WarnsOnceAndThenStops) {
  EXPECT_EQ(for_minutes(120), (History{{55min, Action::warn}, {60min, Action::stop}}));
}

TEST_F(IdleWarningsTest, UseWithdrawsAWarning) {
  EXPECT_EQ(for_minutes(57), (History{{55min, Action::warn}}));
  clock_.advance(1min);
  busy();
  IdleVerdict verdict = judge();
  EXPECT_TRUE(verdict.withdrawn);
  EXPECT_FALSE(verdict.idle_warned);
  EXPECT_FALSE(after(1min).withdrawn);
  EXPECT_EQ(for_minutes(120), (History{{54min, Action::warn}, {59min, Action::stop}}));
}

TEST_F(IdleWarningsTest, TheUnknownWithdrawsAWarning) {
  EXPECT_EQ(for_minutes(57), (History{{55min, Action::warn}}));
  says(SignalState::unknown);
  EXPECT_TRUE(judge().withdrawn);
  EXPECT_EQ(for_minutes(120), (History{{55min, Action::warn}, {60min, Action::stop}}));
}

TEST_F(IdleWarningsTest, UseThatIsOnlyToldAfterwardsWithdrawsAWarning) {
  struct Case {
    const char* what;
    Millis used_before_now;
  };
  for (const Case& one : {Case{"after the warning", 1min}, Case{"before the warning", 10min}}) {
    memory_ = {};
    facts_.signals.clear();
    facts_.started_at = clock_.now();
    facts_.ready_at = clock_.now();
    ASSERT_EQ(for_minutes(57), (History{{55min, Action::warn}})) << one.what;
    says(SignalState::quiet, clock_.since_boot() - one.used_before_now);
    const IdleVerdict verdict = judge();
    EXPECT_TRUE(verdict.withdrawn) << one.what;
    EXPECT_EQ(verdict.action, Action::none) << one.what;
    EXPECT_EQ(verdict.idle_stop_at, clock_.now() - one.used_before_now + 60min) << one.what;
  }
}

TEST_F(IdleWarningsTest, AWarningForAnotherIdlenessDoesNotCount) {
  EXPECT_EQ(for_minutes(55), (History{{55min, Action::warn}}));
  // Nobody judged for two hours, in whose beginning it was used.
  const BootTime used = clock_.since_boot() + 2min;
  clock_.advance(2h);
  says(SignalState::quiet, used);
  const IdleVerdict verdict = judge();
  EXPECT_EQ(verdict.action, Action::warn);
  EXPECT_TRUE(verdict.withdrawn);
  EXPECT_EQ(verdict.reason, "has been idle for 1h 58m and will be stopped in 5m");
  EXPECT_EQ(for_minutes(60), (History{{5min, Action::stop}}));
}

TEST_F(IdleWarningsTest, AnAgentThatWasDownOverTheWarningWarnsFirst) {
  const Instant ready = clock_.now();
  after(10min);
  clock_.advance(3h);
  memory_ = {};  // another process
  quiet();
  IdleVerdict verdict = judge();
  EXPECT_EQ(verdict.action, Action::warn);
  EXPECT_EQ(verdict.idle_since, ready);
  EXPECT_EQ(verdict.idle_stop_at, clock_.now() + 5min);
  EXPECT_EQ(for_minutes(60), (History{{5min, Action::stop}}));
}

TEST_F(IdleWarningsTest, AStalledAgentWarnsFirstToo) {
  after(10min);
  EXPECT_EQ(after(3h).action, Action::warn);
  EXPECT_EQ(for_minutes(60), (History{{5min, Action::stop}}));
}

TEST_F(IdleWarningsTest, AnAgentThatWasDownAfterTheWarningStopsIfItRemembers) {
  EXPECT_EQ(for_minutes(55), (History{{55min, Action::warn}}));
  const IdleVerdict verdict = after(3h);
  EXPECT_EQ(verdict.action, Action::stop);
  EXPECT_EQ(verdict.reason, "was idle for 3h 55m");
}

TEST_F(IdleWarningsTest, WhatWasNotRecordedIsAskedForAgain) {
  after(54min);
  clock_.advance(2min);
  quiet();
  facts_.now = Moment::of(clock_);
  EXPECT_EQ(tasks::judge(rules_, facts_, memory_).action, Action::warn);  // and the disk is full
  const IdleVerdict verdict = after(10min);
  EXPECT_EQ(verdict.action, Action::warn);
  EXPECT_EQ(verdict.idle_stop_at, clock_.now() + 5min);
  EXPECT_EQ(for_minutes(60), (History{{5min, Action::stop}}));
  EXPECT_EQ(judge().action, Action::stop);
}

TEST_F(IdleWarningsTest, WarningTimes) {
  struct Case {
    Millis timeout;
    Millis warn;
    History expected;
  };
  const std::vector<Case> cases = {
      {10min, 5min, {{5min, Action::warn}, {10min, Action::stop}}},
      {10min, 9min, {{1min, Action::warn}, {10min, Action::stop}}},
      {10min, 0min, {{10min, Action::stop}}},
      // A limit that is no longer than the warning: the warning comes at the limit.
      {5min, 5min, {{5min, Action::warn}, {10min, Action::stop}}},
      {2min, 5min, {{2min, Action::warn}, {7min, Action::stop}}},
      {1ms, 5min, {{1min, Action::warn}, {6min, Action::stop}}},
  };
  for (const Case& one : cases) {
    SCOPED_TRACE(one.timeout.count());
    memory_ = {};
    facts_.signals.clear();
    facts_.started_at = clock_.now();
    facts_.ready_at = clock_.now();
    rules_.timeout = one.timeout;
    rules_.warn = one.warn;
    EXPECT_EQ(for_minutes(30), one.expected);
    // The same for the other limit.
    memory_ = {};
    facts_.started_at = clock_.now();
    rules_.timeout = 0min;
    rules_.lifetime_max = one.timeout;
    EXPECT_EQ(for_minutes(30), one.expected);
    rules_.lifetime_max = 0min;
  }
}

TEST_F(IdleWarningsTest, TwoWarningsComeOneAfterTheOther) {
  rules_.lifetime_max = 1h;
  clock_.advance(55min);
  quiet();
  IdleVerdict verdict = judge();
  EXPECT_EQ(verdict.action, Action::warn);
  EXPECT_EQ(verdict.cause, IdleCause::idle);
  EXPECT_FALSE(verdict.lifetime_warned);
  verdict = after(1s);
  EXPECT_EQ(verdict.action, Action::warn);
  EXPECT_EQ(verdict.cause, IdleCause::lifetime);
  EXPECT_TRUE(verdict.lifetime_warned);
  EXPECT_EQ(after(4min).action, Action::none);
  EXPECT_EQ(after(59s).action, Action::stop);
}

TEST_F(IdleWarningsTest, AStopGoesBeforeAWarning) {
  rules_.lifetime_max = 54min;
  EXPECT_EQ(for_minutes(49), (History{{49min, Action::warn}}));
  // … of the lifetime; the lifetime is over when idleness would be warned of.
  IdleVerdict verdict = after(6min);
  EXPECT_EQ(verdict.action, Action::stop);
  EXPECT_EQ(verdict.cause, IdleCause::lifetime);

  memory_ = {};
  facts_.started_at = clock_.now();
  facts_.ready_at = clock_.now();
  rules_.lifetime_max = 65min;
  EXPECT_EQ(for_minutes(59), (History{{55min, Action::warn}}));
  verdict = after(1min);  // idle for an hour, and to be warned of its age
  EXPECT_EQ(verdict.action, Action::stop);
  EXPECT_EQ(verdict.cause, IdleCause::idle);
}

TEST_F(IdleWarningsTest, AnExtensionWithdrawsAWarning) {
  EXPECT_EQ(for_minutes(57), (History{{55min, Action::warn}}));
  facts_.extended = extend(rules_, facts_, judge(), 1h);
  const IdleVerdict verdict = judge();
  EXPECT_TRUE(verdict.withdrawn);
  EXPECT_EQ(for_minutes(120), (History{{58min, Action::warn}, {63min, Action::stop}}));
}

TEST_F(IdleWarningsTest, AnExtensionByLessThanTheWarningWarnsAgain) {
  EXPECT_EQ(for_minutes(57), (History{{55min, Action::warn}}));
  facts_.extended = extend(rules_, facts_, judge(), 1min);  // until minute 61
  // A warning that came for another end is no warning for this one.
  IdleVerdict verdict = after(1min);
  EXPECT_EQ(verdict.action, Action::warn);
  EXPECT_TRUE(verdict.withdrawn);
  EXPECT_EQ(for_minutes(60), (History{{5min, Action::stop}}));
}

TEST_F(IdleWarningsTest, UseUnderAnExtensionWithdrawsTheWarningToo) {
  rules_.timeout = 6min;
  facts_.extended.idle_until = clock_.now() + 60min;
  EXPECT_EQ(for_minutes(56), (History{{55min, Action::warn}}));
  says(SignalState::quiet, clock_.since_boot() - 30s);
  // Used, and idle for the timeout only after the extension: the end moves a little.
  EXPECT_TRUE(judge().withdrawn);
}

TEST_F(IdleWarningsTest, UseThatMovesNoLimitWithdrawsTheWarningToo) {
  rules_.timeout = 2min;
  facts_.extended.idle_until = clock_.now() + 60min;
  EXPECT_EQ(for_minutes(55), (History{{55min, Action::warn}}));
  // Idle for longer than the timeout again, when somebody looks; the end is the extension's still.
  const BootTime used = clock_.since_boot() + 30s;
  clock_.advance(4min);
  says(SignalState::quiet, used);
  const IdleVerdict verdict = judge();
  EXPECT_TRUE(verdict.withdrawn);
  EXPECT_EQ(verdict.action, Action::warn);
  EXPECT_EQ(for_minutes(60), (History{{5min, Action::stop}}));
}

TEST_F(IdleWarningsTest, AWarningThatCameEarlierThanItHadToStands) {
  rules_.warn = 30min;
  EXPECT_EQ(for_minutes(40), (History{{30min, Action::warn}}));
  rules_.warn = 5min;
  const IdleVerdict verdict = judge();
  EXPECT_FALSE(verdict.withdrawn);
  EXPECT_EQ(verdict.idle_warn_at, clock_.now() - 10min);
  EXPECT_EQ(for_minutes(60), (History{{20min, Action::stop}}));
}

TEST_F(IdleWarningsTest, LongerLimitsOfACatalogReadAgainWithdrawAWarning) {
  EXPECT_EQ(for_minutes(57), (History{{55min, Action::warn}}));
  rules_.timeout = 2h;
  EXPECT_TRUE(judge().withdrawn);
  EXPECT_EQ(for_minutes(120), (History{{58min, Action::warn}, {63min, Action::stop}}));
}

TEST_F(IdleWarningsTest, ShorterLimitsStillWarnFirst) {
  after(30min);
  rules_.timeout = 10min;
  EXPECT_EQ(for_minutes(60), (History{{1min, Action::warn}, {6min, Action::stop}}));
}

TEST_F(IdleWarningsTest, ALimitThatWasSwitchedOffWithdrawsItsWarning) {
  rules_.lifetime_max = 2h;
  clock_.advance(115min);
  busy();
  EXPECT_EQ(judge().action, Action::warn);
  rules_.lifetime_max = 0min;
  EXPECT_TRUE(judge().withdrawn);
  EXPECT_FALSE(judge().withdrawn);
}

TEST_F(IdleWarningsTest, AStepWhileTheAgentWasDownStillWarnsFirst) {
  rules_.lifetime_max = 24h;
  busy();
  judge();
  memory_ = {};
  clock_.set(clock_.now() + 24h * 365 * 20);
  busy();
  IdleVerdict verdict = judge();
  EXPECT_EQ(verdict.action, Action::none);
  // It can't be older than the boot, which was an hour ago.
  EXPECT_EQ(verdict.lifetime_stop_at, clock_.now() + 23h);
}

}  // namespace
}  // namespace resmgr::tasks
