#include "agent/tasks/idle_text.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace resmgr::tasks {
namespace {

TEST(IdleText, ElapsedTime) {
  const std::vector<std::pair<long long, std::string>> cases = {{-5, "0s"},
                                                                {0, "0s"},
                                                                {999, "0s"},
                                                                {42'000, "42s"},
                                                                {60'000, "1m"},
                                                                {63'500, "1m 03s"},
                                                                {3'599'999, "59m 59s"},
                                                                {3'600'000, "1h 00m"},
                                                                {3'900'000, "1h 05m"},
                                                                {172'800'000, "48h 00m"}};
  for (const auto& [millis, text] : cases) EXPECT_EQ(elapsed_text(Millis{millis}), text);
}

TEST(IdleText, Limits) {
  const std::vector<std::pair<long long, std::string>> cases = {
      {-5, "0s"},          {0, "0s"},
      {250, "250ms"},      {90'000, "1m 30s"},
      {300'000, "5m"},     {5'400'000, "1h 30m"},
      {86'400'000, "24h"}, {3'600'001, "1h 1ms"}};
  for (const auto& [millis, text] : cases) EXPECT_EQ(limit_text(Millis{millis}), text);
}

TEST(IdleText, WhatIsLeftIsNeverSaidToBeNothing) {
  Outlook outlook;
  outlook.to_stop = Millis{1};
  EXPECT_EQ(idle_warning_reason(Millis{60'000}, outlook),
            "has been idle for 1m and will be stopped in 1s");
  outlook.to_stop = Millis{0};
  EXPECT_EQ(idle_outlook(Millis{60'000}, outlook),
            "idle for 1m; will be stopped now unless it is used or extended");
}

}  // namespace
}  // namespace resmgr::tasks
