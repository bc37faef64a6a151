#include "tests/simulation/journal_invariants.h"

#include <map>
#include <utility>

#include "agent/journal/replay.h"
#include "common/crypto.h"
#include "common/json.h"

namespace resmgr::simulation {
namespace {

using journal::Phase;
using journal::TaskRow;

constexpr int kAll = 1'000'000;

class JournalJudge {
 public:
  JournalJudge(const journal::Journal& journal, bool earlier)
      : journal_(journal), earlier_(earlier) {}

  std::vector<std::string> judge() {
    faults_ = journal::compare_with_replay(journal_);
    for (const TaskRow& row : all_rows(journal_)) {
      const std::string& id = row.task.task_id;
      expect(row.phase == Phase::ready || row.phase == Phase::removed, id,
             "is left in phase " + std::string(to_string(row.phase)));
      judge_events(row);
      judge_usage(row);
    }
    return std::move(faults_);
  }

 private:
  void expect(bool holds, const std::string& id, const std::string& what) {
    if (!holds) faults_.push_back(id + ": " + what);
  }

  void judge_events(const TaskRow& row) {
    const std::string& id = row.task.task_id;
    std::map<std::string, int> count;
    journal_.read([&](journal::Reader& reader) {
      for (const auto& event : reader.events_of(id)) ++count[event.type];
    });
    const int ends = count["task.ended"] + count["task.failed"];
    const bool over = row.phase == Phase::removed;
    expect(ends == (over ? 1 : 0), id, "has " + std::to_string(ends) + " ends");
    expect(count["task.ready"] <= 1 && count["task.started"] <= 1 && count["task.removed"] <= 1, id,
           "an outcome is on record twice");
    expect(count["task.stop_requested"] == 0 || ends == 1, id, "a stop has no outcome");
    expect(count["task.start_requested"] == 1 || earlier_, id, "its admission is not there once");
    expect(over || count["task.ready"] == 1, id, "a start has no outcome");
    expect(!over || !row.task.start_time || count["task.removed"] == 1, id,
           "its removal is not on record");
  }

  void judge_usage(const TaskRow& row) {
    const std::string& id = row.task.task_id;
    const auto record =
        journal_.reading([&](journal::Reader& reader) { return reader.usage_record(id); });
    const bool ran_and_ended = row.phase == Phase::removed && row.task.start_time;
    expect(record.has_value() == ran_and_ended, id,
           record ? "has a usage record and should have none" : "has no usage record");
    if (!record || !ran_and_ended) return;
    expect(sha256_hex(*record) == row.task.usage_hash, id, "its hash is not its record's");
    const Json usage = Json::parse(*record);
    const auto duration = (*row.task.stop_time - *row.task.start_time).count();
    expect(duration >= 0 && usage.at("durationMs") == duration, id,
           "is billed for " + usage.at("durationMs").dump() + " ms");
  }

  const journal::Journal& journal_;
  const bool earlier_;
  std::vector<std::string> faults_;
};

}  // namespace

std::vector<std::string> broken_in_journal(const journal::Journal& journal, bool earlier) {
  return JournalJudge(journal, earlier).judge();
}

std::vector<TaskRow> all_rows(const journal::Journal& journal) {
  return journal.reading([](journal::Reader& reader) { return reader.tasks({}, kAll, ""); });
}

}  // namespace resmgr::simulation
