#include "cli/arguments.h"

#include <utility>

#include "cli/text.h"
#include "common/error.h"
#include "common/ids.h"
#include "common/time_format.h"

namespace resmgr::cli {
namespace {

[[noreturn]] void refuse(std::string_view option, std::string_view value, std::string_view cause,
                         std::string hint) {
  throw Error(
      ErrorKind::usage,
      "cannot use " + std::string(option) + " '" + printable(value) + "': " + std::string(cause),
      std::move(hint));
}

}  // namespace

std::vector<TaskStatus> active_statuses() {
  return {TaskStatus::starting, TaskStatus::running, TaskStatus::stopping};
}

Instant parse_since(std::string_view text, std::string_view option, Instant now) {
  if (const auto ago = parse_duration(text)) return now - *ago;
  if (const auto time = parse_rfc3339(text)) return *time;
  if (text.size() == 10) {
    if (const auto day = parse_rfc3339(std::string(text) + "T00:00:00Z")) return *day;
  }
  refuse(option, text, "it is neither a duration nor a time",
         "2h, 3d, 2026-11-22 or 2026-11-22T17:04:05Z");
}

Millis parse_length(std::string_view text, std::string_view option) {
  const auto length = parse_duration(text);
  if (!length || length->count() <= 0) {
    refuse(option, text, "it is no duration above zero", "30s, 5m or 1h30m");
  }
  return *length;
}

std::string parse_user(std::string_view text) {
  if (text.empty()) return {};
  const auto user = parse_uuid(text);
  if (!user) refuse("--user", text, "it is no UUID", "a user id as 'resmgr list' shows it");
  return *user;
}

std::vector<TaskStatus> parse_statuses(const std::vector<std::string>& names) {
  std::vector<TaskStatus> statuses;
  for (const std::string& name : names) {
    if (name == "active") {
      const auto active = active_statuses();
      statuses.insert(statuses.end(), active.begin(), active.end());
      continue;
    }
    const auto status = task_status_from(name);
    if (!status) {
      refuse("--status", name, "there is no such status",
             "Starting, Running, Stopping, Stopped, Error or active");
    }
    statuses.push_back(*status);
  }
  return statuses;
}

}  // namespace resmgr::cli
