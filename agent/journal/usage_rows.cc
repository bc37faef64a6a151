#include "agent/journal/usage_rows.h"

#include <limits>

#include "agent/journal/task_list.h"
#include "agent/journal/task_table.h"
#include "common/error.h"
#include "common/json.h"
#include "common/time_format.h"

namespace resmgr::journal {
namespace {

// ?1: ids from here on are too young; ?2: what ended before is too old.
#define RESMGR_USAGE_OF_TASKS                                                            \
  "SELECT user_id, service_type, host, start_time, stop_time,"                           \
  " CASE WHEN stop_time IS NULL THEN coalesce(sampled.cpu_ms, 0) ELSE tasks.cpu_ms END," \
  " CASE WHEN stop_time IS NULL THEN coalesce(sampled.peak_memory_bytes, 0)"             \
  " ELSE tasks.peak_memory_bytes END"                                                    \
  " FROM tasks LEFT JOIN task_activity AS sampled"                                       \
  " ON stop_time IS NULL AND sampled.task_id = tasks.task_id"                            \
  " WHERE tasks.task_id < ?1 AND start_time IS NOT NULL"                                 \
  " AND (stop_time IS NULL OR stop_time >= ?2)"

constexpr std::string_view kUsage = RESMGR_USAGE_OF_TASKS;
constexpr std::string_view kUsageOfUser = RESMGR_USAGE_OF_TASKS " AND user_id = ?3";
constexpr std::string_view kUsageOfPruned =
    "SELECT record FROM usage_records WHERE task_id < ?1 AND NOT EXISTS"
    " (SELECT 1 FROM tasks WHERE tasks.task_id = usage_records.task_id)";

// Above every id.
constexpr std::string_view kAnyId = "~";

void give_tasks(Query& query, const OnUsage& on_usage) {
  while (query->step()) {
    UsageRow row;
    row.user_id = query->text(0);
    row.service_type = query->text(1);
    row.host = query->text(2);
    row.start = instant_from_millis(query->integer(3));
    if (!query->is_null(4)) row.stop = instant_from_millis(query->integer(4));
    row.cpu_ms = query->integer(5);
    row.peak_memory_bytes = query->integer(6);
    on_usage(row);
  }
}

void give_pruned(Database& database, const UsageRange& filter, std::string_view beyond,
                 const OnUsage& on_usage) {
  Query query(database, kUsageOfPruned, beyond);
  while (query->step()) {
    const Json record = parse_json(query->text(0), "usage record");
    const std::string user = string_or(record, "userId");
    if (!filter.user_id.empty() && user != filter.user_id) continue;
    const auto start = parse_rfc3339(string_or(record, "startTime"));
    const auto stop = parse_rfc3339(string_or(record, "stopTime"));
    if (!start || !stop) throw Error(ErrorKind::corrupt, "cannot read a usage record: no times");
    if (filter.from && *stop < *filter.from) continue;
    const std::string service = string_or(record, "serviceType");
    const std::string host = string_or(record, "host");
    on_usage({user, service, host, *start, *stop, integer_or(record, "cpuMs", 0),
              integer_or(record, "peakMemoryBytes", 0)});
  }
}

bool any_pruned(Database& database) {
  Query query(database, kMeta, kMetaTasksPruned);
  return query->step();
}

}  // namespace

void read_usage_rows(Database& database, const UsageRange& filter, const OnUsage& on_usage) {
  const std::string floor = filter.to ? id_floor(*filter.to) : std::string(kAnyId);
  const std::string_view beyond = floor;
  const std::int64_t least =
      filter.from ? to_millis(*filter.from) : std::numeric_limits<std::int64_t>::min();
  if (filter.user_id.empty()) {
    Query query(database, kUsage, beyond, least);
    give_tasks(query, on_usage);
  } else {
    Query query(database, kUsageOfUser, beyond, least, std::string_view(filter.user_id));
    give_tasks(query, on_usage);
  }
  if (any_pruned(database)) give_pruned(database, filter, beyond, on_usage);
}

}  // namespace resmgr::journal
