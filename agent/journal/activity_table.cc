#include "agent/journal/activity_table.h"

#include "agent/journal/columns.h"

namespace resmgr::journal {
namespace {

constexpr std::string_view kFind =
    "SELECT sampled_at, cpu_ms, peak_memory_bytes, network_rx_bytes, network_tx_bytes, idle_until,"
    " lifetime_until FROM task_activity WHERE task_id = ?1";

// Both in one statement: what ended meanwhile must not get another sample.
#define RESMGR_TASK_WITHOUT_END \
  " FROM tasks INDEXED BY tasks_by_id WHERE task_id = ?1 AND stop_time IS NULL"
constexpr std::string_view kWriteSample =
    "INSERT INTO task_activity (task_id, sampled_at, cpu_ms, peak_memory_bytes, network_rx_bytes,"
    " network_tx_bytes) SELECT task_id, ?2, ?3, ?4, ?5, ?6" RESMGR_TASK_WITHOUT_END
    " ON CONFLICT (task_id) DO UPDATE SET sampled_at = excluded.sampled_at,"
    " cpu_ms = max(cpu_ms, excluded.cpu_ms),"
    " peak_memory_bytes = max(peak_memory_bytes, excluded.peak_memory_bytes),"
    " network_rx_bytes = max(network_rx_bytes, excluded.network_rx_bytes),"
    " network_tx_bytes = max(network_tx_bytes, excluded.network_tx_bytes)";
constexpr std::string_view kWriteExtension =
    "INSERT INTO task_activity (task_id, idle_until, lifetime_until)"
    " SELECT task_id, ?2, ?3" RESMGR_TASK_WITHOUT_END
    " ON CONFLICT (task_id) DO UPDATE SET idle_until = excluded.idle_until,"
    " lifetime_until = excluded.lifetime_until";

std::optional<Instant> time_at(const Statement& row, int column) {
  if (row.is_null(column)) return std::nullopt;
  return instant_from_millis(row.integer(column));
}

}  // namespace

Activity find_activity(Database& database, std::string_view task_id) {
  Query found(database, kFind, task_id);
  Activity activity;
  if (!found->step()) return activity;
  if (const auto time = time_at(*found, 0)) {
    activity.sample = UsageSample{*time, found->integer(1), found->integer(2), found->integer(3),
                                  found->integer(4)};
  }
  activity.idle_until = time_at(*found, 5);
  activity.lifetime_until = time_at(*found, 6);
  return activity;
}

bool write_sample(Database& database, std::string_view task_id, const UsageSample& sample) {
  Query(database, kWriteSample, task_id, to_millis(sample.time), sample.cpu_ms,
        sample.peak_memory_bytes, sample.network_rx_bytes, sample.network_tx_bytes)
      .run();
  return database.changes() > 0;
}

bool write_extension(Database& database, std::string_view task_id, const Activity& activity) {
  Query(database, kWriteExtension, task_id, to_column(activity.idle_until),
        to_column(activity.lifetime_until))
      .run();
  return database.changes() > 0;
}

}  // namespace resmgr::journal
