// What a service manager hears of an agent, from its start to its end.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "tests/support/agent_process.h"
#include "tests/support/notify_socket.h"

namespace resmgr::e2e {
namespace {

using testing::MatchesRegex;

TEST(ServiceTest, TellsTheManagerOfItsLife) {
  support::NotifySocket manager;
  support::AgentOptions options;
  options.env = {{"NOTIFY_SOCKET", manager.path()}, {"WATCHDOG_USEC", "400000"}};
  support::AgentProcess agent(options);
  EXPECT_TRUE(manager.heard("READY=1"));
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(manager.heard("WATCHDOG=1"));

  // systemd wants to know when, so that what was said before does not count as the answer.
  kill(agent.pid(), SIGHUP);
  std::string message;
  EXPECT_TRUE(manager.heard("RELOADING=1", &message));
  EXPECT_THAT(message, MatchesRegex("RELOADING=1\nMONOTONIC_USEC=[0-9]+"));
  EXPECT_TRUE(manager.heard("READY=1"));
  EXPECT_TRUE(manager.heard("WATCHDOG=1")) << "it is watched after a reload too";

  EXPECT_EQ(agent.stop(), 0);
  EXPECT_TRUE(manager.heard("STOPPING=1"));
  EXPECT_EQ(manager.next(std::chrono::milliseconds(0)), "");
}

TEST(ServiceTest, IsNotWatchedWhereNobodyAsks) {
  support::NotifySocket manager;
  support::AgentOptions options;
  options.env = {{"NOTIFY_SOCKET", manager.path()}};
  support::AgentProcess agent(options);
  EXPECT_EQ(agent.stop(), 0);
  EXPECT_EQ(manager.next(std::chrono::milliseconds(0)), "READY=1");
  EXPECT_EQ(manager.next(std::chrono::milliseconds(0)), "STOPPING=1");
  EXPECT_EQ(manager.next(std::chrono::milliseconds(0)), "");
}

}  // namespace
}  // namespace resmgr::e2e
