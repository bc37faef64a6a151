// A service manager hears that the agent is alive, and only while it is.

#include "agent/watchdog.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <optional>
#include <string>

#include "tests/support/notify_socket.h"

namespace resmgr {
namespace {

using std::chrono::milliseconds;

// As in the environment of a unit with WatchdogSec.
class WatchdogTest : public testing::Test {
 protected:
  WatchdogTest() {
    setenv("NOTIFY_SOCKET", manager_.path().c_str(), 1);
    setenv("WATCHDOG_USEC", "40000", 1);
    setenv("WATCHDOG_PID", std::to_string(getpid()).c_str(), 1);
  }
  ~WatchdogTest() override {
    for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) unsetenv(name);
  }

  support::NotifySocket manager_;
};

TEST_F(WatchdogTest, HasItsTimeFromTheManager) {
  EXPECT_EQ(Watchdog::time_limit(), milliseconds(40));
  setenv("WATCHDOG_PID", "1", 1);
  EXPECT_EQ(Watchdog::time_limit(), std::nullopt) << "another process is watched";
  unsetenv("WATCHDOG_PID");
  unsetenv("WATCHDOG_USEC");
  EXPECT_EQ(Watchdog::time_limit(), std::nullopt);
}

TEST_F(WatchdogTest, TellsWhatIsAliveAndNothingElse) {
  bool alive = true;
  milliseconds patience{0};
  Watchdog watchdog(milliseconds(40), [&](Millis given) {
    patience = given;
    return alive;
  });
  watchdog.step();
  EXPECT_EQ(manager_.next(milliseconds(0)), "WATCHDOG=1");
  EXPECT_EQ(patience, milliseconds(10));
  alive = false;
  watchdog.step();
  watchdog.step();
  EXPECT_EQ(manager_.next(milliseconds(0)), "");
  alive = true;
  watchdog.step();
  EXPECT_EQ(manager_.next(milliseconds(0)), "WATCHDOG=1");
}

TEST_F(WatchdogTest, GoesOnTellingUntilItIsStopped) {
  std::atomic<int> asked{0};
  Watchdog watchdog(milliseconds(4), [&](Millis) { return ++asked > 0; });
  watchdog.run();
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(manager_.heard("WATCHDOG=1"));
  watchdog.stop();
  const int last = asked;
  while (!manager_.next(milliseconds(0)).empty()) continue;
  EXPECT_EQ(manager_.next(milliseconds(50)), "");
  EXPECT_EQ(asked, last);
}

}  // namespace
}  // namespace resmgr
