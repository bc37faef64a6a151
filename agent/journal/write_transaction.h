// Transaction over the writing connection.
#ifndef RESMGR_AGENT_JOURNAL_WRITE_TRANSACTION_H_
#define RESMGR_AGENT_JOURNAL_WRITE_TRANSACTION_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/journal/batch.h"
#include "agent/journal/database.h"
#include "agent/journal/journal.h"
#include "agent/journal/slot_table.h"
#include "agent/journal/task_table.h"

namespace resmgr::journal {

class WriteTransaction final : public Transaction {
 public:
  WriteTransaction(Database& database, Batch& batch)
      : database_(database), batch_(batch), cursors_(database, batch) {}

  // Around each part of the batch, as Batch has it.
  void start_part();
  void keep_part();
  // Ahead of the commit: what the parts that were kept did to the counts of tasks.
  void write_counts();
  // Sequence number of the last event that a kept part appended since begin(); 0 = none did.
  std::int64_t last_event() const { return last_event_; }
  // Number up to which kept parts pruned events since begin(); 0 = none did.
  std::int64_t pruned_to() const { return pruned_to_; }
  void begin();

  std::optional<TaskRow> task(std::string_view task_id) override;
  void insert(TaskRow& row) override;
  void update(TaskRow& row) override;
  std::int64_t append(std::string_view type, const TaskRow& row, Instant time,
                      std::string_view details) override;
  std::int64_t append(std::string_view type, Instant time, std::string_view details) override;
  std::vector<std::string> active(std::string_view user_id, std::string_view service_type) override;
  Reserved reserved() override;
  std::vector<AdmittedTask> admitted_between(std::string_view user_id, Instant from,
                                             Instant to) override;
  std::optional<IdempotencyRecord> idempotency(std::string_view principal,
                                               std::string_view key) override;
  void remember(std::string_view principal, std::string_view key,
                const IdempotencyRecord& record) override;
  void forget_before(Instant time) override;
  void put_usage(std::string_view task_id, std::string_view record, std::string_view hash) override;
  CursorWriter& cursors() override { return cursors_; }
  void put_heartbeat(const Heartbeat& heartbeat) override;
  Activity activity(std::string_view task_id) override;
  bool put_sample(std::string_view task_id, const UsageSample& sample) override;
  bool put_extension(std::string_view task_id, const Activity& activity) override;
  std::optional<SlotRow> slot(std::string_view slot_id) override {
    return find_slot(database_, slot_id);
  }
  std::vector<SlotRow> slots() override { return list_slots(database_); }
  void insert_slot(SlotRow& row) override { journal::insert_slot(database_, batch_, row); }
  void update_slot(SlotRow& row) override { journal::update_slot(database_, batch_, row); }
  void erase_slot(const SlotRow& row) override { journal::erase_slot(database_, batch_, row); }
  std::optional<std::string> note(std::string_view name) override;
  void set_note(std::string_view name, std::string_view text) override;
  void erase_note(std::string_view name) override;
  void prune_events(std::int64_t seq) override;
  bool prune_task(std::string_view task_id, Instant ended_before) override;

 private:
  using Counts = std::array<std::int64_t, kTaskStatuses.size()>;

  Database& database_;
  Batch& batch_;
  CursorWriter cursors_;
  Counts kept_{};
  Counts part_{};
  std::int64_t last_event_ = 0;
  std::int64_t part_event_ = 0;
  std::int64_t pruned_to_ = 0;
  std::int64_t part_pruned_to_ = 0;
};

}  // namespace resmgr::journal

#endif  // RESMGR_AGENT_JOURNAL_WRITE_TRANSACTION_H_
