// One view a read, whatever is written meanwhile; and what the statements cost.

#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <stdexcept>
#include <thread>

#include "agent/journal/batch.h"
#include "agent/journal/migrate.h"
#include "agent/journal/reader_pool.h"
#include "agent/journal/snapshot_reader.h"
#include "agent/journal/write_transaction.h"
#include "tests/unit/journal/fixture.h"

namespace resmgr::journal {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using ReaderTest = JournalTest;

std::vector<std::int64_t> seqs_of(const std::vector<Event>& events) {
  std::vector<std::int64_t> seqs;
  for (const Event& event : events) seqs.push_back(event.seq);
  return seqs;
}

TEST_F(ReaderTest, SeesOneMoment) {
  TaskRow row = new_row();
  admit(journal(), row);
  journal().read([&](Reader& reader) {
    EXPECT_THAT(reader.events_after(0, 10, ""), SizeIs(1));
    move(journal(), row, TaskStatus::running, Phase::ready);
    EXPECT_THAT(reader.events_after(0, 10, ""), SizeIs(1));
    EXPECT_EQ(reader.task(row.task.task_id)->task.status, TaskStatus::starting);
    EXPECT_THAT(reader.counts(), ElementsAre(1, 0, 0, 0, 0));
    journal().read([&](Reader& later) {
      EXPECT_EQ(later.task(row.task.task_id)->task.status, TaskStatus::running);
    });
  });
  journal().read([&](Reader& reader) { EXPECT_THAT(reader.counts(), ElementsAre(0, 1, 0, 0, 0)); });
}

TEST_F(ReaderTest, ReadsEventsInOrderFromAnywhere) {
  TaskRow ada = new_row(kAda);
  TaskRow bob = new_row(kBob);
  admit(journal(), ada);                                    // 1
  admit(journal(), bob);                                    // 2
  move(journal(), ada, TaskStatus::running, Phase::ready);  // 3
  journal().transact([](Transaction& transaction) {         // 4
    transaction.append("agent.x", kNoon, R"({"a":1})");
  });
  move(journal(), bob, TaskStatus::running, Phase::ready);  // 5
  journal().read([&](Reader& reader) {
    EXPECT_THAT(seqs_of(reader.events_after(0, 100, "")), ElementsAre(1, 2, 3, 4, 5));
    EXPECT_THAT(seqs_of(reader.events_after(2, 2, "")), ElementsAre(3, 4));
    EXPECT_THAT(reader.events_after(5, 100, ""), IsEmpty());
    EXPECT_THAT(seqs_of(reader.events_after(0, 100, kBob)), ElementsAre(2, 5));
    EXPECT_THAT(seqs_of(reader.events_after(2, 1, kBob)), ElementsAre(5));
    EXPECT_THAT(reader.events_after(0, 100, "nobody"), IsEmpty());

    std::vector<std::int64_t> visited;
    reader.visit_events(1, 3, Reader::Parts::all, [&](const EventView& event) {
      visited.push_back(event.seq);
      return event.seq < 3;
    });
    EXPECT_THAT(visited, ElementsAre(2, 3));
    const auto events = reader.events_after(0, 100, "");
    std::size_t next = 0;
    reader.visit_events(0, 100, Reader::Parts::all, [&](const EventView& event) {
      const Event& same = events.at(next++);
      EXPECT_EQ(event.type, same.type);
      EXPECT_EQ(event.task_id, same.task_id);
      EXPECT_EQ(event.details, same.details);
      EXPECT_EQ(event.task, same.task);
      return true;
    });
    EXPECT_EQ(next, events.size());
    next = 0;
    const auto parts = Reader::Parts::all_but_user_and_details;
    reader.visit_events(0, 100, parts, [&](const EventView& event) {
      const Event& same = events.at(next++);
      EXPECT_EQ(event.type, same.type);
      EXPECT_EQ(event.task_id, same.task_id);
      EXPECT_EQ(event.task, same.task);
      EXPECT_EQ(std::string(event.user_id) + std::string(event.details), "");
      return true;
    });
    EXPECT_EQ(next, events.size());
    reader.visit_events(0, 0, Reader::Parts::all,
                        [&](const EventView&) -> bool { throw std::logic_error("none"); });
    EXPECT_THAT(seqs_of(reader.events_of(ada.task.task_id)), ElementsAre(1, 3));
    EXPECT_THAT(reader.events_of("no-such-task"), IsEmpty());
    const auto history = reader.history_of(ada.task.task_id);
    EXPECT_THAT(seqs_of(history), ElementsAre(1, 3));
    EXPECT_EQ(history.at(1).type, events.at(2).type);
    EXPECT_EQ(history.at(1).time, events.at(2).time);
    EXPECT_EQ(history.at(1).details, events.at(2).details);
    EXPECT_THAT(reader.history_of("no-such-task"), IsEmpty());
    const Event about_none = reader.events_after(3, 1, "").at(0);
    EXPECT_EQ(about_none.task_id, "");
    EXPECT_EQ(about_none.user_id, "");
    EXPECT_EQ(about_none.task, "");
    EXPECT_EQ(about_none.details, R"({"a":1})");
  });
}

TEST_F(ReaderTest, HandsOnWhatTheBodyThrowsAndIsUsableAfterwards) {
  journal();
  for (int i = 0; i < 3; ++i) {
    EXPECT_THROW(journal().read([](Reader&) { throw std::runtime_error("no"); }),
                 std::runtime_error);
  }
  TaskRow row = new_row();
  admit(journal(), row);
  journal().read([&](Reader& reader) { EXPECT_TRUE(reader.task(row.task.task_id)); });
}

// Whoever reads while 4 others write sees whole transactions only: two rows change together.
TEST_F(ReaderTest, NeverSeesHalfATransaction) {
  TaskRow left = new_row();
  TaskRow right = new_row();
  journal().transact([&](Transaction& transaction) {
    admit(transaction, left);
    admit(transaction, right);
  });
  std::atomic<bool> done{false};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 40; ++n) {
        journal().transact([&](Transaction& transaction) {
          for (const TaskRow* row : {&left, &right}) {
            auto mine = transaction.task(row->task.task_id);
            ++mine->cpu_ms;
            move(transaction, *mine, TaskStatus::running, Phase::ready);
          }
        });
      }
    });
  }
  std::vector<std::thread> readers;
  for (int i = 0; i < 4; ++i) {
    readers.emplace_back([&] {
      while (!done) {
        journal().read([&](Reader& reader) {
          const auto a = reader.task(left.task.task_id);
          const auto b = reader.task(right.task.task_id);
          EXPECT_EQ(a->cpu_ms, b->cpu_ms);
          EXPECT_EQ(reader.events_after(0, 1'000, "").size(),
                    static_cast<std::size_t>(2 + 2 * a->cpu_ms));
        });
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  done = true;
  for (std::thread& reader : readers) reader.join();
}

TEST_F(ReaderTest, KeepsConnectionsForTheNextReaders) {
  journal();
  ReaderPool pool(file(), Millis{1'000});
  EXPECT_EQ(pool.idle(), 0U);
  pool.read([&](Reader&) {
    pool.read([&](Reader&) { EXPECT_EQ(pool.idle(), 0U); });
    EXPECT_EQ(pool.idle(), 1U);
    pool.read([&](Reader&) { EXPECT_EQ(pool.idle(), 0U); });
  });
  EXPECT_EQ(pool.idle(), 2U);
  EXPECT_THROW(pool.read([&](Reader&) { throw std::runtime_error("no"); }), std::runtime_error);
  EXPECT_EQ(pool.idle(), 2U);
  EXPECT_THROW(pool.read([&](Reader&) { throw DatabaseError::damaged(); }), DatabaseError);
  EXPECT_EQ(pool.idle(), 1U);
}

// Each connection has a cache and statements of its own, and takes longer to make than a read.
TEST_F(ReaderTest, ReadersThatComeAllAtOnceShareFewConnections) {
  journal();
  ReaderPool pool(file(), Millis{1'000}, {.at_once = 3, .patience = std::chrono::minutes{1}});
  constexpr int kReaders = 50;
  std::atomic<int> here{0};
  std::atomic<int> reads{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < kReaders; ++i) {
    threads.emplace_back([&] {
      ++here;
      pool.read([&](Reader& reader) {
        reads += static_cast<int>(reader.counts().size() == 5);
        // No connection is free before all have come for one.
        while (here < kReaders) std::this_thread::yield();
      });
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(reads, kReaders);
  EXPECT_LE(pool.idle(), 3U);
}

TEST_F(ReaderTest, WhoReadsLongStopsNobody) {
  journal();
  ReaderPool pool(file(), Millis{1'000}, {.at_once = 1, .patience = Millis{1}});
  int depth = 0;
  const std::function<void(Reader&)> deeper = [&](Reader&) {
    if (++depth < 5) pool.read(deeper);
  };
  pool.read(deeper);
  EXPECT_EQ(depth, 5);
  EXPECT_EQ(pool.idle(), 5U);
}

TEST_F(ReaderTest, ConnectionsThatNobodyUsesAreClosedButForTwo) {
  journal();
  ReaderPool pool(file(), Millis{1'000}, {.patience = Millis{1}, .kept_idle = Millis{0}});
  int depth = 0;
  const std::function<void(Reader&)> deeper = [&](Reader&) {
    if (++depth < 5) pool.read(deeper);
  };
  pool.read(deeper);
  EXPECT_EQ(pool.idle(), 2U);
}

// How SQLite means to run each of the statements.
std::vector<std::string> plans_of(const std::string& file, const Database& database) {
  SQLite::Database raw(file, SQLite::OPEN_READONLY);
  std::vector<std::string> plans;
  for (const std::string_view sql : database.statements()) {
    SQLite::Statement explain(raw, "EXPLAIN QUERY PLAN " + std::string(sql));
    while (explain.executeStep()) {
      plans.push_back(std::string(sql) + "\n  " + explain.getColumn(3).getString());
    }
  }
  return plans;
}

void read_everything(Reader& reader, const std::string& id) {
  reader.task(id);
  reader.unsettled();
  reader.counts();
  reader.events_after(0, 10, "");
  reader.events_after(0, 10, kAda);
  reader.events_of(id);
  reader.history_of(id);
  reader.usage_record(id);
  reader.note("drain");
  for (unsigned bits = 0; bits < 32 * 16; ++bits) {
    TaskFilter filter;
    for (unsigned status = 0; status < 5; ++status) {
      if ((bits & (1U << status)) != 0) filter.statuses.push_back(static_cast<TaskStatus>(status));
    }
    if ((bits & 32) != 0) filter.user_id = kAda;
    if ((bits & 64) != 0) filter.service_type = "hello";
    if ((bits & 128) != 0) filter.id_part = "0123";
    if ((bits & 256) != 0) filter.from = kNoon;
    reader.tasks(filter, 10, id);
  }
}

// No table is gone through from end to end, and nothing is sorted: a page of a million rows costs
// what a page of ten does.
TEST_F(ReaderTest, FindsEverythingByAnIndexInItsOrder) {
  journal();
  Database database(file(), {});
  SnapshotReader reader(database);
  read_everything(reader, new_row().task.task_id);

  Batch batch(database);
  WriteTransaction transaction(database, batch);
  batch.begin();
  transaction.begin();
  batch.start_part();
  transaction.start_part();
  TaskRow row = new_row();
  admit(transaction, row);
  move(transaction, row, TaskStatus::running, Phase::ready);
  transaction.active("", "");
  transaction.active(kAda, "hello");
  transaction.reserved();
  transaction.admitted_between(kAda, kNoon, kNoon);
  transaction.set_note("drain", "{}");
  transaction.note("drain");
  transaction.erase_note("drain");
  transaction.remember(kAda, "key", {"b0d7", row.task.task_id, kNoon});
  transaction.idempotency(kAda, "key");
  transaction.forget_before(kNoon);
  transaction.put_usage(row.task.task_id, "{}", "");
  batch.keep_part();
  transaction.keep_part();
  transaction.write_counts();
  batch.commit();

  const auto plans = plans_of(file(), database);
  EXPECT_GE(plans.size(), 30U);
  for (const std::string& plan : plans) {
    EXPECT_THAT(plan, testing::HasSubstr("\n  SEARCH "));
  }
}

}  // namespace
}  // namespace resmgr::journal
