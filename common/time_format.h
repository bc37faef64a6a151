// Times, durations and sizes as text.
#ifndef RESMGR_COMMON_TIME_FORMAT_H_
#define RESMGR_COMMON_TIME_FORMAT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/clock.h"

namespace resmgr {

// RFC 3339 in UTC with milliseconds: 2026-11-22T17:04:05.123Z.
// Years below 0 and beyond 9999 are written as these.
std::string format_rfc3339(Instant instant);
void append_rfc3339(std::string& out, Instant instant);

// Accepts any RFC 3339 time with 0 to 9 fractional digits and 'Z' or a numeric offset; digits
// below a millisecond are cut, not rounded. Empty for anything else, and for the engine's zero
// time 0001-01-01T00:00:00Z.
std::optional<Instant> parse_rfc3339(std::string_view text);

// ISO 8601 duration, weeks and days not used: PT1H2M3.5S, PT0S. Negative values count as 0.
std::string format_iso8601_duration(Millis duration);
// Accepts what that makes: hours, minutes and seconds, in this order, each at most once; digits
// below a millisecond are cut. Empty for anything else, and for what does not fit.
std::optional<Millis> parse_iso8601_duration(std::string_view text);

// For people: "1h 02m 03s", "2m 03s", "3.5s", "250ms".
std::string format_duration(Millis duration);

// "90s", "15m", "8h", "2d", "200ms", and sums such as "1h30m". Empty for anything else, for a
// bare number, and for what does not fit.
std::optional<Millis> parse_duration(std::string_view text);

// "512MiB", "1GiB", "64k", "10GB", "1024" (bytes); powers of 1024 with i, of 1000 without, as IEC
// 80000-13 has it. Empty for anything else, and for what does not fit.
std::optional<std::int64_t> parse_size(std::string_view text);

// For people: "512 MiB", "1.5 GiB", "10 B".
std::string format_size(std::int64_t bytes);

}  // namespace resmgr

#endif  // RESMGR_COMMON_TIME_FORMAT_H_
