#include "agent/engine/labels.h"

#include <algorithm>
#include <utility>

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

// In canonical form: a name is compared byte by byte.
bool is_uuid(const std::string& text) { return parse_uuid(text) == text; }

}  // namespace

std::string container_name(std::string_view id) { return kNamePrefix + std::string(id); }

std::string claimed_name(std::string_view slot_id, std::string_view task_id,
                         std::string_view user_id) {
  return container_name(slot_id).append(".").append(task_id).append(".").append(user_id);
}

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

std::optional<Belonging> belonging_of(const std::map<std::string, std::string>& labels,
                                      std::string_view name, std::string_view agent_id) {
  if (agent_id.empty()) return std::nullopt;
  if (label(labels, kLabelManagedBy) != kManagedBy) return std::nullopt;
  if (label(labels, kLabelAgentId) != agent_id) return std::nullopt;
  Belonging found;
  found.task_id = label(labels, kLabelTaskId);
  found.slot_id = label(labels, kLabelSlotId);
  if (!found.task_id.empty()) {
    found.user_id = label(labels, kLabelUserId);
    found.slot_id.clear();
    if (!is_uuid(found.task_id) || name != container_name(found.task_id)) return std::nullopt;
    return found;
  }
  if (!is_uuid(found.slot_id)) return std::nullopt;
  const std::string own = container_name(found.slot_id);
  if (name == own) return found;
  // It was claimed: ".<taskId>.<userId>" follows.
  constexpr std::size_t kUuid = 36;
  if (name.size() != own.size() + 2 * (1 + kUuid)) return std::nullopt;
  found.task_id = name.substr(own.size() + 1, kUuid);
  found.user_id = name.substr(name.size() - kUuid);
  if (!is_uuid(found.task_id) || !is_uuid(found.user_id) ||
      name != claimed_name(found.slot_id, found.task_id, found.user_id)) {
    return std::nullopt;
  }
  return found;
}

std::optional<std::string> task_of(const std::map<std::string, std::string>& labels,
                                   std::string_view name, std::string_view agent_id) {
  auto found = belonging_of(labels, name, agent_id);
  if (!found || found->task_id.empty()) return std::nullopt;
  return std::move(found->task_id);
}

}  // namespace resmgr::engine
