#include "agent/journal/writer.h"

#include <chrono>

#include "agent/journal/migrate.h"
#include "agent/journal/task_table.h"
#include "common/failpoint.h"
#include "common/ids.h"

namespace resmgr::journal {
namespace {

constexpr int kCacheKib = 1'024;
constexpr int kUnknownCode = -1;

// Each time that the log has grown by so many pages (4 KiB each) it is moved into the file as far
// as readers allow. Under readers without a pause it is never moved whole, and so never begun anew:
// from the greater number on the writer waits for them, the longer the longer the log is. Readers
// that end at once make that short.
constexpr int kLogPagesToMove = 1'000;
constexpr int kLogPagesToWaitFor = 4'000;
constexpr int kLogPagesForAMilliOfWaiting = 20;

constexpr std::string_view kLastSeq = "SELECT seq FROM sqlite_sequence WHERE name = 'events'";

}  // namespace

Writer::Writer(const std::string& file, Millis busy_timeout)
    : database_(file, {.access = Database::Access::read_write,
                       .busy_timeout = busy_timeout,
                       .cache_kib = kCacheKib}) {
  migrate(database_);
  database_.exec("PRAGMA foreign_keys = ON");
  if (!Query(database_, kMeta, kMetaJournalId)->step()) give_id();
}

void Writer::give_id() {
  const std::string id = new_uuid_v4();
  Query(database_, kSetMeta, kMetaJournalId, id).run();
}

Writer::Outcome Writer::commit(std::span<GroupCommit::Request* const> requests) {
  try {
    batch_.begin();
    transaction_.begin();
    for (GroupCommit::Request* const request : requests) run(*request);
    transaction_.write_counts();
    failpoint("journal.before_commit");
    batch_.commit();
    failpoint("journal.after_commit");
    return {true, batch_.written_parts(), transaction_.last_event(), transaction_.pruned_to()};
  } catch (const DatabaseError& e) {
    return fail(requests, e);
  } catch (const std::exception& e) {
    return fail(requests, DatabaseError(kUnknownCode, e.what()));
  }
}

Writer::Outcome Writer::fail(std::span<GroupCommit::Request* const> requests,
                             const DatabaseError& failure) {
  batch_.roll_back();
  for (GroupCommit::Request* const request : requests) {
    if (!request->error) request->error = std::make_exception_ptr(failure.of_writing());
  }
  Outcome outcome;
  outcome.failure = failure;
  return outcome;
}

void Writer::run(GroupCommit::Request& request) {
  batch_.start_part();
  transaction_.start_part();
  try {
    (*request.body)(transaction_);
  } catch (...) {
    request.error = std::current_exception();
  }
  if (batch_.broken()) throw batch_.failure();
  if (request.error) {
    batch_.undo_part();
  } else {
    batch_.keep_part();
    transaction_.keep_part();
  }
}

void Writer::tend_log() {
  const int pages = database_.log_pages();
  if (pages < tended_pages_) tended_pages_ = 0;  // it was begun anew
  if (pages - tended_pages_ < kLogPagesToMove) return;
  tended_pages_ = pages;
  const bool wait = pages >= kLogPagesToWaitFor;
  database_.checkpoint(Millis{wait ? pages / kLogPagesForAMilliOfWaiting : 0});
}

void Writer::probe() {
  const auto now = std::chrono::system_clock::now().time_since_epoch() / Millis(1);
  batch_.write([&] { Query(database_, kSetMeta, std::string_view("probed_at"), now).run(); });
}

void Writer::set_meta_text(std::string_view key, std::string_view value) {
  batch_.write([&] { Query(database_, kSetMeta, key, value).run(); });
}

std::string Writer::meta_text(std::string_view key) {
  Query query(database_, kMeta, key);
  return query->step() ? std::string(query->text(0)) : std::string();
}

std::int64_t Writer::meta_integer(std::string_view key) {
  Query query(database_, kMeta, key);
  return query->step() ? query->integer(0) : 0;
}

std::int64_t Writer::last_seq() {
  Query query(database_, kLastSeq);
  return query->step() ? query->integer(0) : 0;
}

}  // namespace resmgr::journal
