// A journal in a directory of its own, and rows to put into it.
#ifndef RESMGR_TESTS_UNIT_JOURNAL_FIXTURE_H_
#define RESMGR_TESTS_UNIT_JOURNAL_FIXTURE_H_

#include <gtest/gtest.h>

#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "agent/journal/journal.h"
#include "common/error.h"
#include "tests/support/thrown.h"

namespace resmgr::journal {

inline constexpr char kAda[] = "00000000-0000-4000-8000-0000000000ad";
inline constexpr char kBob[] = "00000000-0000-4000-8000-0000000000b0";

inline constexpr Instant kNoon{Millis{1'763'640'000'000}};

class JournalTest : public testing::Test {
 public:
  ~JournalTest() override;

 protected:
  JournalTest();

  std::string file() const { return dir_ / "journal.db"; }
  const std::filesystem::path& dir() const { return dir_; }
  // Opened at its first use, by whatever thread.
  Journal& journal();
  Journal& reopen();
  void close() { journal_.reset(); }

 private:
  std::filesystem::path dir_;
  std::mutex mutex_;
  std::unique_ptr<Journal> journal_;
};

// A task that was just admitted, with a new id.
TaskRow new_row(std::string_view user_id = kAda, std::string_view service_type = "hello",
                Instant at = kNoon);

// Inserts the row and its first event.
void admit(Transaction& transaction, TaskRow& row);
void admit(Journal& journal, TaskRow& row);
// Moves the row on to that state, with an event; returns the event's number.
std::int64_t move(Transaction& transaction, TaskRow& row, TaskStatus status, Phase phase);
std::int64_t move(Journal& journal, TaskRow& row, TaskStatus status, Phase phase);

std::vector<std::string> ids_of(const std::vector<TaskRow>& rows);

using support::error_of;

// Waits until the thread sleeps in the kernel, as one does that waits for a lock or a condition.
void await_sleep(int thread_id);
int this_thread_id();

// One-shot: open() lets everyone who waits pass.
class Gate {
 public:
  void open();
  void pass();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
};

}  // namespace resmgr::journal

#endif  // RESMGR_TESTS_UNIT_JOURNAL_FIXTURE_H_
