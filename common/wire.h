// The REST contract's requests and answers, as both programs read and write them.
#ifndef RESMGR_COMMON_WIRE_H_
#define RESMGR_COMMON_WIRE_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/event.h"
#include "common/json.h"
#include "common/task.h"

namespace resmgr::wire {

inline constexpr char kTasks[] = "/api/tasks";
inline constexpr char kServices[] = "/api/services";
inline constexpr char kHost[] = "/api/host";
inline constexpr char kHostChecks[] = "/api/host/checks";
inline constexpr char kImages[] = "/api/images";
inline constexpr char kPullImage[] = "/api/images/pull";
inline constexpr char kEvents[] = "/api/events";
inline constexpr char kLive[] = "/api/live";
inline constexpr char kSinks[] = "/api/sinks";
inline constexpr char kUsageRecords[] = "/api/usage-records";
inline constexpr char kUsage[] = "/api/usage";
inline constexpr char kReconcile[] = "/api/reconcile";
inline constexpr char kDrain[] = "/api/host/drain";
inline constexpr char kResume[] = "/api/host/resume";
std::string task_path(std::string_view task_id);          // /api/tasks/{id}
std::string touch_path(std::string_view task_id);         // …/touch
std::string extend_path(std::string_view task_id);        // …/extend
std::string why_path(std::string_view task_id);           // …/why
std::string usage_record_path(std::string_view task_id);  // …/usage-record

// The task object without `iframeUrl` and `events`, which only some answers carry.
Json task_to_json(const Task& task);
// Reads what task_to_json() wrote (unknown members are passed over, missing ones keep defaults).
// Throws Error(rejected) if it is no task object.
Task task_from_json(const Json& json);

// {seq, time, type, taskId, task}: a line of /api/events and a message of /api/live.
Json event_to_json(const Event& event);
// {seq, time, type, details}: a member of `events` in the single-task answer.
Json task_event_to_json(const Event& event);

struct StartRequest {
  std::optional<std::string> user_id;
  std::string service_type;
};
Json to_json(const StartRequest& request);
// Validates the whole body: all faults are reported in one Error(usage) with fields.
StartRequest start_request_from_json(const Json& body);

inline constexpr Millis kLongestExtension{366LL * 24 * 3600 * 1000};
struct ExtendRequest {
  Millis by{0};  // above 0
};
Json to_json(const ExtendRequest& request);
// As above.
ExtendRequest extend_request_from_json(const Json& body);

}  // namespace resmgr::wire

#endif  // RESMGR_COMMON_WIRE_H_
