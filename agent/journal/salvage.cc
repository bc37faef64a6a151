#include "agent/journal/salvage.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>

#include "agent/journal/database.h"
#include "agent/journal/task_table.h"
#include "common/crypto.h"
#include "common/error.h"
#include "common/event.h"
#include "common/ids.h"
#include "common/json.h"
#include "common/time_format.h"

namespace resmgr::journal {
namespace {

constexpr std::size_t kPerTransaction = 200;

// A walk ends where a damaged page is met; the other one comes from the other side.
constexpr std::string_view kForwards =
    "SELECT rowid, task_id, record, hash FROM usage_records WHERE rowid > ?1 ORDER BY rowid";
constexpr std::string_view kBackwards =
    "SELECT rowid, task_id, record, hash FROM usage_records WHERE rowid > ?1 ORDER BY rowid DESC";

// The row as far as the record tells it.
std::optional<TaskRow> row_of(const Json& record) {
  const auto id = parse_uuid(string_or(record, "taskId"));
  const auto start = parse_rfc3339(string_or(record, "startTime"));
  const auto stop = parse_rfc3339(string_or(record, "stopTime"));
  if (!id || !start || !stop) return std::nullopt;
  TaskRow row;
  row.task.task_id = *id;
  row.task.user_id = string_or(record, "userId");
  row.task.service_type = string_or(record, "serviceType");
  row.task.container_id = string_or(record, "containerId");
  row.task.host = string_or(record, "host");
  row.task.created_at = *start;
  row.task.start_time = start;
  row.task.stop_time = stop;
  row.task.status = TaskStatus::stopped;
  row.task.status_reason = "ended; the rest was lost with a damaged journal";
  row.task.precision = precision_from(string_or(record, "precision")).value_or(Precision::bounded);
  row.task.exit_code = static_cast<int>(integer_or(record, "exitCode", -1));
  row.phase = Phase::ended;
  row.ended_by = string_or(record, "endedBy");
  row.cpu_ms = integer_or(record, "cpuMs", 0);
  row.peak_memory_bytes = integer_or(record, "peakMemoryBytes", 0);
  return row;
}

std::optional<TaskRow> stored_row(Database& database, const std::string& task_id,
                                  const std::string& hash) {
  try {
    auto row = find_task(database, task_id);
    if (row && row->task.usage_hash == hash && !is_active(row->task.status)) return row;
  } catch (const Error&) {
    // It lies on a damaged page.
  }
  return std::nullopt;
}

void take(Database& database, const Statement& found, std::vector<Salvaged>& salvaged) {
  Salvaged one;
  const std::string task_id(found.text(1));
  one.record = found.text(2);
  one.hash = found.text(3);
  const Json record = Json::parse(one.record, nullptr, false);
  if (sha256_hex(one.record) != one.hash || !record.is_object()) return;
  auto row = row_of(record);
  if (!row || row->task.task_id != task_id) return;
  row->task.usage_hash = one.hash;
  one.row = stored_row(database, task_id, one.hash).value_or(std::move(*row));
  salvaged.push_back(std::move(one));
}

// `last` becomes the number of the last row that was read; false: it came to a damaged page.
bool walk(Database& database, std::string_view sql, std::int64_t& last,
          std::vector<Salvaged>& salvaged) {
  try {
    Query query(database, sql, last);
    while (query->step()) {
      take(database, *query, salvaged);
      last = query->integer(0);
    }
    return true;
  } catch (const DatabaseError&) {
    return false;
  }
}

}  // namespace

std::vector<Salvaged> salvage(const std::string& file) {
  std::vector<Salvaged> salvaged;
  try {
    Database database(file, {.access = Database::Access::read_only});
    std::int64_t last = std::numeric_limits<std::int64_t>::min();
    if (walk(database, kForwards, last, salvaged)) return salvaged;
    walk(database, kBackwards, last, salvaged);
  } catch (const Error&) {
    // Nothing of it can be read.
  }
  return salvaged;
}

int put_salvaged(Journal& journal, std::vector<Salvaged> salvaged, Instant now) {
  int put = 0;
  for (std::size_t begin = 0; begin < salvaged.size(); begin += kPerTransaction) {
    const std::size_t end = std::min(begin + kPerTransaction, salvaged.size());
    journal.transact([&](Transaction& transaction) {
      for (std::size_t i = begin; i < end; ++i) {
        Salvaged& one = salvaged[i];
        if (transaction.task(one.row.task.task_id)) continue;  // both walks met it
        transaction.insert(one.row);
        transaction.put_usage(one.row.task.task_id, one.record, one.hash);
        transaction.append(event_type::kEnded, one.row, now, dump_json({{"salvaged", true}}));
        ++put;
      }
    });
  }
  return put;
}

}  // namespace resmgr::journal
