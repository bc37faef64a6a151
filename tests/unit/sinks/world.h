// A journal with tasks, and a pump from it to a destination in memory.
#ifndef RESMGR_TESTS_UNIT_SINKS_WORLD_H_
#define RESMGR_TESTS_UNIT_SINKS_WORLD_H_

#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "agent/journal/journal.h"
#include "agent/sinks/pump.h"
#include "common/error.h"
#include "common/ids.h"
#include "tests/fakes/fake_clock.h"
#include "tests/fakes/fake_sink.h"
#include "tests/support/eventually.h"
#include "tests/support/temp_dir.h"

namespace resmgr::sinks {

inline constexpr char kAda[] = "00000000-0000-4000-8000-0000000000ad";

class PumpTest : public testing::Test {
 protected:
  PumpTest() { open(); }

  std::string file() const { return dir_.path() / "journal.db"; }
  void open() { journal_ = std::make_unique<journal::Journal>(journal::JournalOptions{file()}); }
  // As a new process of the agent does.
  void restart() {
    pump_.reset();
    journal_.reset();
    open();
    make_pump();
  }
  void make_pump() {
    pump_.reset();
    pump_ = std::make_unique<Pump>(pump_options_, *journal_,
                                   std::make_unique<FakeSink>(destination_, options_), clock_);
  }
  // Steps until nothing is left to do at once; what the last step said.
  std::optional<Millis> settle() {
    if (!pump_) make_pump();
    for (;;) {
      const auto wait = pump_->step();
      if (wait != Millis{0}) return wait;
    }
  }

  std::int64_t append(std::string_view type = "test.event") {
    return journal_->writing([&](journal::Transaction& transaction) {
      return transaction.append(type, clock_.now(), "{}");
    });
  }
  void append_many(int count) {
    journal_->transact([&](journal::Transaction& transaction) {
      for (int i = 0; i < count; ++i) transaction.append("test.event", clock_.now(), "{}");
    });
  }
  journal::TaskRow admit() {
    journal::TaskRow row;
    row.task.task_id = new_uuid_v7(clock_.now());
    row.task.user_id = kAda;
    row.task.service_type = "hello";
    row.task.host = "here";
    row.task.created_at = clock_.now();
    journal_->transact([&](journal::Transaction& transaction) {
      transaction.insert(row);
      transaction.append("task.start_requested", row, clock_.now(), "{}");
    });
    return row;
  }
  void move(journal::TaskRow& row, TaskStatus status) {
    row.task.status = status;
    journal_->transact([&](journal::Transaction& transaction) {
      transaction.update(row);
      transaction.append("task.moved", row, clock_.now(), "{}");
    });
  }
  // As the retention does while the sink is configured no more.
  void prune(std::int64_t to) {
    pump_.reset();
    journal_.reset();
    SQLite::Database raw(file(), SQLite::OPEN_READWRITE);
    raw.exec("DELETE FROM events WHERE seq <= " + std::to_string(to) +
             "; INSERT OR REPLACE INTO meta (key, value) VALUES ('pruned_to', " +
             std::to_string(to) + ")");
    open();
  }
  std::optional<journal::Cursor> cursor() const {
    return journal_->reading(
        [&](journal::Reader& reader) { return reader.cursors().cursor(options_.name); });
  }
  std::vector<journal::DeadLetter> letters() const { return pump_->letters(0, 100); }

  support::TempDir dir_;
  FakeClock clock_;
  FakeDestination destination_;
  FakeSinkOptions options_;
  PumpOptions pump_options_;
  std::unique_ptr<journal::Journal> journal_;
  std::unique_ptr<Pump> pump_;
};

}  // namespace resmgr::sinks

#endif  // RESMGR_TESTS_UNIT_SINKS_WORLD_H_
