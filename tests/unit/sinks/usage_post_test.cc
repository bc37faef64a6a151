#include "agent/sinks/usage_post.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/json.h"

namespace resmgr::sinks {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr char kRecord[] =
    R"({"containerId":"c0ffee","cpuMs":1500,"durationMs":6000,"peakMemoryBytes":52428800,)"
    R"("serviceType":"jupyter","stopTime":"2026-11-22T17:04:05.900Z","userId":"ada"})";

std::string post(const std::string& record,
                 const std::optional<identity::UserProfile>& profile = std::nullopt) {
  return usage_post({1, "task", record, "hash"}, profile);
}

TEST(UsagePostTest, HoldsTheRecordsOwnBytesAndTheSameNumbersBesideThem) {
  EXPECT_EQ(post(kRecord),
            std::string(R"({"usageHash":"hash","record":)") + kRecord +
                R"(,"containerId":"c0ffee","containerName":"jupyter","memoryMB":52.4288,)"
                R"("cpuUsage":0.25,"timestamp":1795367045,)"
                R"("user_email":"ada","user_fullname":"ada"})");
}

TEST(UsagePostTest, NamesTheUserAsFarAsTheNameIsKnown) {
  EXPECT_THAT(post(kRecord, identity::UserProfile{"ada@example.org", "Ada \"A\" Lovelace"}),
              HasSubstr(R"("user_email":"ada@example.org","user_fullname":"Ada \"A\" Lovelace"})"));
  EXPECT_THAT(post(kRecord, identity::UserProfile{"", "Ada"}),
              HasSubstr(R"("user_email":"ada","user_fullname":"Ada"})"));
}

// Whoever collects metrics takes what is falsy for missing.
TEST(UsagePostTest, NothingIsZeroOrEmpty) {
  for (const std::string& record :
       {std::string(R"({"cpuMs":0,"durationMs":0,"peakMemoryBytes":0,"userId":"",)"
                    R"("serviceType":"","containerId":"","stopTime":"1970-01-01T00:00:00.000Z"})"),
        std::string("{}")}) {
    const Json body = parse_json(post(record), "post");
    for (const char* name : {"containerId", "containerName", "user_email", "user_fullname"}) {
      EXPECT_EQ(body[name], "unknown") << name;
    }
    EXPECT_EQ(body["memoryMB"], 0.000001);
    EXPECT_EQ(body["cpuUsage"], 0.000001);
    EXPECT_EQ(body["timestamp"], 1);
  }
}

TEST(UsagePostTest, WritesNumbersAsTheyAre) {
  const auto memory = [](const std::string& bytes) {
    const std::string text = post(R"({"peakMemoryBytes":)" + bytes + "}");
    const auto begin = text.find("\"memoryMB\":") + 11;
    return text.substr(begin, text.find(',', begin) - begin);
  };
  EXPECT_EQ(memory("1"), "0.000001");
  EXPECT_EQ(memory("1000000"), "1");
  EXPECT_EQ(memory("1500000"), "1.5");
  EXPECT_EQ(memory("9007199254740991"), "9007199254.740991");
  const auto cpu = [](const std::string& cpu_ms, const std::string& duration) {
    const std::string text = post(R"({"cpuMs":)" + cpu_ms + R"(,"durationMs":)" + duration + "}");
    const auto begin = text.find("\"cpuUsage\":") + 11;
    return text.substr(begin, text.find(',', begin) - begin);
  };
  EXPECT_EQ(cpu("1", "3"), "0.333333");
  EXPECT_EQ(cpu("9007199254740990", "9007199254740991"), "0.999999");
  EXPECT_EQ(cpu("1", "9007199254740991"), "0.000001");
  EXPECT_EQ(cpu("16000", "1000"), "16");
  EXPECT_EQ(cpu("5", "0"), "5");
}

}  // namespace
}  // namespace resmgr::sinks
