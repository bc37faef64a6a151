#include "agent/journal/write_transaction.h"

#include <algorithm>

#include "agent/journal/activity_table.h"
#include "agent/journal/notes.h"
#include "agent/journal/task_list.h"
#include "common/error.h"
#include "common/json.h"
#include "common/wire.h"

namespace resmgr::journal {
namespace {

constexpr std::string_view kAddToCount =
    "UPDATE task_counts SET tasks = tasks + ?2 WHERE status = ?1";
constexpr std::string_view kAppend =
    "INSERT INTO events (time, type, task_id, user_id, details, task)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
constexpr std::string_view kActive =
    "SELECT task_id FROM tasks INDEXED BY tasks_active"
    " WHERE status IN ('Starting', 'Running', 'Stopping') AND task_id >= ''"
    " AND (?1 = '' OR service_type = ?1) ORDER BY task_id";
constexpr std::string_view kActiveOfUser =
    "SELECT task_id FROM tasks INDEXED BY tasks_active_of_user"
    " WHERE status IN ('Starting', 'Running', 'Stopping') AND user_id = ?2"
    " AND (?1 = '' OR service_type = ?1) ORDER BY task_id";
constexpr std::string_view kReserved =
    "SELECT sum(memory_bytes), sum(cpus) FROM tasks INDEXED BY tasks_active"
    " WHERE status IN ('Starting', 'Running', 'Stopping') AND task_id >= ''";
// The id says when at the earliest; where the clock stepped back it says too much.
constexpr std::string_view kAdmittedBetween =
    "SELECT task_id, created_at FROM tasks INDEXED BY tasks_of_user"
    " WHERE user_id = ?1 AND task_id >= ?2 AND created_at > ?3 AND created_at <= ?4"
    " ORDER BY task_id";
constexpr std::string_view kIdempotency =
    "SELECT body_hash, task_id, created_at FROM idempotency WHERE principal = ?1 AND key = ?2";
constexpr std::string_view kRemember =
    "INSERT INTO idempotency (principal, key, body_hash, task_id, created_at)"
    " VALUES (?1, ?2, ?3, ?4, ?5)";
constexpr std::string_view kForget = "DELETE FROM idempotency WHERE created_at < ?1";
constexpr std::string_view kPutUsage =
    "INSERT INTO usage_records (task_id, record, hash) VALUES (?1, ?2, ?3)";

constexpr std::string_view kPruneEvents = "DELETE FROM events WHERE seq <= ?1";
constexpr std::string_view kPruneTask = "DELETE FROM tasks WHERE rowid = ?1";
constexpr std::string_view kFindRemoved =
    "SELECT rowid, status FROM tasks INDEXED BY tasks_by_id"
    " WHERE task_id = ?1 AND phase = 'removed'";
// Never backwards.
constexpr std::string_view kRaiseMeta =
    "INSERT INTO meta (key, value) VALUES (?1, ?2)"
    " ON CONFLICT (key) DO UPDATE SET value = max(value, excluded.value)";

void check_details(std::string_view details) {
  if (details == "{}") return;
  const auto first = details.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos || details[first] != '{' || !Json::accept(details)) {
    throw Error(ErrorKind::internal, "cannot append event: its details are no JSON object");
  }
}

std::int64_t& count_of(std::array<std::int64_t, kTaskStatuses.size()>& counts, TaskStatus status) {
  return counts[static_cast<std::size_t>(status)];
}

[[noreturn]] void refuse(std::string_view verb, std::string_view thing, std::string_view value,
                         std::string_view cause) {
  std::string message = "cannot ";
  message.append(verb).append(" ").append(thing).append(" '").append(value).append("': ");
  throw Error(ErrorKind::conflict, message.append(cause));
}

}  // namespace

void WriteTransaction::begin() {
  kept_ = {};
  last_event_ = 0;
  pruned_to_ = 0;
}

void WriteTransaction::start_part() {
  part_ = {};
  part_event_ = 0;
  part_pruned_to_ = 0;
}

void WriteTransaction::keep_part() {
  for (std::size_t i = 0; i < kept_.size(); ++i) kept_[i] += part_[i];
  last_event_ = std::max(last_event_, part_event_);
  pruned_to_ = std::max(pruned_to_, part_pruned_to_);
}

void WriteTransaction::write_counts() {
  for (const TaskStatus status : kTaskStatuses) {
    const std::int64_t difference = count_of(kept_, status);
    if (difference != 0) Query(database_, kAddToCount, to_string(status), difference).run();
  }
}

std::optional<TaskRow> WriteTransaction::task(std::string_view task_id) {
  return find_task(database_, task_id);
}

void WriteTransaction::insert(TaskRow& row) {
  row.version = 1;
  batch_.write([&] {
    try {
      insert_task(database_, row);
    } catch (const DatabaseError& e) {
      if (!e.is_constraint()) throw;
      refuse("insert", "task", row.task.task_id, "it is there already");
    }
  });
  ++count_of(part_, row.task.status);
}

void WriteTransaction::update(TaskRow& row) {
  const auto stored = find_stored(database_, row);
  if (!stored) refuse("update", "task", row.task.task_id, "it is not in the journal");
  if (stored->version != row.version) {
    refuse("update", "task", row.task.task_id, "it changed since it was read");
  }
  ++row.version;
  batch_.write([&] { update_task(database_, stored->rowid, row); });
  --count_of(part_, stored->status);
  ++count_of(part_, row.task.status);
}

std::int64_t WriteTransaction::append(std::string_view type, const TaskRow& row, Instant time,
                                      std::string_view details) {
  check_details(details);
  const std::string task = dump_json(wire::task_to_json(row.task));
  batch_.write([&] {
    Query(database_, kAppend, to_millis(time), type, row.task.task_id, row.task.user_id, details,
          task)
        .run();
  });
  return part_event_ = database_.last_insert_rowid();
}

std::int64_t WriteTransaction::append(std::string_view type, Instant time,
                                      std::string_view details) {
  check_details(details);
  batch_.write([&] {
    Query(database_, kAppend, to_millis(time), type, nullptr, nullptr, details, nullptr).run();
  });
  return part_event_ = database_.last_insert_rowid();
}

std::vector<std::string> WriteTransaction::active(std::string_view user_id,
                                                  std::string_view service_type) {
  Query query(database_, user_id.empty() ? kActive : kActiveOfUser, service_type);
  if (!user_id.empty()) query->bind(2, user_id);
  std::vector<std::string> ids;
  while (query->step()) ids.emplace_back(query->text(0));
  return ids;
}

Reserved WriteTransaction::reserved() {
  Query query(database_, kReserved);
  query->step();
  return {query->integer(0), query->real(1)};
}

std::vector<AdmittedTask> WriteTransaction::admitted_between(std::string_view user_id, Instant from,
                                                             Instant to) {
  const std::string floor = id_floor(from);
  Query query(database_, kAdmittedBetween, user_id, floor, to_millis(from), to_millis(to));
  std::vector<AdmittedTask> tasks;
  while (query->step()) {
    tasks.push_back({std::string(query->text(0)), instant_from_millis(query->integer(1))});
  }
  return tasks;
}

std::optional<IdempotencyRecord> WriteTransaction::idempotency(std::string_view principal,
                                                               std::string_view key) {
  Query query(database_, kIdempotency, principal, key);
  if (!query->step()) return std::nullopt;
  return IdempotencyRecord{std::string(query->text(0)), std::string(query->text(1)),
                           instant_from_millis(query->integer(2))};
}

void WriteTransaction::remember(std::string_view principal, std::string_view key,
                                const IdempotencyRecord& record) {
  batch_.write([&] {
    try {
      Query(database_, kRemember, principal, key, record.body_hash, record.task_id,
            to_millis(record.created_at))
          .run();
    } catch (const DatabaseError& e) {
      if (!e.is_constraint()) throw;
      refuse("remember", "idempotency key", key, "it is there already, or its task is not");
    }
  });
}

void WriteTransaction::forget_before(Instant time) {
  batch_.write([&] { Query(database_, kForget, to_millis(time)).run(); });
}

void WriteTransaction::put_usage(std::string_view task_id, std::string_view record,
                                 std::string_view hash) {
  batch_.write([&] {
    try {
      Query(database_, kPutUsage, task_id, record, hash).run();
    } catch (const DatabaseError& e) {
      if (!e.is_constraint()) throw;
      refuse("record usage of", "task", task_id, "it is on record already");
    }
  });
}

void WriteTransaction::put_heartbeat(const Heartbeat& heartbeat) {
  batch_.write([&] { write_heartbeat(database_, heartbeat); });
}

Activity WriteTransaction::activity(std::string_view task_id) {
  return find_activity(database_, task_id);
}

bool WriteTransaction::put_sample(std::string_view task_id, const UsageSample& sample) {
  bool written = false;
  batch_.write([&] { written = write_sample(database_, task_id, sample); });
  return written;
}

bool WriteTransaction::put_extension(std::string_view task_id, const Activity& activity) {
  bool written = false;
  batch_.write([&] { written = write_extension(database_, task_id, activity); });
  return written;
}

std::optional<std::string> WriteTransaction::note(std::string_view name) {
  return find_note(database_, name);
}

void WriteTransaction::set_note(std::string_view name, std::string_view text) {
  batch_.write([&] { store_note(database_, name, text); });
}

void WriteTransaction::erase_note(std::string_view name) {
  batch_.write([&] { delete_note(database_, name); });
}

void WriteTransaction::prune_events(std::int64_t seq) {
  batch_.write([&] {
    Query(database_, kPruneEvents, seq).run();
    Query(database_, kRaiseMeta, kMetaPrunedTo, seq).run();
  });
  part_pruned_to_ = std::max(part_pruned_to_, seq);
}

bool WriteTransaction::prune_task(std::string_view task_id, Instant ended_before) {
  std::int64_t rowid = 0;
  std::optional<TaskStatus> status;
  {
    Query found(database_, kFindRemoved, task_id);
    if (!found->step()) return false;
    rowid = found->integer(0);
    status = task_status_from(found->text(1));
  }
  if (!status) throw DatabaseError::damaged();
  batch_.write([&] {
    Query(database_, kPruneTask, rowid).run();
    Query(database_, kRaiseMeta, kMetaTasksPruned, to_millis(ended_before)).run();
  });
  --count_of(part_, *status);
  return true;
}

}  // namespace resmgr::journal
