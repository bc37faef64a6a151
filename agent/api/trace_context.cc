#include "agent/api/trace_context.h"

#include <algorithm>

namespace resmgr::api {
namespace {

// "00-<trace-id>-<parent-id>-<flags>"
constexpr std::size_t kVersionDigits = 2;
constexpr std::size_t kTraceDigits = 32;
constexpr std::size_t kParentDigits = 16;
constexpr std::size_t kFlagDigits = 2;

bool is_hex(std::string_view text) {
  return std::ranges::all_of(
      text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_zero(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c == '0'; });
}

// Takes so many digits from the front; empty where they are not there.
std::string_view take_hex(std::string_view& rest, std::size_t digits) {
  const std::string_view text = rest.substr(0, digits);
  rest.remove_prefix(text.size());
  return text.size() == digits && is_hex(text) ? text : std::string_view();
}

bool take_dash(std::string_view& rest) {
  if (!rest.starts_with('-')) return false;
  rest.remove_prefix(1);
  return true;
}

}  // namespace

std::optional<TraceContext> parse_traceparent(std::string_view header) {
  std::string_view rest = header;
  const std::string_view version = take_hex(rest, kVersionDigits);
  if (version.empty() || version == "ff" || !take_dash(rest)) return std::nullopt;
  TraceContext context;
  context.trace_id = take_hex(rest, kTraceDigits);
  if (context.trace_id.empty() || is_zero(context.trace_id) || !take_dash(rest))
    return std::nullopt;
  context.parent_id = take_hex(rest, kParentDigits);
  if (context.parent_id.empty() || is_zero(context.parent_id) || !take_dash(rest)) {
    return std::nullopt;
  }
  if (take_hex(rest, kFlagDigits).empty()) return std::nullopt;
  const bool ends = version == "00" ? rest.empty() : rest.empty() || rest.front() == '-';
  return ends ? std::optional(context) : std::nullopt;
}

}  // namespace resmgr::api
