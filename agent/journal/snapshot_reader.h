// Reader over one connection: a view of one moment while a transaction is open on it.
#ifndef RESMGR_AGENT_JOURNAL_SNAPSHOT_READER_H_
#define RESMGR_AGENT_JOURNAL_SNAPSHOT_READER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/journal/database.h"
#include "agent/journal/journal.h"

namespace resmgr::journal {

class SnapshotReader final : public Reader {
 public:
  explicit SnapshotReader(Database& database) : database_(database), cursors_(database) {}

  std::optional<TaskRow> task(std::string_view task_id) override;
  std::vector<TaskRow> tasks(const TaskFilter& filter, int limit, std::string_view before) override;
  std::vector<TaskRow> unsettled() override;
  std::vector<std::int64_t> counts() override;
  std::vector<Event> events_after(std::int64_t seq, int limit, std::string_view user_id) override;
  void visit_events(std::int64_t seq, int limit, Parts parts, const OnEvent& on_event) override;
  std::vector<Event> events_of(std::string_view task_id) override;
  std::vector<Event> history_of(std::string_view task_id) override;
  std::optional<std::string> usage_record(std::string_view task_id) override;
  std::optional<StoredUsage> usage_of(std::string_view task_id) override;
  std::vector<StoredUsage> usage_records(const UsageFilter& filter, int limit) override;
  std::optional<Event> replacement() override;
  CursorReader& cursors() override { return cursors_; }
  void usage(const UsageRange& filter, const OnUsage& on_usage) override;
  std::optional<Heartbeat> heartbeat() override;
  Activity activity(std::string_view task_id) override;
  std::optional<SlotRow> slot(std::string_view slot_id) override;
  std::vector<SlotRow> slots() override;
  std::optional<std::string> note(std::string_view name) override;
  Pruned pruned() override;
  std::vector<std::string> prunable_tasks(Instant ended_before, std::int64_t last_event,
                                          int limit) override;
  std::int64_t used_bytes() override;

 private:
  Database& database_;
  CursorReader cursors_;
};

}  // namespace resmgr::journal

#endif  // RESMGR_AGENT_JOURNAL_SNAPSHOT_READER_H_
