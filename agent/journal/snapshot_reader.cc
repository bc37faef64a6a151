#include "agent/journal/snapshot_reader.h"

#include "agent/journal/activity_table.h"
#include "agent/journal/notes.h"
#include "agent/journal/slot_table.h"
#include "agent/journal/task_list.h"
#include "agent/journal/task_table.h"

namespace resmgr::journal {
namespace {

#define RESMGR_EVENT_COLUMNS "seq, time, type, task_id, user_id, details, task"

// A lower bound, so that the walk begins at the index's first entry and is no scan of it.
constexpr std::string_view kUnsettled =
    "SELECT " RESMGR_TASK_COLUMNS
    " FROM tasks INDEXED BY tasks_unsettled"
    " WHERE phase <> 'removed' AND task_id >= '' ORDER BY task_id";
constexpr std::string_view kCount = "SELECT tasks FROM task_counts WHERE status = ?1";
constexpr std::string_view kEventsAfter =
    "SELECT " RESMGR_EVENT_COLUMNS " FROM events WHERE seq > ?1 ORDER BY seq LIMIT ?2";
constexpr std::string_view kEventsAfterInPart =
    "SELECT seq, time, type, task_id, task FROM events WHERE seq > ?1 ORDER BY seq LIMIT ?2";
constexpr std::string_view kEventsOfUserAfter =
    "SELECT " RESMGR_EVENT_COLUMNS
    " FROM events INDEXED BY events_of_user"
    " WHERE user_id = ?3 AND seq > ?1 ORDER BY seq LIMIT ?2";
constexpr std::string_view kEventsOfTask =
    "SELECT " RESMGR_EVENT_COLUMNS
    " FROM events INDEXED BY events_of_task WHERE task_id = ?1 ORDER BY seq";
constexpr std::string_view kHistoryOfTask =
    "SELECT seq, time, type, details"
    " FROM events INDEXED BY events_of_task WHERE task_id = ?1 ORDER BY seq";
constexpr std::string_view kUsageRecord = "SELECT record FROM usage_records WHERE task_id = ?1";
#define RESMGR_USAGE_COLUMNS "rowid, task_id, record, hash"
constexpr std::string_view kUsageOf =
    "SELECT " RESMGR_USAGE_COLUMNS " FROM usage_records WHERE task_id = ?1";
constexpr std::string_view kUsageRecords =
    "SELECT " RESMGR_USAGE_COLUMNS
    " FROM usage_records AS usage WHERE rowid > ?1"
    " AND (?2 = '' OR json_extract(record, '$.userId') = ?2)"
    " AND (?3 = '' OR NOT ("
    "EXISTS (SELECT 1 FROM receipts WHERE receipts.task_id = usage.task_id AND sink = ?3) OR "
    "EXISTS (SELECT 1 FROM dead_letters INDEXED BY dead_letters_of_task"
    " WHERE dead_letters.task_id = usage.task_id AND dead_letters.task_id <> '' AND sink = ?3)))"
    " ORDER BY rowid LIMIT ?4";
// Whichever came last.
constexpr std::string_view kReplacement =
    "SELECT " RESMGR_EVENT_COLUMNS
    " FROM events WHERE seq = (SELECT max(seq) FROM events INDEXED BY events_of_journal"
    " WHERE task_id IS NULL AND type IN ('journal.restored', 'journal.rebuilt'))";
// Ids begin with the time of admission, and a task ends after it: the walk ends where the younger
// ones begin. (Where the clock stepped back in between, it is pruned a little later.)
constexpr std::string_view kPrunable =
    "SELECT task_id FROM tasks INDEXED BY tasks_by_id"
    " WHERE task_id < ?1 AND phase = 'removed' AND coalesce(stop_time, created_at) < ?2"
    " AND NOT EXISTS (SELECT 1 FROM events INDEXED BY events_of_task"
    " WHERE events.task_id = tasks.task_id AND seq > ?3)"
    " ORDER BY task_id LIMIT ?4";
constexpr std::string_view kUsedBytes =
    "SELECT (page_count - freelist_count) * page_size"
    " FROM pragma_page_count, pragma_freelist_count, pragma_page_size";

// Of an Event or an EventView.
template <typename Read>
void read_event(const Statement& row, Read& event) {
  event.seq = row.integer(0);
  event.time = instant_from_millis(row.integer(1));
  event.type = row.text(2);
  event.task_id = row.text(3);
  event.user_id = row.text(4);
  event.details = row.text(5);
  event.task = row.text(6);
}

std::vector<Event> read_events(Query& query) {
  std::vector<Event> events;
  while (query->step()) read_event(*query, events.emplace_back());
  return events;
}

StoredUsage read_usage(const Statement& row) {
  return {row.integer(0), std::string(row.text(1)), std::string(row.text(2)),
          std::string(row.text(3))};
}

}  // namespace

std::optional<TaskRow> SnapshotReader::task(std::string_view task_id) {
  return find_task(database_, task_id);
}

std::vector<TaskRow> SnapshotReader::tasks(const TaskFilter& filter, int limit,
                                           std::string_view before) {
  return list_tasks(database_, filter, limit, before);
}

std::vector<TaskRow> SnapshotReader::unsettled() {
  std::vector<TaskRow> rows;
  Query query(database_, kUnsettled);
  while (query->step()) rows.push_back(read_task(*query));
  return rows;
}

std::vector<std::int64_t> SnapshotReader::counts() {
  std::vector<std::int64_t> counts;
  for (const TaskStatus status : kTaskStatuses) {
    Query query(database_, kCount, to_string(status));
    if (!query->step()) throw DatabaseError::damaged();
    counts.push_back(query->integer(0));
  }
  return counts;
}

std::vector<Event> SnapshotReader::events_after(std::int64_t seq, int limit,
                                                std::string_view user_id) {
  if (limit <= 0) return {};
  if (user_id.empty()) {
    Query query(database_, kEventsAfter, seq, limit);
    return read_events(query);
  }
  Query query(database_, kEventsOfUserAfter, seq, limit, user_id);
  return read_events(query);
}

void SnapshotReader::visit_events(std::int64_t seq, int limit, Parts parts,
                                  const OnEvent& on_event) {
  if (limit <= 0) return;
  const bool all = parts == Parts::all;
  Query query(database_, all ? kEventsAfter : kEventsAfterInPart, seq, limit);
  EventView event;
  while (query->step()) {
    if (all) {
      read_event(*query, event);
    } else {
      event.seq = query->integer(0);
      event.time = instant_from_millis(query->integer(1));
      event.type = query->text(2);
      event.task_id = query->text(3);
      event.task = query->text(4);
    }
    if (!on_event(event)) return;
  }
}

std::vector<Event> SnapshotReader::events_of(std::string_view task_id) {
  Query query(database_, kEventsOfTask, task_id);
  return read_events(query);
}

std::vector<Event> SnapshotReader::history_of(std::string_view task_id) {
  Query query(database_, kHistoryOfTask, task_id);
  std::vector<Event> events;
  constexpr std::size_t kUsual = 8;
  events.reserve(kUsual);
  while (query->step()) {
    Event& event = events.emplace_back();
    event.seq = query->integer(0);
    event.time = instant_from_millis(query->integer(1));
    event.type = query->text(2);
    event.details = query->text(3);
  }
  return events;
}

std::optional<std::string> SnapshotReader::usage_record(std::string_view task_id) {
  Query query(database_, kUsageRecord, task_id);
  if (!query->step()) return std::nullopt;
  return std::string(query->text(0));
}

std::optional<StoredUsage> SnapshotReader::usage_of(std::string_view task_id) {
  Query query(database_, kUsageOf, task_id);
  if (!query->step()) return std::nullopt;
  return read_usage(*query);
}

std::vector<StoredUsage> SnapshotReader::usage_records(const UsageFilter& filter, int limit) {
  if (limit <= 0) return {};
  std::vector<StoredUsage> records;
  Query query(database_, kUsageRecords, filter.after, filter.user_id, filter.unanswered_by, limit);
  while (query->step()) records.push_back(read_usage(*query));
  return records;
}

std::optional<Event> SnapshotReader::replacement() {
  Query query(database_, kReplacement);
  auto events = read_events(query);
  if (events.empty()) return std::nullopt;
  return std::move(events.front());
}

void SnapshotReader::usage(const UsageRange& filter, const OnUsage& on_usage) {
  read_usage_rows(database_, filter, on_usage);
}

std::optional<Heartbeat> SnapshotReader::heartbeat() { return read_heartbeat(database_); }
Activity SnapshotReader::activity(std::string_view task_id) {
  return find_activity(database_, task_id);
}

std::optional<SlotRow> SnapshotReader::slot(std::string_view slot_id) {
  return find_slot(database_, slot_id);
}

std::vector<SlotRow> SnapshotReader::slots() { return list_slots(database_); }

std::optional<std::string> SnapshotReader::note(std::string_view name) {
  return find_note(database_, name);
}

Pruned SnapshotReader::pruned() {
  const auto meta = [this](std::string_view key) -> std::int64_t {
    Query query(database_, kMeta, key);
    return query->step() ? query->integer(0) : 0;
  };
  return {meta(kMetaPrunedTo), instant_from_millis(meta(kMetaTasksPruned))};
}

std::vector<std::string> SnapshotReader::prunable_tasks(Instant ended_before,
                                                        std::int64_t last_event, int limit) {
  const std::string beyond = id_floor(ended_before);
  Query query(database_, kPrunable, std::string_view{beyond}, to_millis(ended_before), last_event,
              limit);
  std::vector<std::string> ids;
  while (query->step()) ids.emplace_back(query->text(0));
  return ids;
}

std::int64_t SnapshotReader::used_bytes() {
  Query query(database_, kUsedBytes);
  if (!query->step()) throw DatabaseError::damaged();
  return query->integer(0);
}

}  // namespace resmgr::journal
