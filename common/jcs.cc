#include "common/jcs.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string_view>

#include "common/error.h"

namespace resmgr {
namespace {

constexpr std::int64_t kLargestInteger = (std::int64_t{1} << 53) - 1;

[[noreturn]] void refuse_json(const std::string& cause) {
  throw Error(ErrorKind::internal, "cannot canonicalize JSON: " + cause);
}

// Number of bytes of the well-formed UTF-8 sequence (RFC 3629, section 4) at the front; 0 = none.
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t i) -> unsigned {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0;
  };
  const auto follows = [&](std::size_t i) { return (byte(i) & 0xc0) == 0x80; };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return follows(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    const bool overlong = first == 0xe0 && byte(1) < 0xa0;
    const bool surrogate = first == 0xed && byte(1) > 0x9f;
    return follows(1) && follows(2) && !overlong && !surrogate ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const bool overlong = first == 0xf0 && byte(1) < 0x90;
    const bool too_large = first == 0xf4 && byte(1) > 0x8f;
    return follows(1) && follows(2) && follows(3) && !overlong && !too_large ? 4 : 0;
  }
  return 0;
}

void append_escaped(std::string& out, char c) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\b':
      out += "\\b";
      return;
    case '\t':
      out += "\\t";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\f':
      out += "\\f";
      return;
    case '\r':
      out += "\\r";
      return;
    default:
      break;
  }
  if (static_cast<unsigned char>(c) >= 0x20) {
    out += c;
    return;
  }
  std::array<char, 8> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "\\u%04x", static_cast<unsigned>(c));
  out += buffer.data();
}

void append_string(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const std::size_t length = sequence_length(text);
    if (length == 0) refuse_json("a string is not UTF-8");
    if (length == 1) {
      append_escaped(out, text.front());
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(length);
  }
  out += '"';
}

void append_number(std::string& out, const nlohmann::json& number) {
  const std::string beyond = "a number is beyond 2^53 - 1";
  if (number.is_number_float()) {
    const double value = number.get<double>();
    if (std::trunc(value) != value) refuse_json("a number has a fraction");
    if (std::abs(value) > static_cast<double>(kLargestInteger)) refuse_json(beyond);
    out += std::to_string(static_cast<std::int64_t>(value));
  } else if (number.is_number_unsigned()) {
    const auto value = number.get<std::uint64_t>();
    if (value > static_cast<std::uint64_t>(kLargestInteger)) refuse_json(beyond);
    out += std::to_string(value);
  } else {
    const auto value = number.get<std::int64_t>();
    if (value > kLargestInteger || value < -kLargestInteger) refuse_json(beyond);
    out += std::to_string(value);
  }
}

// NOLINTNEXTLINE(misc-no-recursion): the depth is that of records which this program makes.
void append(std::string& out, const nlohmann::json& value) {
  if (value.is_object()) {
    out += '{';
    // The members are sorted by bytes already, which is RFC 8785's order for ASCII names.
    for (auto it = value.begin(); it != value.end(); ++it) {
      const std::string& name = it.key();
      if (std::any_of(name.begin(), name.end(),
                      [](char c) { return static_cast<unsigned char>(c) >= 0x80; })) {
        refuse_json("a member name is not ASCII");
      }
      if (it != value.begin()) out += ',';
      append_string(out, name);
      out += ':';
      append(out, it.value());
    }
    out += '}';
  } else if (value.is_array()) {
    out += '[';
    for (std::size_t i = 0; i < value.size(); ++i) {
      if (i > 0) out += ',';
      append(out, value[i]);
    }
    out += ']';
  } else if (value.is_string()) {
    append_string(out, value.get_ref<const std::string&>());
  } else if (value.is_number()) {
    append_number(out, value);
  } else if (value.is_boolean()) {
    out += value.get<bool>() ? "true" : "false";
  } else if (value.is_null()) {
    out += "null";
  } else {
    refuse_json("a value is of no JSON type");
  }
}

}  // namespace

std::string canonical_json(const nlohmann::json& value) {
  std::string out;
  append(out, value);
  return out;
}

}  // namespace resmgr
