#include "agent/sinks/usage_post.h"

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "common/json.h"
#include "common/time_format.h"

namespace resmgr::sinks {
namespace {

constexpr std::int64_t kMillion = 1'000'000;

// A JSON number above 0, of 6 decimals at most.
std::string decimal(std::int64_t numerator, std::int64_t denominator) {
  const std::int64_t divisor = std::max<std::int64_t>(denominator, 1);
  const std::int64_t whole = std::max<std::int64_t>(numerator, 0) / divisor;
  const auto rest = static_cast<double>(std::max<std::int64_t>(numerator, 0) % divisor);
  const auto part = static_cast<std::int64_t>(rest * kMillion / static_cast<double>(divisor));
  const std::int64_t least = whole == 0 ? 1 : 0;
  std::string digits = std::to_string(std::clamp<std::int64_t>(part, least, kMillion - 1));
  digits.insert(0, 6 - digits.size(), '0');
  while (!digits.empty() && digits.back() == '0') digits.pop_back();
  return std::to_string(whole) + (digits.empty() ? "" : "." + digits);
}

const std::string& either(const std::string& first, const std::string& second) {
  return first.empty() ? second : first;
}

void add_json(std::string& out, std::string_view name, std::string_view json) {
  out.append(",\"").append(name).append("\":").append(json);
}

void add_text(std::string& out, std::string_view name, const std::string& text) {
  static const std::string kUnknown = "unknown";
  add_json(out, name, dump_json(Json(either(text, kUnknown))));
}

}  // namespace

std::string usage_post(const journal::StoredUsage& usage,
                       const std::optional<identity::UserProfile>& profile) {
  const Json record = Json::parse(usage.record, nullptr, false);
  const auto stop = parse_rfc3339(string_or(record, "stopTime"));
  const std::int64_t seconds = stop ? to_millis(*stop) / 1'000 : 0;
  const std::string user = string_or(record, "userId");
  const identity::UserProfile known = profile.value_or(identity::UserProfile{});

  std::string out = R"({"usageHash":)" + dump_json(Json(usage.hash));
  add_json(out, "record", usage.record);
  add_text(out, "containerId", string_or(record, "containerId"));
  add_text(out, "containerName", string_or(record, "serviceType"));
  add_json(out, "memoryMB", decimal(integer_or(record, "peakMemoryBytes", 0), kMillion));
  add_json(out, "cpuUsage",
           decimal(integer_or(record, "cpuMs", 0), integer_or(record, "durationMs", 0)));
  add_json(out, "timestamp", std::to_string(std::max<std::int64_t>(seconds, 1)));
  add_text(out, "user_email", either(known.email, user));
  add_text(out, "user_fullname", either(known.full_name, user));
  return out + "}";
}

}  // namespace resmgr::sinks
