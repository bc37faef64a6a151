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
#include <utility>

#include "agent/journal/reader.h"
#include "agent/journal/transaction.h"
#include "common/clock.h"

namespace resmgr::journal {

// What a transaction is for: it decides what is left to it when the disk is full.
enum class Purpose {
  normal,
  ending,  // records a stop or an end, and may use the space that is kept for these
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
