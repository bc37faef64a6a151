#include "common/ids.h"

#include <strings.h>
#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <mutex>

#include "common/error.h"

namespace resmgr {
namespace {

constexpr char kHexDigits[] = "0123456789abcdef";
using UuidBytes = std::array<unsigned char, 16>;

void fill_random(void* to, std::size_t size) {
  auto* next = static_cast<unsigned char*>(to);
  while (size > 0) {
    const ssize_t got = getrandom(next, size, 0);
    if (got < 0) {
      if (errno == EINTR) continue;
      throw Error(ErrorKind::internal,
                  std::string("cannot read random bytes from the kernel: ") + std::strerror(errno));
    }
    next += got;
    size -= static_cast<std::size_t>(got);
  }
}

std::uint64_t random_u64() {
  std::uint64_t value = 0;
  fill_random(&value, sizeof value);
  return value;
}

std::string format_uuid(const UuidBytes& bytes) {
  std::string text;
  text.reserve(36);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += kHexDigits[bytes[i] >> 4];
    text += kHexDigits[bytes[i] & 15];
  }
  return text;
}

constexpr std::uint64_t kLargestMillis = (std::uint64_t{1} << 48) - 1;
constexpr std::uint64_t kLargestHigh = (1 << 12) - 1;                // rand_a
constexpr std::uint64_t kLargestLow = (std::uint64_t{1} << 62) - 1;  // rand_b
constexpr std::uint64_t kLargestStep = (std::uint64_t{1} << 32) - 1;

// The parts of the last id given out (RFC 9562, section 6.2, method 2: rand_a and rand_b are one
// 74-bit random number, which grows by a random step while the time doesn't).
struct Sequence {
  std::uint64_t millis = 0;
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  void advance(std::uint64_t now) {
    if (now > millis) {
      reseed(now);
      return;
    }
    low += 1 + (random_u64() & kLargestStep);
    if (low <= kLargestLow) return;
    low &= kLargestLow;
    if (++high > kLargestHigh) reseed(millis + 1);
  }

 private:
  void reseed(std::uint64_t now) {
    millis = now;
    high = random_u64() & kLargestHigh;
    low = random_u64() & kLargestLow;
  }
};

}  // namespace

std::string new_uuid_v7(Instant now) {
  static std::mutex mutex;
  static Sequence last;

  const auto millis = static_cast<std::uint64_t>(
      std::clamp<long long>(to_millis(now), 0, static_cast<long long>(kLargestMillis)));
  Sequence id;
  {
    const std::lock_guard lock(mutex);
    last.advance(millis);
    id = last;
  }
  UuidBytes bytes{};
  for (std::size_t i = 0; i < 6; ++i) {
    bytes[i] = static_cast<unsigned char>(id.millis >> (8 * (5 - i)));
  }
  bytes[6] = static_cast<unsigned char>(0x70 | (id.high >> 8));
  bytes[7] = static_cast<unsigned char>(id.high);
  for (std::size_t i = 0; i < 8; ++i) {
    bytes[8 + i] = static_cast<unsigned char>(id.low >> (8 * (7 - i)));
  }
  bytes[8] |= 0x80;
  return format_uuid(bytes);
}

Instant time_of_uuid_v7(std::string_view id) {
  std::int64_t millis = 0;
  int digits = 0;
  for (const char c : id.substr(0, 13)) {
    if (c == '-') continue;
    const int digit = c <= '9' ? c - '0' : c - 'a' + 10;
    millis = millis * 16 + digit;
    if (++digits == 12) break;
  }
  return instant_from_millis(millis);
}

std::string new_uuid_v4() {
  UuidBytes bytes{};
  fill_random(bytes.data(), bytes.size());
  bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0f) | 0x40);
  bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3f) | 0x80);
  return format_uuid(bytes);
}

std::optional<std::string> parse_uuid(std::string_view text) {
  if (text.size() != 36) return std::nullopt;
  std::string canonical(text);
  for (std::size_t i = 0; i < canonical.size(); ++i) {
    char& c = canonical[i];
    if (i == 8 || i == 13 || i == 18 || i == 23) {
      if (c != '-') return std::nullopt;
      continue;
    }
    if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
    if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return std::nullopt;
  }
  return canonical;
}

std::string random_hex(std::size_t bytes) {
  std::string random(bytes, '\0');
  fill_random(random.data(), random.size());
  std::string text;
  text.reserve(2 * bytes);
  for (const char c : random) {
    const auto byte = static_cast<unsigned char>(c);
    text += kHexDigits[byte >> 4];
    text += kHexDigits[byte & 15];
  }
  return text;
}

std::string_view short_id(std::string_view task_id) {
  return task_id.substr(task_id.size() - std::min<std::size_t>(12, task_id.size()));
}

bool id_matches(std::string_view id, std::string_view part) {
  constexpr std::ptrdiff_t kLeastDigits = 4;
  if (part.size() - static_cast<std::size_t>(std::count(part.begin(), part.end(), '-')) <
          static_cast<std::size_t>(kLeastDigits) ||
      part.size() > id.size()) {
    return false;
  }
  const auto same = [&](std::string_view piece) {
    return strncasecmp(piece.data(), part.data(), part.size()) == 0;
  };
  return same(id) || same(id.substr(id.size() - part.size()));
}

}  // namespace resmgr
