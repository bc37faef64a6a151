#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>

#include "agent/tasks/jupyter_probe.h"
#include "common/time_format.h"

namespace resmgr::tasks {
namespace {

using namespace std::chrono_literals;

const Instant kNow = *parse_rfc3339("2026-11-22T12:00:00Z");

class JupyterActivityTest : public ::testing::Test {
 protected:
  // One look a minute.
  Signal observe(Instant last_activity, int busy_kernels = 0, std::int64_t connections = 0) {
    JupyterLook look;
    look.answered = true;
    look.kernels = 1;
    look.busy_kernels = busy_kernels;
    look.connections = connections;
    look.last_activity = last_activity;
    return observe(look);
  }
  Signal observe(const JupyterLook& look) {
    now_.wall += 1min;
    now_.boot += 1min;
    return activity_.observe(look, now_);
  }

  Moment now_{kNow, 5h};
  JupyterActivity activity_{kNow - 1h};
};

TEST_F(JupyterActivityTest, ABusyKernelIsUseNow) {
  const Signal signal = observe(kNow - 3h, 1);
  EXPECT_EQ(signal.name, "http_probe");
  EXPECT_EQ(signal.state, SignalState::busy);
  EXPECT_EQ(signal.last_busy, now_.boot);
  EXPECT_EQ(signal.observed, now_.boot);
  EXPECT_EQ(signal.detail, "1 kernel, 1 busy; 0 terminals; 0 open connections");
  const BootTime last = now_.boot;
  EXPECT_EQ(observe(kNow - 3h).last_busy, last);
}

TEST_F(JupyterActivityTest, TheFirstLookBelievesTheCivilClock) {
  const Signal signal = observe(kNow - 30min);
  EXPECT_EQ(signal.state, SignalState::quiet);
  EXPECT_EQ(signal.last_busy, 5h - 30min);
}

TEST_F(JupyterActivityTest, ActivityFromBeforeItCountsIsNone) {
  EXPECT_FALSE(observe(kNow - 1h).last_busy);
  EXPECT_FALSE(observe(kNow - 1h).last_busy);
}

TEST_F(JupyterActivityTest, ActivityInTheFutureIsNow) {
  EXPECT_EQ(observe(kNow + 10h).last_busy, now_.boot);
  // And it is no activity_ again that it is still there.
  EXPECT_EQ(observe(kNow + 10h).last_busy, 5h + 1min);
}

TEST_F(JupyterActivityTest, FromBeforeTheBootIsAtTheBoot) {
  JupyterActivity long_since(kNow - 24h * 365);
  JupyterLook look;
  look.answered = true;
  look.last_activity = kNow - 24h;
  EXPECT_EQ(long_since.observe(look, now_).last_busy, 0ms);
}

TEST_F(JupyterActivityTest, LaterLooksSeeItMove) {
  observe(kNow - 30min);
  EXPECT_EQ(observe(kNow - 30min).last_busy, 5h - 30min);
  EXPECT_EQ(observe(kNow + 150s).last_busy, 5h + 150s);
  EXPECT_EQ(observe(kNow + 150s).last_busy, 5h + 150s);
}

TEST_F(JupyterActivityTest, StepsOfTheCivilClockHideNothingAndMakeNothing) {
  for (const Millis step : {Millis{10h}, Millis{-10h}}) {
    SCOPED_TRACE(step.count());
    activity_ = JupyterActivity(kNow - 24h * 100);
    Instant last = now_.wall;
    const BootTime then = now_.boot;
    observe(last);
    now_.wall += step;
    EXPECT_EQ(observe(last).last_busy, then) << "nothing happened";
    // Used, and the clock steps before anyone looks.
    const BootTime before = now_.boot;
    last = now_.wall + 30s;
    now_.wall += step;
    const Signal signal = observe(last);
    ASSERT_TRUE(signal.last_busy);
    EXPECT_GE(*signal.last_busy, before);
    EXPECT_LE(*signal.last_busy, now_.boot);
    EXPECT_EQ(observe(last).last_busy, signal.last_busy);
  }
}

TEST_F(JupyterActivityTest, ConnectionsThatComeOrGoAreUse) {
  const Instant old = kNow - 50min;
  EXPECT_EQ(observe(old, 0, 1).last_busy, 5h - 50min);
  EXPECT_EQ(observe(old, 0, 1).last_busy, 5h - 50min) << "a tab that stays open is none";
  EXPECT_EQ(observe(old, 0, 2).last_busy, now_.boot);
  const BootTime came = now_.boot;
  EXPECT_EQ(observe(old, 0, 2).last_busy, came);
  EXPECT_EQ(observe(old, 0, 0).last_busy, now_.boot);
}

TEST_F(JupyterActivityTest, NoAnswerIsUnknownAndForgetsNothing) {
  observe(kNow - 30min);
  JupyterLook none;
  none.failure = "it answered 502 to /api/status";
  const Signal signal = observe(none);
  EXPECT_EQ(signal.state, SignalState::unknown);
  EXPECT_EQ(signal.detail, "it answered 502 to /api/status");
  EXPECT_EQ(signal.last_busy, 5h - 30min);
  EXPECT_EQ(signal.observed, now_.boot);
  EXPECT_EQ(observe(kNow - 30min).last_busy, 5h - 30min);
  EXPECT_EQ(observe(kNow + 30s).last_busy, 5h + 180s) << "not before the last look";
}

TEST_F(JupyterActivityTest, SaysWhatItSaw) {
  JupyterLook look;
  look.answered = true;
  look.last_activity = kNow;
  look.kernels = 3;
  look.busy_kernels = 1;
  look.unsettled_kernels = 1;
  look.terminals = 1;
  look.connections = 1;
  EXPECT_EQ(observe(look).detail,
            "3 kernels, 1 busy, 1 starting for long; 1 terminal; 1 open connection");
}

}  // namespace
}  // namespace resmgr::tasks
