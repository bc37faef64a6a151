#include "agent/journal/batch.h"

#include <string_view>

namespace resmgr::journal {
namespace {

// Takes the write lock at once: a transaction that begins by reading can't wait for it later.
constexpr std::string_view kBegin = "BEGIN IMMEDIATE";
constexpr std::string_view kCommit = "COMMIT";
constexpr std::string_view kRollBack = "ROLLBACK";
constexpr std::string_view kStartPart = "SAVEPOINT part";
constexpr std::string_view kKeepPart = "RELEASE part";
constexpr std::string_view kUndoPart = "ROLLBACK TO part";

}  // namespace

void Batch::begin() {
  failure_.reset();
  written_parts_ = 0;
  Query(database_, kBegin).run();
}

void Batch::start_part() {
  part_wrote_ = false;
  has_savepoint_ = false;
}

void Batch::write(const std::function<void()>& statement) {
  try {
    before_write();
    statement();
  } catch (const DatabaseError& e) {
    if (!e.is_constraint() && !failure_) failure_ = e;
    throw;
  }
}

// What only reads, or is the first to write, needs no savepoint: the whole is its to undo.
void Batch::before_write() {
  if (part_wrote_) return;
  part_wrote_ = true;
  if (written_parts_ == 0) return;
  Query(database_, kStartPart).run();
  has_savepoint_ = true;
}

void Batch::keep_part() {
  if (has_savepoint_) Query(database_, kKeepPart).run();
  if (part_wrote_) ++written_parts_;
}

void Batch::undo_part() {
  if (!part_wrote_) return;
  if (has_savepoint_) {
    Query(database_, kUndoPart).run();
    Query(database_, kKeepPart).run();
    return;
  }
  Query(database_, kRollBack).run();
  Query(database_, kBegin).run();
}

void Batch::commit() { Query(database_, kCommit).run(); }

void Batch::roll_back() noexcept { database_.roll_back(); }

bool Batch::broken() const { return failure_ || !database_.in_transaction(); }

DatabaseError Batch::failure() const { return failure_ ? *failure_ : DatabaseError::aborted(); }

}  // namespace resmgr::journal
