// What writes the journal sees of it, and what they may change.
#ifndef RESMGR_AGENT_JOURNAL_TRANSACTION_H_
#define RESMGR_AGENT_JOURNAL_TRANSACTION_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/journal/activity.h"
#include "agent/journal/cursors.h"
#include "agent/journal/heartbeat.h"
#include "agent/journal/slot_row.h"
#include "agent/journal/task_row.h"
#include "common/clock.h"

namespace resmgr::journal {

// What an idempotency key stands for. The key belongs to the principal that sent it.
struct IdempotencyRecord {
  std::string body_hash;
  std::string task_id;
  Instant created_at{};
};

// What the tasks in Starting, Running or Stopping hold of the host: the limits of their containers,
// summed.
struct Reserved {
  std::int64_t memory_bytes = 0;
  double cpus = 0;
};

struct AdmittedTask {
  std::string task_id;
  Instant created_at{};
};

// The journal inside one transaction. It lives as long as the call it is handed to.
class Transaction {
 public:
  virtual ~Transaction() = default;

  virtual std::optional<TaskRow> task(std::string_view task_id) = 0;
  // `row.version` becomes 1. Throws Error(conflict) if the id is taken.
  virtual void insert(TaskRow& row) = 0;
  // `row.version` must be the stored one, and is then counted up; else throws Error(conflict): the
  // row changed since it was read. User, service and admission time never change.
  virtual void update(TaskRow& row) = 0;

  // Appends an event about a task; the task's public row after it is taken from `row`. `details`
  // is a JSON object as text, "{}" for none. Returns the sequence number.
  virtual std::int64_t append(std::string_view type, const TaskRow& row, Instant time,
                              std::string_view details) = 0;
  // … about no task.
  virtual std::int64_t append(std::string_view type, Instant time, std::string_view details) = 0;

  // Ids of the tasks in Starting, Running or Stopping, oldest first. An empty argument means any.
  virtual std::vector<std::string> active(std::string_view user_id,
                                          std::string_view service_type) = 0;
  // Costs a look at each active row.
  virtual Reserved reserved() = 0;
  // Tasks of that user, oldest first, that were admitted after `from` and not after `to`, whatever
  // became of them. Costs a look at each row whose id is of `from` or later: a recent `from` is
  // meant.
  virtual std::vector<AdmittedTask> admitted_between(std::string_view user_id, Instant from,
                                                     Instant to) = 0;

  virtual std::optional<IdempotencyRecord> idempotency(std::string_view principal,
                                                       std::string_view key) = 0;
  // The task must have been inserted; where it is pruned its keys go too. Throws Error(conflict) if
  // the key is known.
  virtual void remember(std::string_view principal, std::string_view key,
                        const IdempotencyRecord& record) = 0;
  // Forgets the keys that are older.
  virtual void forget_before(Instant time) = 0;

  // The canonical usage record of a task that ended; a second one throws Error(conflict).
  virtual void put_usage(std::string_view task_id, std::string_view record,
                         std::string_view hash) = 0;

  // The sinks' part of it.
  virtual CursorWriter& cursors() = 0;
  // Writes over the one that is there.
  virtual void put_heartbeat(const Heartbeat& heartbeat) = 0;
  // Empty members where nothing is known.
  virtual Activity activity(std::string_view task_id) = 0;
  // Beside the row, whose version they leave alone. Both return whether there is such a task and
  // its end is not on record; else nothing is written.
  // Of two samples the greater value of each counter stays.
  virtual bool put_sample(std::string_view task_id, const UsageSample& sample) = 0;
  // Replaces both limits.
  virtual bool put_extension(std::string_view task_id, const Activity& activity) = 0;
  // Warm containers; these append no events.
  virtual std::optional<SlotRow> slot(std::string_view slot_id) = 0;
  // Oldest first.
  virtual std::vector<SlotRow> slots() = 0;
  // As insert() and update() of a task. Service, definition and creation never change.
  virtual void insert_slot(SlotRow& row) = 0;
  virtual void update_slot(SlotRow& row) = 0;
  // Forgets it; throws Error(conflict) if it changed since `row` was read.
  virtual void erase_slot(const SlotRow& row) = 0;
  // What the agent has to remember beside tasks and events, by name; empty if there is none.
  virtual std::optional<std::string> note(std::string_view name) = 0;
  virtual void set_note(std::string_view name, std::string_view text) = 0;
  // One that is not there is no error.
  virtual void erase_note(std::string_view name) = 0;
  // Forgets the events up to this one.
  virtual void prune_events(std::int64_t seq) = 0;
  // Forgets a task of which nothing is left at the engine, with its keys, as one of those that
  // ended before that time; its events and its usage record stay. Whether there was such a task.
  virtual bool prune_task(std::string_view task_id, Instant ended_before) = 0;
};

}  // namespace resmgr::journal

#endif  // RESMGR_AGENT_JOURNAL_TRANSACTION_H_
