#include "agent/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/thrown.h"

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

TEST(LimitSettings, AnOvercommitIsARatio) {
  EXPECT_EQ(settings({{"limits.memory_overcommit", "1.5"}}).tasks.limits.memory_overcommit, 1.5);
  for (const char* const wrong : {"-1", "much", "nan", "inf", "1e9"}) {
    const Error error = support::error_of([&] { settings({{"limits.cpu_overcommit", wrong}}); });
    EXPECT_EQ(error.kind(), ErrorKind::config) << wrong;
    EXPECT_THAT(error.message(), testing::HasSubstr("cpu_overcommit")) << wrong;
  }
}

}  // namespace
}  // namespace resmgr
