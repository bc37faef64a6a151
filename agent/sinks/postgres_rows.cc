#include "agent/sinks/postgres_rows.h"

#include <unordered_map>
#include <utility>

#include "common/error.h"
#include "common/json.h"

namespace resmgr::sinks {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";

std::optional<std::string> text_at(const Json& task, const char* name) {
  const auto member = task.find(name);
  if (member == task.end() || member->is_null()) return std::nullopt;
  return member->is_string() ? member->get<std::string>() : dump_json(*member);
}

// TIMESTAMP has no zone, and all are UTC.
std::optional<std::string> time_at(const Json& task, const char* name) {
  auto time = text_at(task, name);
  if (time && time->ends_with('Z')) time->pop_back();
  return time;
}

void append_element(std::string& array, std::string_view value) {
  array += '"';
  for (const char c : value) {
    if (c == '\0') {
      array += kReplacement;  // which no text of PostgreSQL can hold
      continue;
    }
    if (c == '"' || c == '\\') array += '\\';
    array += c;
  }
  array += '"';
}

Json task_of(const Message& message) {
  try {
    return parse_json(message.payload, "task");
  } catch (const Error& error) {
    throw Error(ErrorKind::corrupt,
                "cannot read event '" + std::to_string(message.seq) + "': " + error.message());
  }
}

}  // namespace

PostgresRows::PostgresRows(std::span<const Message> messages) {
  std::unordered_map<std::string_view, std::size_t> last;
  for (std::size_t i = 0; i < messages.size(); ++i) last[messages[i].task_id] = i;
  for (std::string& column : columns_) column = "{";
  for (std::size_t i = 0; i < messages.size(); ++i) {
    if (last[messages[i].task_id] == i) add(messages[i]);
  }
  for (std::string& column : columns_) column += "}";
}

void PostgresRows::add(const Message& message) {
  const Json task = task_of(message);
  const std::string phase = string_or(task, "status");
  const auto start_time = time_at(task, "startTime");
  const bool ended = phase == "Stopped" || phase == "Error";
  // A start that was called off before any container ran is none of the three.
  if (!start_time && phase != "Error") return;

  std::size_t column = 0;
  const auto next = [&](std::optional<std::string> value) { put(column++, std::move(value)); };
  next(text_at(task, "taskId"));
  next(text_at(task, "userId"));
  next(text_at(task, "serviceType"));
  next(text_at(task, "containerId"));
  next(text_at(task, "containerPort"));
  next(start_time);
  next(time_at(task, "stopTime"));
  next(text_at(task, "duration"));
  next(ended ? phase : "Running");
  next(phase);
  next(text_at(task, "statusReason"));
  next(text_at(task, "exitCode"));
  next(text_at(task, "precision"));
  next(text_at(task, "usageHash"));
  next(time_at(task, "createdAt"));
  next(text_at(task, "host"));
  next(std::to_string(message.seq));
  ++size_;
}

void PostgresRows::put(std::size_t column, const std::optional<std::string>& value) {
  std::string& array = columns_.at(column);
  if (size_ > 0) array += ',';
  if (value) {
    append_element(array, *value);
  } else {
    array += "NULL";
  }
}

}  // namespace resmgr::sinks
