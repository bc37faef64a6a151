#include "common/ids.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace resmgr {
namespace {

constexpr char kId[] = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f";  // RFC 9562, appendix A.6

long long time_of(const std::string& uuid_v7) {
  return std::stoll(uuid_v7.substr(0, 8) + uuid_v7.substr(9, 4), nullptr, 16);
}

// Ids only ever grow, so each test begins beyond what others have made.
Instant beyond_all() { return instant_from_millis(time_of(new_uuid_v7(Instant{})) + 1'000); }

TEST(UuidV7, HoldsTheTimeVersionAndVariant) {
  const Instant now = beyond_all();
  for (int i = 0; i < 1000; ++i) {
    const std::string id = new_uuid_v7(now + Millis{i});
    ASSERT_EQ(parse_uuid(id), id);
    EXPECT_EQ(time_of(id), to_millis(now) + i);
    EXPECT_EQ(id[14], '7');
    EXPECT_NE(std::string("89ab").find(id[19]), std::string::npos) << id;
  }
}

TEST(UuidV7, TellsItsTime) {
  // RFC 9562, appendix A.6.
  EXPECT_EQ(time_of_uuid_v7("017f22e2-79b0-7cc3-98c4-dc0c0c07398f"),
            instant_from_millis(1'645'557'742'000));
}

TEST(UuidV7, GrowsWithinAMillisecondAndWhenTheClockStepsBack) {
  const Instant now = beyond_all();
  std::string last = new_uuid_v7(now);
  for (int i = 0; i < 10'000; ++i) {
    const std::string next = new_uuid_v7(i % 2 == 0 ? now : now - std::chrono::hours{1});
    ASSERT_LT(last, next);
    last = next;
  }
  EXPECT_EQ(time_of(last), to_millis(now));
}

TEST(UuidV7, GrowsInEveryThreadAndIsNeverGivenTwice) {
  const Instant now = beyond_all();
  constexpr int kThreads = 8;
  constexpr int kEach = 2'000;
  std::vector<std::vector<std::string>> made(kThreads);
  {
    std::vector<std::jthread> threads;
    for (auto& ids : made) {
      threads.emplace_back([&ids, now] {
        for (int i = 0; i < kEach; ++i) ids.push_back(new_uuid_v7(now));
      });
    }
  }
  std::set<std::string> all;
  for (const auto& ids : made) {
    EXPECT_TRUE(std::is_sorted(ids.begin(), ids.end()));
    all.insert(ids.begin(), ids.end());
  }
  EXPECT_EQ(all.size(), std::size_t{kThreads} * kEach);
}

TEST(UuidV4, HasVersionAndVariantAndDiffers) {
  std::set<std::string> all;
  for (int i = 0; i < 1000; ++i) {
    const std::string id = new_uuid_v4();
    ASSERT_EQ(parse_uuid(id), id);
    EXPECT_EQ(id[14], '4');
    EXPECT_NE(std::string("89ab").find(id[19]), std::string::npos) << id;
    all.insert(id);
  }
  EXPECT_EQ(all.size(), 1000U);
}

TEST(ParseUuid, GivesTheCanonicalForm) {
  EXPECT_EQ(parse_uuid("017F22E2-79B0-7CC3-98C4-DC0C0C07398F"), kId);
  EXPECT_EQ(parse_uuid("00000000-0000-0000-0000-000000000000"),
            "00000000-0000-0000-0000-000000000000");
}

TEST(ParseUuid, RefusesEverythingElse) {
  for (const char* const wrong :
       {"", "017f22e2", "017f22e279b07cc398c4dc0c0c07398f",
        "{017f22e2-79b0-7cc3-98c4-dc0c0c07398f}", "017f22e2-79b0-7cc3-98c4-dc0c0c07398",
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398f0", "017f22e2-79b0-7cc3-98c4-dc0c0c07398g",
        "017f22e27-9b0-7cc3-98c4-dc0c0c07398f", "017f22e2-79b0-7cc3-98c4_dc0c0c07398f",
        "017f22e2-79b0-7cc3-98c4-dc0c0c0739\xc3\xa9", " 17f22e2-79b0-7cc3-98c4-dc0c0c07398f"}) {
    EXPECT_EQ(parse_uuid(wrong), std::nullopt) << wrong;
  }
}

TEST(RandomHex, HasTwoDigitsAByte) {
  EXPECT_EQ(random_hex(0), "");
  const std::string random = random_hex(1'000);
  EXPECT_EQ(random.size(), 2'000U);
  EXPECT_EQ(random.find_first_not_of("0123456789abcdef"), std::string::npos);
  EXPECT_NE(random, random_hex(1'000));
}

// Hazard 21.
TEST(ShortId, IsTheLastTwelveDigits) {
  EXPECT_EQ(short_id(kId), "dc0c0c07398f");
  EXPECT_EQ(short_id("abc"), "abc");
}

TEST(IdMatches, ItsBeginningAndItsEnd) {
  EXPECT_TRUE(id_matches(kId, kId));
  EXPECT_TRUE(id_matches(kId, "017f"));
  EXPECT_TRUE(id_matches(kId, "017F22E2-79B"));
  EXPECT_TRUE(id_matches(kId, "dc0c0c07398f"));
  EXPECT_TRUE(id_matches(kId, "398F"));
  EXPECT_TRUE(id_matches(kId, "98c4-dc0c0c07398f"));
}

TEST(IdMatches, NotItsMiddleNorWhatIsTooShort) {
  EXPECT_FALSE(id_matches(kId, "79b0"));
  EXPECT_FALSE(id_matches(kId, "017"));
  EXPECT_FALSE(id_matches(kId, "98f"));
  EXPECT_FALSE(id_matches(kId, ""));
  EXPECT_FALSE(id_matches("abc-dabc-d", "bc-d"));
  EXPECT_FALSE(id_matches(kId, std::string(kId) + "0"));
}

}  // namespace
}  // namespace resmgr
