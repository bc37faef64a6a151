// Tasks as records for programs and as rows for people.
#ifndef RESMGR_CLI_TASK_VIEW_H_
#define RESMGR_CLI_TASK_VIEW_H_

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "cli/records.h"
#include "common/json.h"
#include "common/task.h"

namespace resmgr::cli {

// The columns of TSV and CSV, named as in the task object. Scripts count them: new ones come after
// the last. What a task does not have (yet) is empty.
inline constexpr std::array<std::string_view, 13> kTaskColumns = {
    "taskId",      "status",    "serviceType", "userId",          "containerPort",
    "createdAt",   "startTime", "stopTime",    "durationSeconds", "host",
    "containerId", "exitCode",  "statusReason"};
std::vector<std::string> task_column_names();
std::vector<std::string> task_record(const Task& task);

// Seconds with three decimals: "62.500".
std::string format_seconds(Millis duration);

// How long it ran, or has run so far; empty if it never started.
std::string format_run_time(const Task& task, Instant now);

// In the time zone of the caller: "17:04:05" within the last 12 hours, else "2026-11-22 17:04".
std::string format_local_time(Instant time, Instant now);

Style status_style(TaskStatus status);

// Whose task it is, for people: the name or the e-mail address where the agent tells them, as it
// does to admins; else the id.
std::string user_text(const Json& task);

// Appends rows to a table made by task_table(). `user` is user_text().
Table task_table();
void add_task_row(Table& table, const Task& task, const std::string& user, Instant now);

}  // namespace resmgr::cli

#endif  // RESMGR_CLI_TASK_VIEW_H_
