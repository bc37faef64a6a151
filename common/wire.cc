#include "common/wire.h"

#include <algorithm>
#include <initializer_list>
#include <utility>

#include "common/error.h"
#include "common/ids.h"
#include "common/time_format.h"

namespace resmgr::wire {
namespace {

constexpr std::size_t kLongestServiceType = 63;

Json text_or_null(const std::string& text) { return text.empty() ? Json() : Json(text); }

Json time_or_null(const std::optional<Instant>& time) {
  return time ? Json(format_rfc3339(*time)) : Json();
}

// The members of a task object as another program sent them. A member that is missing or null
// keeps its default; one of another type is an error.
class TaskReader {
 public:
  explicit TaskReader(const Json& json) : json_(json) {
    if (!json.is_object()) refuse("it is not an object");
  }

  std::string text(const char* name) const {
    const Json* const member = find(name);
    if (member == nullptr) return {};
    if (!member->is_string()) refuse(std::string(name) + " is not a string");
    return member->get<std::string>();
  }

  std::optional<int> integer(const char* name) const {
    if (find(name) == nullptr) return std::nullopt;
    constexpr std::int64_t kNone = INT64_MIN;
    const std::int64_t value = integer_or(json_, name, kNone);
    if (value < INT32_MIN || value > INT32_MAX) {
      refuse(std::string(name) + " is not a 32-bit integer");
    }
    return static_cast<int>(value);
  }

  std::optional<Instant> time(const char* name) const {
    const std::string value = text(name);
    if (value.empty()) return std::nullopt;
    const auto instant = parse_rfc3339(value);
    if (!instant) refuse(std::string(name) + " is not an RFC 3339 time");
    return instant;
  }

  [[noreturn]] static void refuse(const std::string& cause) {
    throw Error(ErrorKind::rejected, "cannot read task object: " + cause);
  }

 private:
  const Json* find(const char* name) const {
    const auto member = json_.find(name);
    return member == json_.end() || member->is_null() ? nullptr : &*member;
  }

  const Json& json_;
};

Json stored_json(const std::string& text, const Event& event) {
  try {
    return parse_json(text, "event");
  } catch (const Error& e) {
    throw Error(ErrorKind::corrupt,
                "cannot read event '" + std::to_string(event.seq) + "': " + e.message());
  }
}

// RFC 6901, section 3.
std::string pointer_to(std::string_view member) {
  std::string pointer = "/";
  for (const char c : member) {
    if (c == '~') {
      pointer += "~0";
    } else if (c == '/') {
      pointer += "~1";
    } else {
      pointer += c;
    }
  }
  return pointer;
}

std::size_t count_characters(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

void refuse_unknown(const Json& body, std::initializer_list<std::string_view> known,
                    std::vector<FieldError>& faults) {
  for (auto member = body.begin(); member != body.end(); ++member) {
    if (std::find(known.begin(), known.end(), member.key()) != known.end()) continue;
    faults.push_back({pointer_to(member.key()), "is not known here"});
  }
}

[[noreturn]] void refuse_request(std::vector<FieldError> faults) {
  std::string message = "cannot read request body: ";
  for (std::size_t i = 0; i < faults.size(); ++i) {
    if (i > 0) message += "; ";
    if (!faults[i].pointer.empty()) message += faults[i].pointer + " ";
    message += faults[i].detail;
  }
  Error error(ErrorKind::usage, std::move(message));
  error.problem = "invalid-request";
  error.fields = std::move(faults);
  throw error;
}

}  // namespace

std::string task_path(std::string_view task_id) {
  return std::string(kTasks) + "/" + std::string(task_id);
}

std::string touch_path(std::string_view task_id) { return task_path(task_id) + "/touch"; }
std::string extend_path(std::string_view task_id) { return task_path(task_id) + "/extend"; }
std::string why_path(std::string_view task_id) { return task_path(task_id) + "/why"; }
std::string usage_record_path(std::string_view task_id) {
  return task_path(task_id) + "/usage-record";
}

Json task_to_json(const Task& task) {
  const auto duration = task.duration();
  return {
      {"taskId", task.task_id},
      {"userId", task.user_id},
      {"serviceType", task.service_type},
      {"containerId", text_or_null(task.container_id)},
      {"containerPort", task.container_port == 0 ? Json() : Json(task.container_port)},
      {"host", task.host},
      {"createdAt", format_rfc3339(task.created_at)},
      {"startTime", time_or_null(task.start_time)},
      {"stopTime", time_or_null(task.stop_time)},
      {"duration", duration ? Json(format_iso8601_duration(*duration)) : Json()},
      {"durationSeconds",
       duration ? Json(static_cast<double>(duration->count()) / 1000.0) : Json()},
      {"status", to_string(task.status)},
      {"statusReason", text_or_null(task.status_reason)},
      {"precision", task.stop_time ? Json(to_string(task.precision)) : Json()},
      {"exitCode", task.exit_code ? Json(*task.exit_code) : Json()},
      {"usageHash", text_or_null(task.usage_hash)},
  };
}

Task task_from_json(const Json& json) {
  const TaskReader in(json);
  Task task;
  task.task_id = in.text("taskId");
  if (task.task_id.empty()) TaskReader::refuse("taskId is missing");
  task.user_id = in.text("userId");
  task.service_type = in.text("serviceType");
  task.container_id = in.text("containerId");
  task.container_port = in.integer("containerPort").value_or(0);
  task.host = in.text("host");
  task.created_at = in.time("createdAt").value_or(Instant{});
  task.start_time = in.time("startTime");
  task.stop_time = in.time("stopTime");
  const auto status = task_status_from(in.text("status"));
  if (!status) TaskReader::refuse("status is none that is known");
  task.status = *status;
  task.status_reason = in.text("statusReason");
  if (const std::string name = in.text("precision"); !name.empty()) {
    const auto precision = precision_from(name);
    if (!precision) TaskReader::refuse("precision is none that is known");
    task.precision = *precision;
  }
  task.usage_hash = in.text("usageHash");
  task.exit_code = in.integer("exitCode");
  return task;
}

Json event_to_json(const Event& event) {
  return {{"seq", event.seq},
          {"time", format_rfc3339(event.time)},
          {"type", event.type},
          {"taskId", text_or_null(event.task_id)},
          {"task", event.task.empty() ? Json() : stored_json(event.task, event)}};
}

Json task_event_to_json(const Event& event) {
  return {{"seq", event.seq},
          {"time", format_rfc3339(event.time)},
          {"type", event.type},
          {"details", event.details.empty() ? Json::object() : stored_json(event.details, event)}};
}

Json to_json(const StartRequest& request) {
  Json body = {{"serviceType", request.service_type}};
  if (request.user_id) body["userId"] = *request.user_id;
  return body;
}

StartRequest start_request_from_json(const Json& body) {
  if (!body.is_object()) refuse_request({{"", "must be an object"}});

  StartRequest request;
  std::vector<FieldError> faults;
  if (const auto member = body.find("serviceType"); member == body.end()) {
    faults.push_back({"/serviceType", "is required"});
  } else if (!member->is_string()) {
    faults.push_back({"/serviceType", "must be a string"});
  } else {
    request.service_type = member->get<std::string>();
    const std::size_t length = count_characters(request.service_type);
    if (length < 1 || length > kLongestServiceType) {
      faults.push_back({"/serviceType",
                        "must have 1 to " + std::to_string(kLongestServiceType) + " characters"});
    }
  }
  if (const auto member = body.find("userId"); member != body.end()) {
    if (member->is_string()) request.user_id = parse_uuid(member->get_ref<const std::string&>());
    if (!request.user_id) faults.push_back({"/userId", "must be a UUID"});
  }
  refuse_unknown(body, {"serviceType", "userId"}, faults);
  if (!faults.empty()) refuse_request(std::move(faults));
  return request;
}

Json to_json(const ExtendRequest& request) {
  return {{"by", std::to_string(request.by.count()) + "ms"}};
}

ExtendRequest extend_request_from_json(const Json& body) {
  if (!body.is_object()) refuse_request({{"", "must be an object"}});
  ExtendRequest request;
  std::vector<FieldError> faults;
  if (const auto member = body.find("by"); member == body.end()) {
    faults.push_back({"/by", "is required"});
  } else {
    const auto by = member->is_string() ? parse_duration(member->get_ref<const std::string&>())
                                        : std::optional<Millis>();
    request.by = by.value_or(Millis{0});
    if (request.by <= Millis{0} || request.by > kLongestExtension) {
      faults.push_back({"/by", "must be a duration above 0 and up to 366d, such as \"1h30m\""});
    }
  }
  refuse_unknown(body, {"by"}, faults);
  if (!faults.empty()) refuse_request(std::move(faults));
  return request;
}

}  // namespace resmgr::wire
