// What admission asks about the whole host, and what the agent has to remember of itself.

#include <gmock/gmock.h>

#include <stdexcept>

#include "tests/unit/journal/fixture.h"

namespace resmgr::journal {
namespace {

using testing::ElementsAre;
using HostTest = JournalTest;

TaskRow row_with(std::int64_t memory_bytes, double cpus) {
  TaskRow row = new_row();
  row.memory_bytes = memory_bytes;
  row.cpus = cpus;
  return row;
}

std::vector<std::string> admitted(Journal& journal, std::string_view user_id, Instant from,
                                  Instant to) {
  return journal.writing([&](Transaction& transaction) {
    std::vector<std::string> ids;
    for (const auto& task : transaction.admitted_between(user_id, from, to)) {
      ids.push_back(task.task_id);
    }
    return ids;
  });
}

TEST_F(HostTest, ActiveTasksReserveWhatTheirContainersMayUse) {
  const auto reserved = [&] {
    return journal().writing([](Transaction& transaction) { return transaction.reserved(); });
  };
  EXPECT_EQ(reserved().memory_bytes, 0);
  EXPECT_EQ(reserved().cpus, 0);
  TaskRow first = row_with(1LL << 40, 0.5);
  TaskRow second = row_with(7, 1.25);
  admit(journal(), first);
  admit(journal(), second);
  EXPECT_EQ(reserved().memory_bytes, (1LL << 40) + 7);
  EXPECT_EQ(reserved().cpus, 1.75);
  move(journal(), first, TaskStatus::stopping, Phase::stopping);
  EXPECT_EQ(reserved().memory_bytes, (1LL << 40) + 7);
  move(journal(), first, TaskStatus::stopped, Phase::ended);
  EXPECT_EQ(reserved().memory_bytes, 7);
}

TEST_F(HostTest, TellsWhatAUserStartedLately) {
  constexpr Millis kSecond{1'000};
  TaskRow before = new_row(kAda, "hello", kNoon);
  TaskRow first = new_row(kAda, "hello", kNoon + kSecond);
  TaskRow others = new_row(kBob, "hello", kNoon + kSecond);
  TaskRow last = new_row(kAda, "hello", kNoon + 2 * kSecond);
  TaskRow after = new_row(kAda, "hello", kNoon + 3 * kSecond);
  for (TaskRow* row : {&before, &first, &others, &last, &after}) admit(journal(), *row);
  move(journal(), first, TaskStatus::error, Phase::removed);
  EXPECT_THAT(admitted(journal(), kAda, kNoon, kNoon + 2 * kSecond),
              ElementsAre(first.task.task_id, last.task.task_id));
}

TEST_F(HostTest, KeepsNotesUntilTheyAreErased) {
  const auto note = [&] {
    return journal().reading([](Reader& reader) { return reader.note("drain"); });
  };
  EXPECT_FALSE(note());
  journal().transact([](Transaction& transaction) {
    transaction.set_note("drain", "one");
    transaction.set_note("drain", "two");
    EXPECT_EQ(transaction.note("drain"), "two");
  });
  EXPECT_EQ(note(), "two");
  EXPECT_THROW(journal().transact([](Transaction& transaction) {
    transaction.erase_note("drain");
    throw std::runtime_error("no");
  }),
               std::runtime_error);
  reopen();
  EXPECT_EQ(note(), "two");
  journal().transact([](Transaction& transaction) { transaction.erase_note("drain"); });
  EXPECT_FALSE(note());
  journal().transact([](Transaction& transaction) { transaction.erase_note("drain"); });
}

// A note's name never means what the journal says of itself.
TEST_F(HostTest, NotesAreApartFromTheJournalsOwnFacts) {
  const std::string id = journal().id();
  EXPECT_FALSE(journal().reading([](Reader& reader) { return reader.note("journal_id"); }));
  journal().transact([](Transaction& transaction) { transaction.set_note("journal_id", "x"); });
  EXPECT_EQ(reopen().id(), id);
}

}  // namespace
}  // namespace resmgr::journal
