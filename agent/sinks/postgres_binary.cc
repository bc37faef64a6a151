#include "agent/sinks/postgres_binary.h"

#include <array>
#include <charconv>
#include <chrono>
#include <limits>
#include <optional>

#include "common/time_format.h"

namespace resmgr::sinks {
namespace {

using std::chrono::microseconds;

constexpr std::size_t kUuidBytes = 16;
constexpr std::string_view kUuidForm = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

// In network byte order.
template <typename Integer>
void put(std::string& out, Integer value) {
  using Bits = std::make_unsigned_t<Integer>;
  std::array<char, sizeof(Bits)> bytes{};
  auto bits = static_cast<Bits>(value);
  for (auto byte = bytes.rbegin(); byte != bytes.rend(); ++byte) {
    *byte = static_cast<char>(bits & 0xff);
    bits = static_cast<Bits>(bits >> 4 >> 4);
  }
  out.append(bytes.data(), bytes.size());
}

void put_length(std::string& out, std::size_t length) {
  put(out, static_cast<std::int32_t>(length));
}

template <typename Integer>
bool encode_integer(std::string& out, std::string_view text) {
  Integer value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end) return false;
  put_length(out, sizeof(value));
  put(out, value);
  return true;
}

// -1: it is none.
int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<std::int64_t> microseconds_of(Millis duration) {
  std::int64_t micros = 0;
  if (__builtin_mul_overflow(duration.count(), std::int64_t{1000}, &micros)) return std::nullopt;
  return micros;
}

}  // namespace

void begin_postgres_row(std::string& out, std::int16_t fields) { put(out, fields); }

void encode_null(std::string& out) { put(out, std::int32_t{-1}); }

bool encode_uuid(std::string& out, std::string_view text) {
  if (text.size() != kUuidForm.size()) return false;
  std::array<char, kUuidBytes> bytes{};
  auto* byte = bytes.begin();
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (kUuidForm[i] == '-') {
      if (text[i] != '-') return false;
      continue;
    }
    const int high = hex_digit(text[i]);
    const int low = hex_digit(text[++i]);
    if (high < 0 || low < 0) return false;
    *byte++ = static_cast<char>(high * 16 + low);
  }
  put_length(out, bytes.size());
  out.append(bytes.data(), bytes.size());
  return true;
}

bool encode_varchar(std::string& out, std::string_view text) {
  put_length(out, text.size());
  out += text;
  return true;
}

bool encode_int(std::string& out, std::string_view text) {
  return encode_integer<std::int32_t>(out, text);
}

bool encode_bigint(std::string& out, std::string_view text) {
  return encode_integer<std::int64_t>(out, text);
}

// Microseconds since 2000.
bool encode_timestamp(std::string& out, std::string_view text) {
  constexpr Instant kEpoch = std::chrono::sys_days{std::chrono::year{2000} / 1 / 1};
  const auto instant = parse_rfc3339(text);
  if (!instant) return false;
  put_length(out, sizeof(std::int64_t));
  put(out, std::int64_t{microseconds(*instant - kEpoch).count()});
  return true;
}

// Microseconds, days, months. An hour is no part of a day here.
bool encode_interval(std::string& out, std::string_view text) {
  const auto duration = parse_iso8601_duration(text);
  const auto micros = duration ? microseconds_of(*duration) : std::nullopt;
  if (!micros) return false;
  put_length(out, sizeof(std::int64_t) + 2 * sizeof(std::int32_t));
  put(out, *micros);
  put(out, std::int32_t{0});
  put(out, std::int32_t{0});
  return true;
}

}  // namespace resmgr::sinks
