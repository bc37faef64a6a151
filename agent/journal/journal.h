// The journal: one SQLite file per host, the truth about the tasks on it.
//
// One writer at a time, and group commit: transact() calls that come together share one
// transaction and one fsync, each in a savepoint of its own. Readers have connections of their own
// and never wait for the writer (WAL). All of it is thread-safe.
//
// Errors: unavailable (disk full or read-only, locked by another agent), corrupt (the file is
// damaged, or its schema is newer than this program), internal.
#ifndef RESMGR_AGENT_JOURNAL_JOURNAL_H_
#define RESMGR_AGENT_JOURNAL_JOURNAL_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/journal/activity.h"
#include "agent/journal/cursors.h"
#include "agent/journal/heartbeat.h"
#include "agent/journal/task_row.h"
#include "agent/journal/usage_rows.h"
#include "common/clock.h"
#include "common/event.h"

namespace resmgr::journal {

struct TaskFilter {
  std::vector<TaskStatus> statuses;  // empty: any
  std::string user_id;               // empty: any
  std::string service_type;          // empty: any
  // Admitted at or after `from`, and before `to`, by the time in the task id: a UUIDv7 begins with
  // 48 bits of Unix milliseconds. It is later than created_at only where the clock stepped back.
  std::optional<Instant> from;
  std::optional<Instant> to;
  // The id begins or ends with it, as id_matches() has it (4 digits or more); empty: any.
  std::string id_part;
};

// How far the journal was pruned.
struct Pruned {
  std::int64_t events_to = 0;  // the first event that is kept has a greater number; 0 = none was
  Instant tasks_before{};      // tasks that ended before this may be gone
};

// What a transaction is for: it decides what is left to it when the disk is full.
enum class Purpose {
  normal,
  ending,  // records a stop or an end, and may use the space that is kept for these
};

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

// A task's usage record as it was hashed.
struct StoredUsage {
  std::int64_t number = 0;  // the later it was stored the greater; another one after a restore
  std::string task_id;
  std::string record;  // canonical bytes (RFC 8785)
  std::string hash;    // lower-case hex SHA-256 of them
};

struct UsageFilter {
  std::string user_id;  // empty: any; costs a look at each record
  // A sink: those that it has neither a receipt nor a dead letter of; empty: any.
  std::string unanswered_by;
  std::int64_t after = 0;  // StoredUsage::number
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

// A consistent view, on a connection of its own.
class Reader {
 public:
  virtual ~Reader() = default;

  virtual std::optional<TaskRow> task(std::string_view task_id) = 0;
  // Newest first. `before` is the task id after which the page begins (empty: the first page).
  virtual std::vector<TaskRow> tasks(const TaskFilter& filter, int limit,
                                     std::string_view before) = 0;
  // Every row whose phase is not `removed`, oldest first.
  virtual std::vector<TaskRow> unsettled() = 0;
  // How many tasks there are in each status, in the order of TaskStatus.
  virtual std::vector<std::int64_t> counts() = 0;

  // Events with a greater sequence number, in order; `user_id` not empty: only those of that
  // user's tasks.
  virtual std::vector<Event> events_after(std::int64_t seq, int limit,
                                          std::string_view user_id) = 0;
  // The same of everybody's, one by one, with no memory for each; ends where on_event returns
  // false. It may swap the event for another of its own, and does not use this reader.
  using OnEvent = std::function<bool(Event&)>;
  virtual void visit_events(std::int64_t seq, int limit, const OnEvent& on_event) = 0;
  virtual std::vector<Event> events_of(std::string_view task_id) = 0;
  // The same, of each its number, time, type and details alone.
  virtual std::vector<Event> history_of(std::string_view task_id) = 0;

  virtual std::optional<std::string> usage_record(std::string_view task_id) = 0;
  // Those of tasks that are pruned too. By number.
  virtual std::optional<StoredUsage> usage_of(std::string_view task_id) = 0;
  virtual std::vector<StoredUsage> usage_records(const UsageFilter& filter, int limit) = 0;
  // The last event by which the journal became another one (restored, rebuilt), if it is kept.
  virtual std::optional<Event> replacement() = 0;
  // As read_usage_rows().
  virtual void usage(const UsageRange& filter, const OnUsage& on_usage) = 0;

  // The sinks' part of it.
  virtual CursorReader& cursors() = 0;
  // Empty if there never was one.
  virtual std::optional<Heartbeat> heartbeat() = 0;
  // Empty members where nothing is known.
  virtual Activity activity(std::string_view task_id) = 0;
  // Transaction::note().
  virtual std::optional<std::string> note(std::string_view name) = 0;
  virtual Pruned pruned() = 0;
  // Tasks that ended before that time, of which nothing is left at the engine, and whose last event
  // has no greater number; oldest first.
  virtual std::vector<std::string> prunable_tasks(Instant ended_before, std::int64_t last_event,
                                                  int limit) = 0;
  // Bytes of the file that hold something; what was pruned is used again before the file grows.
  virtual std::int64_t used_bytes() = 0;
};

// Since the journal was opened.
struct JournalStatistics {
  std::int64_t commits = 0;       // that wrote, each one fsync
  std::int64_t transactions = 0;  // that wrote and were in these
};

struct JournalOptions {
  std::string file;
  Millis busy_timeout{5'000};
  // Disk space that is kept in <file>-ballast for stops and ends; 0 = none.
  std::int64_t ballast_bytes = 0;
};

class Journal {
 public:
  // Opens or makes the file (mode 0600), and migrates it. Throws Error(corrupt) also where the
  // replacing of the file by another one was cut off (install.h).
  explicit Journal(const JournalOptions& options);
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  // Runs `body` and returns once what it wrote is on disk. If `body` throws, what it wrote is
  // undone and the exception reaches the caller; others in the same commit are not touched. If the
  // common commit fails, every caller gets Error(unavailable) or, where the file is damaged,
  // Error(corrupt), and nothing was written; only if the disk failed to sync and the process dies
  // right after may it turn out to be there. `body` may run on another caller's thread, and once
  // only (an ending one again, after what it wrote was undone, where the disk was full); it must do
  // no I/O of its own and not call transact(), which would throw Error(internal).
  //
  // Once a full disk made an ending one use the kept space, normal ones are refused with
  // Error(unavailable) until that space is free again; they try that.
  void transact(Purpose purpose, const std::function<void(Transaction&)>& body);
  void transact(const std::function<void(Transaction&)>& body) { transact(Purpose::normal, body); }

  // Runs `body` with a reader of the pool.
  void read(const std::function<void(Reader&)>& body) const;
  // As above, returning what `body` returns.
  template <typename Fn>
  auto reading(Fn&& body) const {
    std::optional<decltype(body(std::declval<Reader&>()))> result;
    read([&](Reader& reader) { result.emplace(body(reader)); });
    return std::move(*result);
  }
  template <typename Fn>
  auto writing(Purpose purpose, Fn&& body) {
    std::optional<decltype(body(std::declval<Transaction&>()))> result;
    transact(purpose, [&](Transaction& transaction) { result.emplace(body(transaction)); });
    return std::move(*result);
  }
  template <typename Fn>
  auto writing(Fn&& body) {
    return writing(Purpose::normal, std::forward<Fn>(body));
  }

  // Random UUID of this journal; a restored one gets another. The reference lives as long as this.
  const std::string& id() const;
  // It was found to be a restored or replaced one: gives it another id. Thread-safe.
  void renew_id();
  // Sequence number of the last committed event; 0 = none.
  std::int64_t head() const;
  // The first event that is still kept has a greater number than this; 0 = none was pruned.
  std::int64_t pruned_to() const;

  // Waits until head() > seq, `timeout` has passed or the journal is closing; whether head() > seq.
  bool wait_beyond(std::int64_t seq, Millis timeout) const;
  // Calls `listener(head)` after each commit that appended, on the committing thread: it must be
  // quick, and may not call transact(). Returns a number for unsubscribe(), after which it is
  // called no more: that waits for a call that is under way, unless it is made by the listener
  // itself. So don't call it while holding a lock that the listener takes.
  int subscribe(std::function<void(std::int64_t head)> listener);
  void unsubscribe(int subscription);

  // Whether a normal transaction can be written: the last commit went well (tries one if none did
  // lately), and the kept space is not in use.
  bool writable();
  // Whether the kept space is in use, or could not be kept: what else can wait should not be
  // written to this disk.
  bool out_of_space() const;

  JournalStatistics statistics() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace resmgr::journal

#endif  // RESMGR_AGENT_JOURNAL_JOURNAL_H_
