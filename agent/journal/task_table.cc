#include "agent/journal/task_table.h"

#include <string>

#include "agent/journal/columns.h"

namespace resmgr::journal {
namespace {

constexpr std::string_view kFind =
    "SELECT " RESMGR_TASK_COLUMNS " FROM tasks INDEXED BY tasks_by_id WHERE task_id = ?1";
constexpr std::string_view kFindStored =
    "SELECT rowid, version, status, user_id, service_type, created_at"
    " FROM tasks INDEXED BY tasks_by_id WHERE task_id = ?1";
constexpr std::string_view kInsert =
    "INSERT INTO tasks (" RESMGR_TASK_COLUMNS
    ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18,"
    " ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28)";
constexpr std::string_view kUpdate =
    "UPDATE tasks SET container_id = ?2, container_port = ?3, host = ?4, start_time = ?5,"
    " stop_time = ?6, status = ?7, status_reason = ?8, precision = ?9, usage_hash = ?10,"
    " exit_code = ?11, phase = ?12, version = ?13, ended_by = ?14, failure = ?15, spec_hash = ?16,"
    " memory_bytes = ?17, cpus = ?18, cpu_ms = ?19, peak_memory_bytes = ?20, slot_id = ?21,"
    " container_started_at = ?22, cpu_ms_before = ?23, network_rx_before = ?24,"
    " network_tx_before = ?25 WHERE rowid = ?1";

}  // namespace

TaskRow read_task(const Statement& row) {
  Columns in(row);
  TaskRow result;
  Task& task = result.task;
  task.task_id = in.text();
  task.user_id = in.text();
  task.service_type = in.text();
  task.container_id = in.text();
  task.container_port = static_cast<int>(in.integer());
  task.host = in.text();
  task.created_at = in.time();
  task.start_time = in.optional_time();
  task.stop_time = in.optional_time();
  task.status = in.named(&task_status_from);
  task.status_reason = in.text();
  task.precision = in.named(&precision_from);
  task.usage_hash = in.text();
  if (const auto code = in.optional_integer()) task.exit_code = static_cast<int>(*code);
  result.phase = in.named(&phase_from);
  result.version = in.integer();
  result.ended_by = in.text();
  result.failure = in.text();
  result.spec_hash = in.text();
  result.memory_bytes = in.integer();
  result.cpus = in.real();
  result.cpu_ms = in.integer();
  result.peak_memory_bytes = in.integer();
  result.warm.slot_id = in.text();
  result.warm.container_started_at = in.optional_time();
  result.warm.cpu_ms = in.integer();
  result.warm.network_rx_bytes = in.integer();
  result.warm.network_tx_bytes = in.integer();
  return result;
}

std::optional<TaskRow> find_task(Database& database, std::string_view task_id) {
  Query found(database, kFind, task_id);
  if (!found->step()) return std::nullopt;
  return read_task(*found);
}

void insert_task(Database& database, const TaskRow& row) {
  const Task& task = row.task;
  Query(database, kInsert, task.task_id, task.user_id, task.service_type, task.container_id,
        task.container_port, task.host, to_millis(task.created_at), to_column(task.start_time),
        to_column(task.stop_time), to_string(task.status), task.status_reason,
        to_string(task.precision), task.usage_hash, task.exit_code, to_string(row.phase),
        row.version, row.ended_by, row.failure, row.spec_hash, row.memory_bytes, row.cpus,
        row.cpu_ms, row.peak_memory_bytes, row.warm.slot_id,
        to_column(row.warm.container_started_at), row.warm.cpu_ms, row.warm.network_rx_bytes,
        row.warm.network_tx_bytes)
      .run();
}

std::optional<StoredTask> find_stored(Database& database, const TaskRow& row) {
  const Task& task = row.task;
  Query found(database, kFindStored, task.task_id);
  if (!found->step()) return std::nullopt;
  const auto status = task_status_from(found->text(2));
  if (!status) throw DatabaseError::damaged();
  if (found->text(3) != task.user_id || found->text(4) != task.service_type ||
      found->integer(5) != to_millis(task.created_at)) {
    throw Error(ErrorKind::internal, "cannot update task '" + task.task_id +
                                         "': its user, service and admission never change");
  }
  return StoredTask{found->integer(0), found->integer(1), *status};
}

void update_task(Database& database, std::int64_t rowid, const TaskRow& row) {
  const Task& task = row.task;
  Query(database, kUpdate, rowid, task.container_id, task.container_port, task.host,
        to_column(task.start_time), to_column(task.stop_time), to_string(task.status),
        task.status_reason, to_string(task.precision), task.usage_hash, task.exit_code,
        to_string(row.phase), row.version, row.ended_by, row.failure, row.spec_hash,
        row.memory_bytes, row.cpus, row.cpu_ms, row.peak_memory_bytes, row.warm.slot_id,
        to_column(row.warm.container_started_at), row.warm.cpu_ms, row.warm.network_rx_bytes,
        row.warm.network_tx_bytes)
      .run();
}

}  // namespace resmgr::journal
