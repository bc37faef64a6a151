// The columns of `tasks` and the rows that they hold.
#ifndef RESMGR_AGENT_JOURNAL_TASK_TABLE_H_
#define RESMGR_AGENT_JOURNAL_TASK_TABLE_H_

#include <array>
#include <optional>
#include <string_view>

#include "agent/journal/database.h"
#include "agent/journal/task_row.h"

namespace resmgr::journal {

// The value of a key (the parameter), where there is one.
inline constexpr std::string_view kMeta = "SELECT value FROM meta WHERE key = ?1";
// Sets it.
inline constexpr std::string_view kSetMeta =
    "INSERT OR REPLACE INTO meta (key, value) VALUES (?1, ?2)";
// Keys of `meta`.
inline constexpr std::string_view kMetaJournalId = "journal_id";
inline constexpr std::string_view kMetaPrunedTo = "pruned_to";
inline constexpr std::string_view kMetaTasksPruned = "tasks_pruned_before";  // Unix milliseconds

// In the order of the REST contract, which is that of task_counts() too.
inline constexpr std::array kTaskStatuses = {TaskStatus::starting, TaskStatus::running,
                                             TaskStatus::stopping, TaskStatus::stopped,
                                             TaskStatus::error};

// What to select for read_task(). A macro, so that the texts of statements are constants.
#define RESMGR_TASK_COLUMNS                                                                     \
  "task_id, user_id, service_type, container_id, container_port, host, created_at, start_time," \
  " stop_time, status, status_reason, precision, usage_hash, exit_code, phase, version,"        \
  " ended_by, failure, spec_hash, memory_bytes, cpus, cpu_ms, peak_memory_bytes, slot_id,"      \
  " container_started_at, cpu_ms_before, network_rx_before, network_tx_before"

// The statement's present row. Throws Error(corrupt) if it holds a state that is not known.
TaskRow read_task(const Statement& row);

std::optional<TaskRow> find_task(Database& database, std::string_view task_id);
// Throws DatabaseError; is_constraint(): the task is there already.
void insert_task(Database& database, const TaskRow& row);

// What an update has to know of the row before.
struct StoredTask {
  std::int64_t rowid;
  std::int64_t version;
  TaskStatus status;
};
// Empty if there is no such task. Throws Error(internal) if `row` bears another user, service or
// admission time: the indexes over these, and what the events said of them, never change.
std::optional<StoredTask> find_stored(Database& database, const TaskRow& row);
void update_task(Database& database, std::int64_t rowid, const TaskRow& row);

}  // namespace resmgr::journal

#endif  // RESMGR_AGENT_JOURNAL_TASK_TABLE_H_
