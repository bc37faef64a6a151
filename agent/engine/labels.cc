#include "agent/engine/labels.h"

#include <algorithm>

#include "common/ids.h"

namespace resmgr::engine {
namespace {

constexpr char kManagedBy[] = "resmgr";
constexpr char kNamePrefix[] = "resmgr-";
constexpr char kBridgePrefix[] = "rm-";
constexpr std::size_t kNetworkDigits = 12;

std::string_view label(const std::map<std::string, std::string>& labels, const char* key) {
  const auto found = labels.find(key);
  if (found == labels.end()) return {};
  return found->second;
}

}  // namespace

std::string container_name(std::string_view task_id) { return kNamePrefix + std::string(task_id); }

std::string network_name(std::string_view agent_id) {
  std::string name = kNamePrefix;
  std::size_t digits = 0;
  for (const char c : agent_id) {
    if (c == '-') continue;
    if (digits++ == kNetworkDigits) break;
    name += c;
  }
  return name;
}

std::string bridge_name(std::string_view agent_id) {
  std::string digits;
  for (const char c : agent_id) {
    if (c != '-') digits += c;
  }
  return kBridgePrefix + digits.substr(digits.size() - std::min(digits.size(), kNetworkDigits));
}

std::map<std::string, std::string> ours(std::string_view agent_id) {
  return {{kLabelManagedBy, kManagedBy}, {kLabelAgentId, std::string(agent_id)}};
}

std::optional<std::string> task_of(const std::map<std::string, std::string>& labels,
                                   std::string_view name, std::string_view agent_id) {
  if (agent_id.empty()) return std::nullopt;
  if (label(labels, kLabelManagedBy) != kManagedBy) return std::nullopt;
  if (label(labels, kLabelAgentId) != agent_id) return std::nullopt;
  const std::string task_id(label(labels, kLabelTaskId));
  // Canonical form only: a name is compared byte by byte.
  if (parse_uuid(task_id) != task_id || name != container_name(task_id)) return std::nullopt;
  return task_id;
}

}  // namespace resmgr::engine
