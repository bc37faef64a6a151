#include "common/time_format.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <limits>
#include <span>

namespace resmgr {
namespace {

using std::chrono::days;
using std::chrono::floor;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::int64_t kLargest = std::numeric_limits<std::int64_t>::max();

// Reads text from the front; every function leaves it where it was unless it succeeds.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  bool at_end() const { return rest_.empty(); }

  bool skip(char wanted) {
    if (rest_.empty() || rest_.front() != wanted) return false;
    rest_.remove_prefix(1);
    return true;
  }

  // Exactly `count` digits whose value lies in [least, most].
  std::optional<int> fixed(std::size_t count, int least, int most) {
    const std::string_view digits = leading_digits().substr(0, count);
    if (digits.size() != count) return std::nullopt;
    int value = 0;
    for (const char c : digits) value = value * 10 + (c - '0');
    if (value < least || value > most) return std::nullopt;
    rest_.remove_prefix(count);
    return value;
  }

  std::string_view digits() {
    const std::string_view found = leading_digits();
    rest_.remove_prefix(found.size());
    return found;
  }

  std::string_view letters() {
    const auto end = std::find_if(rest_.begin(), rest_.end(), [](char c) {
      return !((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'));
    });
    const std::string_view found = rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
    rest_.remove_prefix(found.size());
    return found;
  }

 private:
  std::string_view leading_digits() const {
    const std::size_t end = rest_.find_first_not_of("0123456789");
    return rest_.substr(0, end);
  }

  std::string_view rest_;
};

std::optional<std::int64_t> to_number(std::string_view digits) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || digits.empty() || end != digits.data() + digits.size()) {
    return std::nullopt;
  }
  return value;
}

std::optional<std::int64_t> multiply(std::int64_t a, std::int64_t b) {
  std::int64_t product = 0;
  if (__builtin_mul_overflow(a, b, &product)) return std::nullopt;
  return product;
}

std::optional<std::chrono::year_month_day> scan_date(Scanner& in) {
  const auto year = in.fixed(4, 0, 9999);
  if (!year || !in.skip('-')) return std::nullopt;
  const auto month = in.fixed(2, 1, 12);
  if (!month || !in.skip('-')) return std::nullopt;
  const auto day = in.fixed(2, 1, 31);
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{*year},
                                         std::chrono::month{static_cast<unsigned>(*month)},
                                         std::chrono::day{static_cast<unsigned>(*day)}};
  if (!date.ok()) return std::nullopt;
  return date;
}

std::optional<seconds> scan_time_of_day(Scanner& in) {
  const auto hour = in.fixed(2, 0, 23);
  if (!hour || !in.skip(':')) return std::nullopt;
  const auto minute = in.fixed(2, 0, 59);
  if (!minute || !in.skip(':')) return std::nullopt;
  const auto second = in.fixed(2, 0, 60);
  if (!second) return std::nullopt;
  return hours{*hour} + minutes{*minute} + seconds{*second};
}

std::optional<Millis> scan_fraction(Scanner& in) {
  if (!in.skip('.')) return Millis{0};
  const std::string_view digits = in.digits();
  if (digits.empty() || digits.size() > 9) return std::nullopt;
  int millis = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    millis = millis * 10 + (i < digits.size() ? digits[i] - '0' : 0);
  }
  return Millis{millis};
}

std::optional<minutes> scan_offset(Scanner& in) {
  if (in.skip('Z') || in.skip('z')) return minutes{0};
  const bool east = in.skip('+');
  if (!east && !in.skip('-')) return std::nullopt;
  const auto hour = in.fixed(2, 0, 23);
  if (!hour || !in.skip(':')) return std::nullopt;
  const auto minute = in.fixed(2, 0, 59);
  if (!minute) return std::nullopt;
  const minutes offset = hours{*hour} + minutes{*minute};
  return east ? offset : -offset;
}

struct Unit {
  std::string_view name;
  std::int64_t millis;
};

// Each unit at most once, the larger before the smaller: 30m1h is rather a typo. Seconds may have a
// fraction where there are any.
std::optional<Millis> scan_sum(std::string_view text, std::span<const Unit> units, bool fractions) {
  Scanner in(text);
  std::int64_t total = 0;
  do {
    const auto count = to_number(in.digits());
    const auto fraction = fractions ? scan_fraction(in) : Millis{0};
    const std::string_view name = in.letters();
    const auto unit = std::ranges::find(units, name, &Unit::name);
    if (!count || !fraction || unit == units.end()) return std::nullopt;
    if (*fraction != Millis{0} && unit->millis != 1000) return std::nullopt;
    const auto part = multiply(*count, unit->millis);
    if (!part || *part > kLargest - total - fraction->count()) return std::nullopt;
    total += *part + fraction->count();
    units = {unit + 1, units.end()};
  } while (!in.at_end());
  return Millis{total};
}

// A leap second is the last of a UTC day, and nowhere else; it is counted as the one after it.
bool is_misplaced_leap_second(seconds written, Instant instant) {
  if (written % minutes{1} != seconds{0}) return false;
  return floor<seconds>(instant) != floor<days>(instant);
}

// The last `count` digits of a number. A list of tasks has hundreds of times, and printf took a
// fifth of what the list takes.
void put_digits(char* at, unsigned number, int count) {
  for (int i = count; i-- > 0; number /= 10) at[i] = static_cast<char>('0' + number % 10);
}

std::string trimmed_fraction(long long whole, long long thousandths) {
  std::string text = std::to_string(whole);
  if (thousandths == 0) return text;
  std::array<char, 4> decimals = {'.'};
  put_digits(decimals.data() + 1, static_cast<unsigned>(thousandths), 3);
  text.append(decimals.data(), decimals.size());
  text.erase(text.find_last_not_of('0') + 1);
  return text;
}

}  // namespace

void append_rfc3339(std::string& out, Instant instant) {
  const auto day = floor<days>(instant);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss time{instant - day};
  constexpr std::string_view kForm = "0000-00-00T00:00:00.000Z";
  std::array<char, kForm.size()> text{};
  kForm.copy(text.data(), text.size());
  const auto put = [&](std::size_t at, auto value, int digits) {
    put_digits(text.data() + at, static_cast<unsigned>(value), digits);
  };
  put(0, std::clamp(static_cast<int>(date.year()), 0, 9'999), 4);
  put(5, static_cast<unsigned>(date.month()), 2);
  put(8, static_cast<unsigned>(date.day()), 2);
  put(11, time.hours().count(), 2);
  put(14, time.minutes().count(), 2);
  put(17, time.seconds().count(), 2);
  put(20, time.subseconds().count(), 3);
  out.append(text.data(), text.size());
}

std::string format_rfc3339(Instant instant) {
  std::string text;
  text.reserve(24);
  append_rfc3339(text, instant);
  return text;
}

std::optional<Instant> parse_rfc3339(std::string_view text) {
  Scanner in(text);
  const auto date = scan_date(in);
  if (!date || !(in.skip('T') || in.skip('t'))) return std::nullopt;
  const auto time = scan_time_of_day(in);
  if (!time) return std::nullopt;
  const bool leap_second = text.substr(17, 2) == "60";
  const auto fraction = scan_fraction(in);
  if (!fraction) return std::nullopt;
  const auto offset = scan_offset(in);
  if (!offset || !in.at_end()) return std::nullopt;

  const Instant instant = std::chrono::sys_days{*date} + *time + *fraction - *offset;
  if (leap_second && is_misplaced_leap_second(*time, instant)) return std::nullopt;
  constexpr Instant kEngineZero = std::chrono::sys_days{std::chrono::year{1} / 1 / 1};
  if (instant == kEngineZero) return std::nullopt;
  return instant;
}

std::string format_iso8601_duration(Millis duration) {
  const long long total = std::max<long long>(0, duration.count());
  const long long h = total / 3'600'000;
  const long long m = total / 60'000 % 60;
  const long long ms = total % 60'000;
  std::string text = "PT";
  if (h > 0) text += std::to_string(h) + "H";
  if (m > 0) text += std::to_string(m) + "M";
  if (ms > 0 || total == 0) text += trimmed_fraction(ms / 1000, ms % 1000) + "S";
  return text;
}

std::optional<Millis> parse_iso8601_duration(std::string_view text) {
  static constexpr std::array<Unit, 3> kUnits = {{{"H", 3'600'000}, {"M", 60'000}, {"S", 1000}}};
  return text.starts_with("PT") ? scan_sum(text.substr(2), kUnits, true) : std::nullopt;
}

std::string format_duration(Millis duration) {
  const long long total = std::max<long long>(0, duration.count());
  if (total < 1000) return std::to_string(total) + "ms";
  if (total < 60'000) return trimmed_fraction(total / 1000, total % 1000 / 100 * 100) + "s";
  const long long h = total / 3'600'000;
  const long long m = total / 60'000 % 60;
  const long long s = total / 1000 % 60;
  std::array<char, 48> buffer{};
  if (h > 0) {
    std::snprintf(buffer.data(), buffer.size(), "%lldh %02lldm %02llds", h, m, s);
  } else {
    std::snprintf(buffer.data(), buffer.size(), "%lldm %02llds", m, s);
  }
  return buffer.data();
}

std::optional<Millis> parse_duration(std::string_view text) {
  static constexpr std::array<Unit, 5> kUnits = {
      {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1000}, {"ms", 1}}};
  return scan_sum(text, kUnits, false);
}

std::optional<std::int64_t> parse_size(std::string_view text) {
  Scanner in(text);
  const auto count = to_number(in.digits());
  if (!count) return std::nullopt;
  std::int64_t factor = 1;
  static constexpr std::string_view kPrefixes = "kMGTPE";
  const std::size_t prefix = [&] {
    for (std::size_t i = 0; i < kPrefixes.size(); ++i) {
      if (in.skip(kPrefixes[i])) return i + 1;
    }
    return in.skip('K') ? std::size_t{1} : std::size_t{0};
  }();
  if (prefix > 0) {
    const std::int64_t base = in.skip('i') ? 1024 : 1000;
    for (std::size_t i = 0; i < prefix; ++i) factor *= base;
  }
  in.skip('B');
  if (!in.at_end()) return std::nullopt;
  return multiply(*count, factor);
}

std::string format_size(std::int64_t bytes) {
  static constexpr std::array kUnits = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  const std::uint64_t size =
      bytes < 0 ? 0 - static_cast<std::uint64_t>(bytes) : static_cast<std::uint64_t>(bytes);
  std::size_t unit = 0;
  while (unit + 1 < kUnits.size() && (size >> (10 * (unit + 1))) > 0) ++unit;
  const std::uint64_t whole = size >> (10 * unit);
  const std::uint64_t rest = size - (whole << (10 * unit));
  const std::uint64_t tenths = unit == 0 ? 0 : (rest >> (10 * (unit - 1))) * 10 / 1024;
  return (bytes < 0 ? "-" : "") +
         trimmed_fraction(static_cast<long long>(whole), static_cast<long long>(tenths) * 100) +
         " " + kUnits[unit];
}

}  // namespace resmgr
