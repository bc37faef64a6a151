#include "agent/journal/replay.h"

#include <cstdint>
#include <map>
#include <utility>

#include "common/json.h"
#include "common/wire.h"

namespace resmgr::journal {
namespace {

constexpr int kPage = 500;

using PublicRows = std::map<std::string, std::string>;  // task id -> JSON
using Differences = std::vector<std::string>;

PublicRows replay(Reader& reader) {
  PublicRows rows;
  std::int64_t seq = 0;
  for (;;) {
    auto events = reader.events_after(seq, kPage, "");
    if (events.empty()) return rows;
    seq = events.back().seq;
    for (Event& event : events) {
      if (!event.task_id.empty()) rows[event.task_id] = std::move(event.task);
    }
  }
}

void compare_row(const TaskRow& row, PublicRows& replayed, bool pruned, Differences& differences) {
  const std::string& id = row.task.task_id;
  const auto found = replayed.find(id);
  if (found == replayed.end()) {
    // All of its events may have been pruned.
    if (!pruned) differences.push_back("task " + id + " has a row and no event");
    return;
  }
  const std::string stored = dump_json(wire::task_to_json(row.task));
  if (stored != found->second) {
    differences.push_back("task " + id + ": row " + stored + ", replay " + found->second);
  }
  replayed.erase(found);
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

std::vector<std::string> compare_with_replay(const Journal& journal) {
  return journal.reading([&](Reader& reader) {
    Differences differences;
    PublicRows replayed = replay(reader);
    const auto stored_counts = reader.counts();
    std::vector<std::int64_t> counted(stored_counts.size());
    std::string last;
    for (;;) {
      const auto rows = reader.tasks({}, kPage, last);
      if (rows.empty()) break;
      last = rows.back().task.task_id;
      for (const TaskRow& row : rows) {
        compare_row(row, replayed, journal.pruned_to() > 0, differences);
        ++counted[static_cast<std::size_t>(row.task.status)];
      }
    }
    for (const auto& [id, row] : replayed) {
      differences.push_back("task " + id + " has events and no row");
    }
    compare_counts(counted, stored_counts, differences);
    return differences;
  });
}

}  // namespace resmgr::journal
