// The one connection that writes, and what it commits for a group of requests.
#ifndef RESMGR_AGENT_JOURNAL_WRITER_H_
#define RESMGR_AGENT_JOURNAL_WRITER_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "agent/journal/batch.h"
#include "agent/journal/database.h"
#include "agent/journal/group_commit.h"
#include "agent/journal/write_transaction.h"

namespace resmgr::journal {

// For one thread at a time.
class Writer {
 public:
  // Opens or makes the file, migrates it and gives a new journal its id.
  Writer(const std::string& file, Millis busy_timeout);

  struct Outcome {
    bool committed = false;
    int written = 0;                         // requests that wrote
    std::int64_t last_event = 0;             // 0 = none was appended
    std::int64_t pruned_to = 0;              // 0 = nothing was pruned
    std::optional<DatabaseError> failure{};  // if it is not committed
  };
  // Runs the requests in one transaction. Each whose body threw gets that exception; if the commit
  // fails, all others get that error.
  Outcome commit(std::span<GroupCommit::Request* const> requests);

  // Moves the log into the file when it has grown enough to be worth it.
  void tend_log();
  // As part of a request: writes a row that means nothing, to see whether that is possible.
  void probe();

  // As part of a request.
  void set_meta_text(std::string_view key, std::string_view value);

  std::string meta_text(std::string_view key);
  std::int64_t meta_integer(std::string_view key);
  // The greatest sequence number that was ever used; 0 = none.
  std::int64_t last_seq();

 private:
  void give_id();
  void run(GroupCommit::Request& request);
  Outcome fail(std::span<GroupCommit::Request* const> requests, const DatabaseError& failure);

  Database database_;
  Batch batch_{database_};
  WriteTransaction transaction_{database_, batch_};
  int tended_pages_ = 0;
};

}  // namespace resmgr::journal

#endif  // RESMGR_AGENT_JOURNAL_WRITER_H_
