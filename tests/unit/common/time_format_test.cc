#include "common/time_format.h"

#include <gtest/gtest.h>

#include <limits>

namespace resmgr {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

std::string reformatted(std::string_view text) {
  const auto instant = parse_rfc3339(text);
  return instant ? format_rfc3339(*instant) : "refused";
}

TEST(Rfc3339, FormatsInUtcWithMilliseconds) {
  EXPECT_EQ(format_rfc3339(instant_from_millis(0)), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(format_rfc3339(instant_from_millis(1'795'367'045'123)), "2026-11-22T17:04:05.123Z");
  EXPECT_EQ(format_rfc3339(instant_from_millis(-1)), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(format_rfc3339(instant_from_millis(253'402'300'800'000)), "9999-01-01T00:00:00.000Z");
}

TEST(Rfc3339, ReadsWhatItFormats) {
  for (const long long millis : {0LL, 1LL, -1LL, 951'782'400'000LL, 1'795'367'045'123LL,
                                 -62'135'596'799'999LL, 253'402'300'799'999LL}) {
    const Instant instant = instant_from_millis(millis);
    EXPECT_EQ(parse_rfc3339(format_rfc3339(instant)), instant) << millis;
  }
}

TEST(Rfc3339, CutsBelowAMillisecond) {
  EXPECT_EQ(reformatted("2026-11-22T17:04:05Z"), "2026-11-22T17:04:05.000Z");
  EXPECT_EQ(reformatted("2026-11-22T17:04:05.1Z"), "2026-11-22T17:04:05.100Z");
  EXPECT_EQ(reformatted("2026-11-22T17:04:05.123999999Z"), "2026-11-22T17:04:05.123Z");
  EXPECT_EQ(reformatted("1969-12-31T23:59:59.9999Z"), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(reformatted("2026-11-22T17:04:05.1234567890Z"), "refused");
  EXPECT_EQ(reformatted("2026-11-22T17:04:05.Z"), "refused");
}

TEST(Rfc3339, TakesOffsets) {
  EXPECT_EQ(reformatted("2026-11-22T19:04:05+02:00"), "2026-11-22T17:04:05.000Z");
  EXPECT_EQ(reformatted("2026-11-22T12:34:05.5-04:30"), "2026-11-22T17:04:05.500Z");
  EXPECT_EQ(reformatted("2026-01-01T00:30:00+01:00"), "2025-12-31T23:30:00.000Z");
  EXPECT_EQ(reformatted("2026-11-22T17:04:05-00:00"), "2026-11-22T17:04:05.000Z");
  EXPECT_EQ(reformatted("2026-11-22t17:04:05z"), "2026-11-22T17:04:05.000Z");
  EXPECT_EQ(reformatted("2026-11-22T17:04:05+24:00"), "refused");
  EXPECT_EQ(reformatted("2026-11-22T17:04:05+01:60"), "refused");
  EXPECT_EQ(reformatted("2026-11-22T17:04:05+0100"), "refused");
  EXPECT_EQ(reformatted("2026-11-22T17:04:05"), "refused");
}

TEST(Rfc3339, KnowsTheCalendar) {
  EXPECT_EQ(reformatted("2024-02-29T00:00:00Z"), "2024-02-29T00:00:00.000Z");
  EXPECT_EQ(reformatted("2000-02-29T00:00:00Z"), "2000-02-29T00:00:00.000Z");
  for (const char* const wrong :
       {"2026-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2026-04-31T00:00:00Z",
        "2026-00-10T00:00:00Z", "2026-13-10T00:00:00Z", "2026-01-00T00:00:00Z",
        "2026-01-32T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z",
        "2026-01-01T00:00:61Z"}) {
    EXPECT_EQ(reformatted(wrong), "refused") << wrong;
  }
}

TEST(Rfc3339, CountsALeapSecondAsTheOneAfterIt) {
  EXPECT_EQ(reformatted("2016-12-31T23:59:60Z"), "2017-01-01T00:00:00.000Z");
  EXPECT_EQ(reformatted("1990-12-31T15:59:60.5-08:00"), "1991-01-01T00:00:00.500Z");
  EXPECT_EQ(reformatted("2016-12-31T23:58:60Z"), "refused");
  EXPECT_EQ(reformatted("2016-12-31T23:59:60+01:00"), "refused");
}

TEST(Rfc3339, RefusesEverythingElse) {
  for (const char* const wrong :
       {"", "2026", "2026-11-22", "2026-11-22T", "2026-11-22T17", "2026-11-22T17:04",
        "2026-11-22T17:04Z", "2026-11-22 17:04:05Z", " 2026-11-22T17:04:05Z",
        "2026-11-22T17:04:05Z ", "2026-11-22T17:04:05ZZ", "26-11-22T17:04:05Z",
        "+2026-11-22T17:04:05Z", "2026-1-22T17:04:05Z", "2026-11-22T7:04:05Z", "20261122T170405Z",
        "2026-11-22T17:04:05,5Z", "2026-11-22T17:04:0x"}) {
    EXPECT_EQ(reformatted(wrong), "refused") << wrong;
  }
}

TEST(Rfc3339, TakesTheZeroTimeOfTheEngineForNone) {
  EXPECT_EQ(parse_rfc3339("0001-01-01T00:00:00Z"), std::nullopt);
  EXPECT_NE(parse_rfc3339("0001-01-01T00:00:01Z"), std::nullopt);
}

TEST(Iso8601Duration, NamesHoursMinutesAndSeconds) {
  EXPECT_EQ(format_iso8601_duration(Millis{0}), "PT0S");
  EXPECT_EQ(format_iso8601_duration(Millis{1}), "PT0.001S");
  EXPECT_EQ(format_iso8601_duration(Millis{500}), "PT0.5S");
  EXPECT_EQ(format_iso8601_duration(hours{1} + minutes{2} + Millis{3'500}), "PT1H2M3.5S");
  EXPECT_EQ(format_iso8601_duration(hours{1}), "PT1H");
  EXPECT_EQ(format_iso8601_duration(minutes{1}), "PT1M");
  EXPECT_EQ(format_iso8601_duration(hours{1} + seconds{10}), "PT1H10S");
  EXPECT_EQ(format_iso8601_duration(hours{49}), "PT49H");
  EXPECT_EQ(format_iso8601_duration(Millis{-1}), "PT0S");
}

TEST(Iso8601Duration, IsReadAsItIsWritten) {
  for (const Millis duration :
       {Millis{0}, Millis{1}, Millis{999}, Millis{60'500}, Millis{hours{1}},
        Millis{hours{49} + seconds{10}}, Millis{9'223'372'036'854'775'807}}) {
    const std::string text = format_iso8601_duration(duration);
    EXPECT_EQ(parse_iso8601_duration(text), duration) << text;
  }
  EXPECT_EQ(parse_iso8601_duration("PT61M"), minutes{61});
  EXPECT_EQ(parse_iso8601_duration("PT0.0019S"), Millis{1});
  for (const char* const wrong : {"",
                                  "P",
                                  "PT",
                                  "T1S",
                                  "1S",
                                  "PT1",
                                  "PT1s",
                                  "PT-1S",
                                  "PT1S ",
                                  "PT1S2",
                                  "PT1S1M",
                                  "PT1M1M",
                                  "PT.5S",
                                  "PT1.S",
                                  "PT1.5M",
                                  "P1D",
                                  "P1DT1S",
                                  "PT1W",
                                  "PT1H2",
                                  "PT2562047788015216H",
                                  "PT9223372036854775.808S",
                                  "PT99999999999999999999S"}) {
    EXPECT_EQ(parse_iso8601_duration(wrong), std::nullopt) << wrong;
  }
}

TEST(Duration, IsShownForPeople) {
  EXPECT_EQ(format_duration(Millis{0}), "0ms");
  EXPECT_EQ(format_duration(Millis{250}), "250ms");
  EXPECT_EQ(format_duration(Millis{999}), "999ms");
  EXPECT_EQ(format_duration(Millis{1'000}), "1s");
  EXPECT_EQ(format_duration(Millis{3'599}), "3.5s");
  EXPECT_EQ(format_duration(Millis{59'999}), "59.9s");
  EXPECT_EQ(format_duration(minutes{2} + seconds{3}), "2m 03s");
  EXPECT_EQ(format_duration(hours{1} + minutes{2} + seconds{3}), "1h 02m 03s");
  EXPECT_EQ(format_duration(hours{26}), "26h 00m 00s");
  EXPECT_EQ(format_duration(Millis{-5}), "0ms");
}

TEST(Duration, IsReadWithUnits) {
  EXPECT_EQ(parse_duration("200ms"), Millis{200});
  EXPECT_EQ(parse_duration("90s"), seconds{90});
  EXPECT_EQ(parse_duration("15m"), minutes{15});
  EXPECT_EQ(parse_duration("8h"), hours{8});
  EXPECT_EQ(parse_duration("2d"), hours{48});
  EXPECT_EQ(parse_duration("1h30m"), minutes{90});
  EXPECT_EQ(parse_duration("1d2h3m4s5ms"), hours{26} + minutes{3} + seconds{4} + Millis{5});
  EXPECT_EQ(parse_duration("0s"), Millis{0});
  EXPECT_EQ(parse_duration("106751991167d"), hours{24 * 106'751'991'167LL});
}

TEST(Duration, RefusesWhatIsNoneOrDoesNotFit) {
  for (const char* const wrong :
       {"", "90", "s", "-1s", "+1s", "1.5h", "1 s", " 1s", "1s ", "1S", "1w", "1h1h", "30m1h",
        "1h30", "1sm", "106751991168d", "9223372036854775808ms", "99999999999999999999s",
        "106751991167d24h"}) {
    EXPECT_EQ(parse_duration(wrong), std::nullopt) << wrong;
  }
}

TEST(Size, IsReadInPowersOf1000And1024) {
  EXPECT_EQ(parse_size("1024"), 1024);
  EXPECT_EQ(parse_size("0"), 0);
  EXPECT_EQ(parse_size("10B"), 10);
  EXPECT_EQ(parse_size("64k"), 64'000);
  EXPECT_EQ(parse_size("64K"), 64'000);
  EXPECT_EQ(parse_size("64kB"), 64'000);
  EXPECT_EQ(parse_size("64Ki"), 65'536);
  EXPECT_EQ(parse_size("512MiB"), 512LL << 20);
  EXPECT_EQ(parse_size("1GiB"), 1LL << 30);
  EXPECT_EQ(parse_size("10GB"), 10'000'000'000);
  EXPECT_EQ(parse_size("7EiB"), 7LL << 60);
  EXPECT_EQ(parse_size("9223372036854775807"), std::numeric_limits<std::int64_t>::max());
}

TEST(Size, RefusesWhatIsNoneOrDoesNotFit) {
  for (const char* const wrong : {"", "B", "MiB", "-1", "+1", "1.5GiB", "1 MiB", "1m", "1g", "1iB",
                                  "1MBi", "1Mib", "1MiBs", "8EiB", "9223372036854775808"}) {
    EXPECT_EQ(parse_size(wrong), std::nullopt) << wrong;
  }
}

TEST(Size, IsShownForPeople) {
  EXPECT_EQ(format_size(0), "0 B");
  EXPECT_EQ(format_size(10), "10 B");
  EXPECT_EQ(format_size(1023), "1023 B");
  EXPECT_EQ(format_size(1024), "1 KiB");
  EXPECT_EQ(format_size(3LL << 29), "1.5 GiB");
  EXPECT_EQ(format_size(512LL << 20), "512 MiB");
  EXPECT_EQ(format_size((1LL << 20) - 1), "1023.9 KiB");
  EXPECT_EQ(format_size(std::numeric_limits<std::int64_t>::max()), "7.9 EiB");
  EXPECT_EQ(format_size(std::numeric_limits<std::int64_t>::min()), "-8 EiB");
  EXPECT_EQ(format_size(-10), "-10 B");
}

}  // namespace
}  // namespace resmgr
