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

class IdleLimitsTest : public IdleFixture {};

TEST_F(IdleLimitsTest, ALifetimeEndsAlsoWhatIsInUse) {
  rules_.lifetime_max = 24h;
  const Instant start = clock_.now();
  clock_.advance(20h);
  busy();
  IdleVerdict verdict = judge();
  EXPECT_EQ(verdict.action, Action::none);
  EXPECT_EQ(verdict.lifetime_stop_at, start + 24h);
  EXPECT_EQ(verdict.lifetime_warn_at, start + 24h - 5min);
  EXPECT_EQ(verdict.lifetime_outlook,
            "has a maximum lifetime of 24h; will be warned in 3h 55m and stopped in 4h 00m unless "
            "it is extended");

  clock_.advance(4h - 5min);
  busy();
  verdict = judge();
  EXPECT_EQ(verdict.action, Action::warn);
  EXPECT_EQ(verdict.cause, IdleCause::lifetime);
  EXPECT_EQ(verdict.reason, "reaches its maximum lifetime of 24h, and will be stopped in 5m");
  clock_.advance(1min);
  busy();
  verdict = judge();
  EXPECT_EQ(verdict.action, Action::none);
  EXPECT_FALSE(verdict.withdrawn);
  EXPECT_TRUE(verdict.lifetime_warned);
  clock_.advance(4min);
  busy();
  verdict = judge();
  EXPECT_EQ(verdict.action, Action::stop);
  EXPECT_EQ(verdict.cause, IdleCause::lifetime);
  EXPECT_EQ(verdict.reason, "reached its maximum lifetime of 24h");
}

TEST_F(IdleLimitsTest, ALifetimeCountsFromTheStartNotFromReadiness) {
  rules_.lifetime_max = 1h;
  rules_.timeout = 0min;
  facts_.ready_at.reset();
  EXPECT_EQ(for_minutes(120), (History{{55min, Action::warn}, {60min, Action::stop}}));
}

TEST_F(IdleLimitsTest, AnExtensionMovesBothLimits) {
  rules_.lifetime_max = 3h;
  const Instant start = clock_.now();
  const IdleVerdict before = after(30min);
  facts_.extended = extend(rules_, facts_, before, 1h);
  EXPECT_EQ(facts_.extended.idle_until, start + 2h);
  EXPECT_EQ(facts_.extended.lifetime_until, start + 4h);
  const IdleVerdict verdict = after(1min);
  EXPECT_EQ(verdict.idle_since, start);
  EXPECT_EQ(verdict.idle_warn_at, start + 115min);
  EXPECT_EQ(verdict.idle_stop_at, start + 2h);
  EXPECT_EQ(verdict.lifetime_warn_at, start + 235min);
  EXPECT_EQ(verdict.lifetime_stop_at, start + 4h);
  EXPECT_EQ(verdict.lifetime_outlook,
            "has a maximum lifetime of 3h, extended by 1h; will be warned in 3h 24m and stopped in "
            "3h 29m unless it is extended");
  EXPECT_EQ(for_minutes(200), (History{{84min, Action::warn}, {89min, Action::stop}}));
}

TEST_F(IdleLimitsTest, AnExtensionOfALifetimeIsSaidInTheReason) {
  rules_.timeout = 0min;
  rules_.lifetime_max = 1h;
  EXPECT_EQ(for_minutes(56), (History{{55min, Action::warn}}));
  facts_.extended = extend(rules_, facts_, judge(), 30min);
  EXPECT_FALSE(facts_.extended.idle_until);
  EXPECT_TRUE(judge().withdrawn);
  EXPECT_EQ(for_minutes(60), (History{{29min, Action::warn}, {34min, Action::stop}}));
  EXPECT_EQ(judge().reason, "reached its maximum lifetime of 1h, extended by 30m");
}

TEST_F(IdleLimitsTest, AnExtensionOfABusyTaskCountsFromNow) {
  busy();
  const IdleVerdict verdict = judge();
  facts_.extended = extend(rules_, facts_, verdict, 1h);
  EXPECT_EQ(facts_.extended.idle_until, clock_.now() + 2h);
  EXPECT_FALSE(facts_.extended.lifetime_until);
  // Twice is twice.
  facts_.extended = extend(rules_, facts_, judge(), 1h);
  EXPECT_EQ(facts_.extended.idle_until, clock_.now() + 3h);
  EXPECT_EQ(for_minutes(300), (History{{175min, Action::warn}, {180min, Action::stop}}));
}

TEST_F(IdleLimitsTest, AnExtensionThatIsOverChangesNothing) {
  facts_.extended.idle_until = clock_.now() + 10min;
  facts_.extended.lifetime_until = clock_.now() + 10min;
  rules_.lifetime_max = 2h;
  EXPECT_EQ(for_minutes(120), (History{{55min, Action::warn}, {60min, Action::stop}}));
}

TEST_F(IdleLimitsTest, StepsOfTheCivilClockMoveNothing) {
  rules_.lifetime_max = 100min;
  for (const Millis step : {Millis{10h}, Millis{-10h}, Millis{24h * 400}, Millis{-24h * 400}}) {
    SCOPED_TRACE(step.count());
    memory_ = {};
    facts_.signals.clear();
    facts_.extended = {};
    facts_.started_at = clock_.now();
    facts_.ready_at = clock_.now();
    EXPECT_EQ(for_minutes(10), History{});
    facts_.extended.idle_until = clock_.now() + 70min;
    EXPECT_EQ(for_minutes(10), History{});
    clock_.set(clock_.now() + step);
    const IdleVerdict verdict = judge();
    EXPECT_EQ(verdict.action, Action::none);
    EXPECT_EQ(verdict.idle_since, clock_.now() - 20min);
    EXPECT_EQ(verdict.idle_stop_at, clock_.now() + 60min);
    EXPECT_EQ(verdict.lifetime_stop_at, clock_.now() + 80min);
    EXPECT_EQ(for_minutes(120), (History{{55min, Action::warn}, {60min, Action::stop}}));
  }
}

TEST_F(IdleLimitsTest, AStartInTheFutureIsNow) {
  rules_.lifetime_max = 1h;
  facts_.started_at = clock_.now() + 5h;
  facts_.ready_at = clock_.now() + 5h;
  quiet();
  const IdleVerdict verdict = judge();
  EXPECT_EQ(verdict.idle_since, clock_.now());
  EXPECT_EQ(verdict.lifetime_stop_at, clock_.now() + 1h);
}

TEST_F(IdleLimitsTest, AbsurdTimesDoNotOverflow) {
  rules_.timeout = Millis::max();
  rules_.warn = Millis::max();
  rules_.lifetime_max = Millis::max();
  facts_.started_at = Instant::min();
  facts_.ready_at = Instant::max();
  facts_.extended.idle_until = Instant::max();
  facts_.extended.lifetime_until = Instant::min();
  quiet();
  IdleVerdict verdict = judge();
  EXPECT_EQ(verdict.action, Action::none);
  const Extension extended = extend(rules_, facts_, verdict, Millis::max());
  EXPECT_GT(extended.lifetime_until, verdict.lifetime_stop_at);

  rules_ = {};
  rules_.timeout = Millis::min();
  rules_.warn = Millis::min();
  rules_.lifetime_max = Millis::min();
  verdict = judge();
  EXPECT_EQ(verdict.idle_outlook, "is never stopped for being idle");
}

}  // namespace
}  // namespace resmgr::tasks
