#include "agent/tasks/task_use.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/fakes/fake_clock.h"

namespace resmgr::tasks {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

class TaskUseTest : public testing::Test {
 protected:
  TaskUseTest() {
    policy_.timeout = 1h;
    policy_.probe = catalog::IdleProbe::jupyter;
    task_.start_time = clock_.now();
  }

  // How often the service is asked within that time, if it answers so each time.
  int times_asked(TaskUse& use, Millis time, bool answers) {
    int asked = 0;
    for (Millis passed{0}; passed < time; passed += kInterval) {
      clock_.advance(kInterval);
      if (!use.is_probe_due(clock_.since_boot(), kInterval)) continue;
      JupyterLook look;
      look.answered = answers;
      look.last_activity = *task_.start_time;
      use.hear(look, Moment::of(clock_));
      ++asked;
    }
    return asked;
  }
  std::vector<std::string> names(const TaskUse& use) const {
    std::vector<std::string> names;
    for (const Signal& signal : use.signals(policy_, clock_.since_boot())) {
      names.push_back(signal.name);
    }
    return names;
  }

  static constexpr Millis kInterval = 10s;
  FakeClock clock_;
  Task task_;
  catalog::IdlePolicy policy_;
};

// A user's services that hang for seconds, each time, must not keep all askers busy.
TEST_F(TaskUseTest, WhatDoesNotAnswerIsAskedLessOften) {
  TaskUse use(task_, clock_.since_boot());
  EXPECT_EQ(times_asked(use, 1h, true), 360);
  EXPECT_LE(times_asked(use, 1h, false), 65);
  EXPECT_GE(times_asked(use, 1h, false), 59);
  // Once it answers, as often as before.
  EXPECT_GE(times_asked(use, 1h, true), 354);
}

TEST_F(TaskUseTest, TheProbeIsUnknownUntilItWasAsked) {
  TaskUse use(task_, clock_.since_boot());
  EXPECT_THAT(names(use), ElementsAre("http_probe", "network", "cpu", "touch"));
  EXPECT_EQ(use.signals(policy_, clock_.since_boot())[0].state, SignalState::unknown);
  times_asked(use, kInterval, true);
  EXPECT_EQ(use.signals(policy_, clock_.since_boot())[0].state, SignalState::quiet);
  policy_.probe = catalog::IdleProbe::none;
  EXPECT_THAT(names(use), ElementsAre("network", "cpu", "touch"));
}

TEST_F(TaskUseTest, TouchesAreCounted) {
  TaskUse use(task_, clock_.since_boot());
  EXPECT_EQ(use.touches(), 0U);
  clock_.advance(kInterval);
  use.touch(clock_.since_boot());
  EXPECT_EQ(use.touches(), 1U);
  EXPECT_EQ(use.signals(policy_, clock_.since_boot()).back().last_busy, clock_.since_boot());
}

}  // namespace
}  // namespace resmgr::tasks
