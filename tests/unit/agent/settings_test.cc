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

std::string settings_refusal(const Config::Overrides& overrides) {
  const Error error = support::error_of([&] { settings(overrides); });
  EXPECT_EQ(error.kind(), ErrorKind::config);
  return error.message();
}

TEST(SeqSettings, AreOffUntilThereIsAnUrl) {
  EXPECT_FALSE(settings({{"seq.level", "debug"}}).seq.has_value());
  const auto seq =
      settings(
          {{"seq.url", "http://127.0.0.1:5341"}, {"seq.level", "debug"}, {"sinks.timeout", "7s"}})
          .seq;
  ASSERT_TRUE(seq.has_value());
  EXPECT_EQ(seq->destination.url, "http://127.0.0.1:5341");
  EXPECT_EQ(seq->least, log::Level::debug);
  EXPECT_EQ(seq->timeout, Millis{7'000});
  EXPECT_EQ(seq->spool_bytes, 64 << 20);
}

TEST(SeqSettings, NameTheKeyThatIsWrong) {
  const std::pair<std::string, std::string> url{"seq.url", "http://127.0.0.1:5341"};
  EXPECT_THAT(settings_refusal({url, {"seq.level", "loud"}}),
              testing::HasSubstr("seq.level 'loud'"));
  EXPECT_THAT(settings_refusal({url, {"seq.spool_max", "1k"}}),
              testing::HasSubstr("seq.spool_max '1000 B'"));
  EXPECT_THAT(settings_refusal({{"seq.url", "ftp://127.0.0.1"}}), testing::HasSubstr("seq.url"));
  EXPECT_THAT(settings_refusal({{"agent.log_level", "loud"}}),
              testing::HasSubstr("agent.log_level 'loud'"));
}

TEST(EngineSettings, ARangeOfPortsIsInOrderAndOfPorts) {
  for (const char* const good : {"", "1-65535", "30000-30000"}) {
    EXPECT_EQ(settings({{"engine.port_range", good}}).tasks.port_range, good);
  }
  for (const char* const wrong :
       {"0-10", "10-9", "1-65536", "10", "10-", "-10", "-5-10", "10--12", "1-99999999999999999999",
        "10-12x", " 10-12", "10 -12", "10:12"}) {
    EXPECT_THAT(settings_refusal({{"engine.port_range", wrong}}),
                testing::HasSubstr("engine.port_range"))
        << wrong;
  }
  const auto range = parse_port_range("30000-30199");
  ASSERT_TRUE(range);
  EXPECT_EQ(range->low, 30'000);
  EXPECT_EQ(range->high, 30'199);
}

TEST(GatewaySettings, AreOffUntilThereIsABase) {
  EXPECT_FALSE(settings({{"gateway.mode", "path"}}).server.gateway.has_value());
  const Settings with = settings({{"gateway.base", "https://tasks.example.org"},
                                  {"server.public_url", "https://resmgr.example.org"}});
  EXPECT_EQ(with.server.gateway->origin("x"), "https://x.tasks.example.org");
  // The containers are told their path, too.
  EXPECT_EQ(with.tasks.gateway->base_path("x"), "/");
  EXPECT_EQ(settings({{"gateway.base", "https://a"}, {"gateway.mode", "path"}})
                .tasks.gateway->base_path("x"),
            "/t/x/");
}

TEST(GatewaySettings, NameTheKeyThatIsWrong) {
  EXPECT_THAT(settings_refusal({{"gateway.mode", "cookie"}}),
              testing::HasSubstr("gateway.mode 'cookie'"));
  EXPECT_THAT(settings_refusal({{"gateway.base", "https://a/b"}}),
              testing::HasSubstr("gateway.base 'https://a/b'"));
  EXPECT_THAT(settings_refusal({{"gateway.base", "https://me:secret@a"}}),
              testing::Not(testing::HasSubstr("secret")));
  for (const char* const same : {"https://a", "https://A:443/"}) {
    EXPECT_THAT(settings_refusal({{"gateway.base", same}, {"server.public_url", "https://a/x/"}}),
                testing::HasSubstr("not the dashboard's"));
  }
}

}  // namespace
}  // namespace resmgr
