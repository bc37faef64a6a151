// How our containers are told from all others: a name and labels. Both must fit (a `docker commit`
// inherits labels), and the container id too where the journal knows it.
#ifndef RESMGR_AGENT_ENGINE_LABELS_H_
#define RESMGR_AGENT_ENGINE_LABELS_H_

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace resmgr::engine {

inline constexpr char kLabelManagedBy[] = "io.resmgr.managed-by";  // "resmgr"
inline constexpr char kLabelAgentId[] = "io.resmgr.agent-id";
inline constexpr char kLabelTaskId[] = "io.resmgr.task-id";
inline constexpr char kLabelSlotId[] = "io.resmgr.slot-id";  // of a warm container, which has no
                                                             // task-id and no user-id
inline constexpr char kLabelUserId[] = "io.resmgr.user-id";
inline constexpr char kLabelServiceType[] = "io.resmgr.service-type";
inline constexpr char kLabelCreatedAt[] = "io.resmgr.created-at";  // RFC 3339, the admission
inline constexpr char kLabelSpecHash[] = "io.resmgr.spec-hash";

// "resmgr-<taskId>", or "resmgr-<slotId>" while a warm container waits for a task.
std::string container_name(std::string_view id);

// "resmgr-<slotId>.<taskId>.<userId>": a warm container's soon after a task took it over. Labels
// never change, so that the name is where the engine keeps whose it is.
std::string claimed_name(std::string_view slot_id, std::string_view task_id,
                         std::string_view user_id);

// "resmgr-<first 12 digits of the agent id>": the agent's own bridge, and the marker that this is
// the engine on which the agent's containers live.
std::string network_name(std::string_view agent_id);

// "rm-<last 12 digits of the agent id>": the name that this network's interface has on the host,
// where one has at most 15 characters. Whoever comes from there is a task.
std::string bridge_name(std::string_view agent_id);

// The labels by which to list: managed-by and agent-id.
std::map<std::string, std::string> ours(std::string_view agent_id);

// What labels and name say of a container of this agent.
struct Belonging {
  std::string task_id;  // empty: a warm container that waits for a task
  std::string user_id;  // as far as it is told
  std::string slot_id;  // empty: it was made for its task
};
// Empty: they don't say that it is this agent's.
std::optional<Belonging> belonging_of(const std::map<std::string, std::string>& labels,
                                      std::string_view name, std::string_view agent_id);

// The task id if labels and name say that the container is this agent's, else empty.
std::optional<std::string> task_of(const std::map<std::string, std::string>& labels,
                                   std::string_view name, std::string_view agent_id);

}  // namespace resmgr::engine

#endif  // RESMGR_AGENT_ENGINE_LABELS_H_
