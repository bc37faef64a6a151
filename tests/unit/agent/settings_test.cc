#include "agent/settings.h"

#include <gtest/gtest.h>

namespace resmgr {
namespace {

Settings settings(const Config::Overrides& overrides) {
  const auto nothing = [](const std::string&) { return std::optional<std::string>(); };
  return settings_from(Config::load(agent_keys(), "/nothing/here.toml", false, nothing, overrides));
}

TEST(RetentionSettings, EventsAreKeptForThreeMonthsAndTasksForEver) {
  const auto rules = settings({}).retention;
  EXPECT_EQ(rules.events, std::chrono::hours{90 * 24});
  EXPECT_EQ(rules.tasks, Millis{0});
  EXPECT_EQ(rules.pin_max_bytes, 10LL << 30);
}

TEST(RetentionSettings, AreTakenAsTheyAreSet) {
  const auto rules =
      settings(
          {{"retention.events", "0s"}, {"retention.tasks", "30d"}, {"retention.pin_max", "1GiB"}})
          .retention;
  EXPECT_EQ(rules.events, Millis{0});
  EXPECT_EQ(rules.tasks, std::chrono::hours{30 * 24});
  EXPECT_EQ(rules.pin_max_bytes, 1LL << 30);
}

}  // namespace
}  // namespace resmgr
