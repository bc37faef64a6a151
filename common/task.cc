#include "common/task.h"

#include <strings.h>

#include <algorithm>
#include <array>

namespace resmgr {
namespace {

constexpr std::array kStatuses = {TaskStatus::starting, TaskStatus::running, TaskStatus::stopping,
                                  TaskStatus::stopped, TaskStatus::error};

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace

std::string_view to_string(TaskStatus status) {
  switch (status) {
    case TaskStatus::starting:
      return "Starting";
    case TaskStatus::running:
      return "Running";
    case TaskStatus::stopping:
      return "Stopping";
    case TaskStatus::stopped:
      return "Stopped";
    case TaskStatus::error:
      return "Error";
  }
  return "Error";
}

std::optional<TaskStatus> task_status_from(std::string_view name) {
  for (const TaskStatus status : kStatuses) {
    if (equal_ignoring_case(to_string(status), name)) return status;
  }
  return std::nullopt;
}

std::string_view to_string(Precision precision) {
  return precision == Precision::exact ? "exact" : "bounded";
}

std::optional<Precision> precision_from(std::string_view name) {
  if (name == "exact") return Precision::exact;
  if (name == "bounded") return Precision::bounded;
  return std::nullopt;
}

std::optional<Millis> Task::duration() const {
  if (!start_time || !stop_time) return std::nullopt;
  return std::max(Millis{0}, *stop_time - *start_time);
}

}  // namespace resmgr
