#include "tests/support/task_rows.h"

#include <optional>

#include "common/time_format.h"

namespace resmgr::support {
namespace {

std::string time_or_nothing(const std::optional<Instant>& time) {
  return time ? format_rfc3339(*time) : "";
}

}  // namespace

bool has_row(const Task& task) { return task.start_time || task.status == TaskStatus::error; }

std::string row_of(const Task& task) {
  const bool active = is_active(task.status);
  const auto duration = task.duration();
  return task.task_id + "|" + task.user_id + "|" + task.service_type + "|" + task.container_id +
         "|" + (task.container_port == 0 ? "" : std::to_string(task.container_port)) + "|" +
         time_or_nothing(task.start_time) + "|" + time_or_nothing(task.stop_time) + "|" +
         (duration ? std::to_string(duration->count()) : "") + "|" +
         (active ? "Running" : std::string(to_string(task.status))) + "|" +
         std::string(to_string(task.status));
}

std::string rows_in(const PostgresServer& server, const std::string& database,
                    const std::string& schema, const std::string& more) {
  const std::string time = R"('YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')";
  return server.query("SELECT Id, UserId, ServiceType, ContainerId, Port, to_char(StartTime, " +
                          time + "), to_char(StopTime, " + time +
                          "), (extract(epoch FROM Duration) * 1000)::BIGINT, Status, Phase" + more +
                          " FROM \"" + schema + "\".tasks ORDER BY Id::TEXT COLLATE \"C\"",
                      database);
}

}  // namespace resmgr::support
