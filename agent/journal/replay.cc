#include "agent/journal/replay.h"

#include <cstdint>

#include "agent/journal/task_table.h"
#include "common/json.h"
#include "common/wire.h"

namespace resmgr::journal {
namespace {

constexpr int kPage = 500;

using Differences = std::vector<std::string>;

void compare_row(Reader& reader, const TaskRow& row, const Pruned& pruned,
                 Differences& differences) {
  const std::string& id = row.task.task_id;
  const auto events = reader.events_of(id);
  if (events.empty()) {
    // All of them may have been pruned.
    if (pruned.events_to == 0) differences.push_back("task " + id + " has a row and no event");
    return;
  }
  const std::string stored = dump_json(wire::task_to_json(row.task));
  if (stored != events.back().task) {
    differences.push_back("task " + id + ": row " + stored + ", replay " + events.back().task);
  }
}

// Counts the rows by status on its way.
std::vector<std::int64_t> compare_rows(Reader& reader, const Pruned& pruned,
                                       Differences& differences) {
  std::vector<std::int64_t> counted(kTaskStatuses.size());
  std::string last;
  while (true) {
    const auto rows = reader.tasks({}, kPage, last);
    if (rows.empty()) return counted;
    last = rows.back().task.task_id;
    for (const TaskRow& row : rows) {
      compare_row(reader, row, pruned, differences);
      ++counted[static_cast<std::size_t>(row.task.status)];
    }
  }
}

// A task may be pruned before its events are, if these tell of an end that is old enough.
bool may_be_pruned(const Event& last, const Pruned& pruned) {
  const Task task = wire::task_from_json(parse_json(last.task, "event's task"));
  return !is_active(task.status) && task.stop_time.value_or(task.created_at) < pruned.tasks_before;
}

void find_orphans(Reader& reader, const Pruned& pruned, Differences& differences) {
  std::int64_t seq = 0;
  while (true) {
    const auto events = reader.events_after(seq, kPage, "");
    if (events.empty()) return;
    seq = events.back().seq;
    for (const Event& event : events) {
      if (event.task_id.empty() || reader.task(event.task_id)) continue;
      // Each task is judged once, by its last event.
      if (reader.events_of(event.task_id).back().seq != event.seq) continue;
      if (!may_be_pruned(event, pruned)) {
        differences.push_back("task " + event.task_id + " has events and no row");
      }
    }
  }
}

void compare_counts(const std::vector<std::int64_t>& counted,
                    const std::vector<std::int64_t>& stored, Differences& differences) {
  for (std::size_t i = 0; i < stored.size(); ++i) {
    if (counted[i] == stored[i]) continue;
    differences.push_back("count of " + std::string(to_string(static_cast<TaskStatus>(i))) + ": " +
                          std::to_string(counted[i]) + " rows, " + std::to_string(stored[i]) +
                          " counted");
  }
}

}  // namespace

std::vector<std::string> compare_with_replay(Reader& reader) {
  Differences differences;
  const Pruned pruned = reader.pruned();
  const auto counted = compare_rows(reader, pruned, differences);
  find_orphans(reader, pruned, differences);
  compare_counts(counted, reader.counts(), differences);
  return differences;
}

std::vector<std::string> compare_with_replay(const Journal& journal) {
  return journal.reading([](Reader& reader) { return compare_with_replay(reader); });
}

}  // namespace resmgr::journal
