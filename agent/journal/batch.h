// One transaction that several requests share, each in a part of its own that can be undone alone.
#ifndef RESMGR_AGENT_JOURNAL_BATCH_H_
#define RESMGR_AGENT_JOURNAL_BATCH_H_

#include <functional>
#include <optional>

#include "agent/journal/database.h"

namespace resmgr::journal {

// For one thread at a time. begin(), then for each part start_part(), its writes, and keep_part()
// or undo_part(); then commit(). After an exception, and once broken(), only roll_back() is left.
class Batch {
 public:
  explicit Batch(Database& database) : database_(database) {}

  void begin();
  void start_part();
  // Every write of a part goes through here. An error that is not the statement's own breaks the
  // batch: SQLite may have undone all of it, or can't be trusted to undo a part.
  void write(const std::function<void()>& statement);
  void keep_part();
  void undo_part();
  void commit();
  void roll_back() noexcept;

  bool broken() const;
  // What broke it.
  DatabaseError failure() const;
  // Parts that were kept and had written something.
  int written_parts() const { return written_parts_; }

 private:
  void before_write();

  Database& database_;
  std::optional<DatabaseError> failure_;
  bool part_wrote_ = false;
  bool has_savepoint_ = false;
  int written_parts_ = 0;
};

}  // namespace resmgr::journal

#endif  // RESMGR_AGENT_JOURNAL_BATCH_H_
