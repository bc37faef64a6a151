#include "cli/task_view.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>

#include "common/ids.h"
#include "common/time_format.h"

namespace resmgr::cli {
namespace {

std::string time_or_empty(const std::optional<Instant>& time) {
  return time ? format_rfc3339(*time) : std::string();
}

}  // namespace

std::vector<std::string> task_column_names() { return {kTaskColumns.begin(), kTaskColumns.end()}; }

std::vector<std::string> task_record(const Task& task) {
  const auto duration = task.duration();
  return {task.task_id,
          std::string(to_string(task.status)),
          task.service_type,
          task.user_id,
          task.container_port == 0 ? "" : std::to_string(task.container_port),
          task.created_at == Instant{} ? "" : format_rfc3339(task.created_at),
          time_or_empty(task.start_time),
          time_or_empty(task.stop_time),
          duration ? format_seconds(*duration) : "",
          task.host,
          task.container_id,
          task.exit_code ? std::to_string(*task.exit_code) : "",
          task.status_reason};
}

std::string format_seconds(Millis duration) {
  const long long millis = std::max<long long>(0, duration.count());
  std::array<char, 32> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%lld.%03lld", millis / 1000, millis % 1000);
  return buffer.data();
}

std::string format_run_time(const Task& task, Instant now) {
  if (const auto duration = task.duration()) return format_duration(*duration);
  if (!task.start_time || !is_active(task.status)) return {};
  // Whole seconds: it goes on while one looks. The agent's clock may be ahead of ours.
  const auto so_far = std::chrono::floor<std::chrono::seconds>(now - *task.start_time);
  const auto seconds = std::max(so_far, std::chrono::seconds(0));
  return seconds.count() == 0 ? "0s" : format_duration(seconds);
}

std::string format_local_time(Instant time, Instant now) {
  const std::time_t seconds = to_millis(time) / 1000;
  std::tm local{};
  if (localtime_r(&seconds, &local) == nullptr) return format_rfc3339(time);
  const bool recent = now - time < std::chrono::hours(12) && time - now < std::chrono::hours(12);
  std::array<char, 32> buffer{};
  std::strftime(buffer.data(), buffer.size(), recent ? "%H:%M:%S" : "%Y-%m-%d %H:%M", &local);
  return buffer.data();
}

Style status_style(TaskStatus status) {
  switch (status) {
    case TaskStatus::running:
      return Style::good;
    case TaskStatus::starting:
    case TaskStatus::stopping:
      return Style::busy;
    case TaskStatus::error:
      return Style::bad;
    case TaskStatus::stopped:
      return Style::faint;
  }
  return Style::plain;
}

std::string user_text(const Json& task) {
  const Json& user = object_at(task, "user");
  for (const char* const member : {"fullName", "email"}) {
    if (std::string text = string_or(user, member); !text.empty()) return text;
  }
  return string_or(task, "userId");
}

Table task_table() {
  return Table({{"TASK"},
                {"STATUS"},
                {"SERVICE", false, 8},
                {"USER", false, 9},
                {"PORT", true},
                {"STARTED"},
                {"TIME", true},
                {"REASON", false, 12}});
}

void add_task_row(Table& table, const Task& task, const std::string& user, Instant now) {
  table.add_row({{std::string(short_id(task.task_id))},
                 {std::string(to_string(task.status)), status_style(task.status)},
                 {task.service_type},
                 {user},
                 {task.container_port == 0 ? "" : std::to_string(task.container_port)},
                 {task.start_time ? format_local_time(*task.start_time, now) : ""},
                 {format_run_time(task, now)},
                 {task.status_reason}});
}

}  // namespace resmgr::cli
