// Sinks whose destination keeps the position: first sync, batches in doubt, other journals.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <set>

#include "tests/unit/sinks/world.h"

namespace resmgr::sinks {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class PositionTest : public PumpTest {
 protected:
  PositionTest() {
    options_.keeps_position = true;
    options_.wants = [](const EventView& event) { return !event.task.empty(); };
  }

  std::optional<Position> stands() const { return destination_.position(journal_->id()); }
};

// Hazard 29: rows of the tasks as they stand, then events above.
TEST_F(PositionTest, BeginsWithTheTasksThereAre) {
  options_.limits.messages = 2;
  std::vector<journal::TaskRow> rows;
  for (int i = 0; i < 5; ++i) rows.push_back(admit());
  for (auto& row : rows) move(row, TaskStatus::running);
  settle();
  ASSERT_THAT(destination_.taken(), SizeIs(5));
  std::set<std::string> ids;
  for (const Message& message : destination_.taken()) {
    EXPECT_EQ(message.type, kTaskRow);
    EXPECT_EQ(message.seq, 10);
    EXPECT_THAT(message.payload, HasSubstr("Running"));
    ids.insert(message.task_id);
  }
  EXPECT_THAT(ids, SizeIs(5));
  EXPECT_EQ(stands()->seq, 10);

  move(rows[0], TaskStatus::stopped);
  settle();
  ASSERT_THAT(destination_.taken(), SizeIs(6));
  EXPECT_EQ(destination_.taken().back().type, "task.moved");
  EXPECT_EQ(stands()->seq, 11);
}

TEST_F(PositionTest, WhatHappensDuringTheFirstSyncIsNotLost) {
  options_.limits.messages = 1;
  auto row = admit();
  admit();
  make_pump();
  EXPECT_EQ(pump_->step(), Millis{0});  // the newest
  move(row, TaskStatus::running);
  const auto late = admit();
  settle();
  const auto taken = destination_.taken();
  // The older row is as it stands by now; what the events say again is older or the same.
  EXPECT_EQ(taken[1].task_id, row.task.task_id);
  EXPECT_EQ(taken[1].seq, 4);
  EXPECT_EQ(taken.back().task_id, late.task.task_id);
  EXPECT_EQ(stands()->seq, 4);
}

TEST_F(PositionTest, AFirstSyncThatWasCutOffBeginsAgain) {
  options_.limits.messages = 1;
  for (int i = 0; i < 3; ++i) admit();
  make_pump();
  pump_->step();
  restart();
  settle();
  EXPECT_THAT(destination_.taken(), SizeIs(4));
  EXPECT_EQ(stands()->seq, 3);
}

// In doubt, both ways: nothing twice, nothing missing.
TEST_F(PositionTest, SettlesABatchInDoubtByWhereTheDestinationStands) {
  auto row = admit();
  settle();
  for (const bool taken : {true, false}) {
    const std::size_t before = destination_.taken().size();
    destination_.lose_next_answer(taken);
    move(row, TaskStatus::running);
    EXPECT_NE(settle(), std::nullopt);
    EXPECT_EQ(settle(), std::nullopt);
    EXPECT_THAT(destination_.taken(), SizeIs(before + 1));
    EXPECT_EQ(stands()->seq, journal_->head());
    EXPECT_EQ(pump_->status().state, SinkState::current);
  }
}

// What a destination that holds last states has no use for is not sent.
TEST_F(PositionTest, ABacklogIsTheLastStateOfEachTask) {
  settle();
  std::vector<journal::TaskRow> rows;
  for (int i = 0; i < 3; ++i) rows.push_back(admit());
  for (const TaskStatus status : {TaskStatus::running, TaskStatus::stopped}) {
    for (auto& row : rows) move(row, status);
  }
  settle();
  const auto taken = destination_.taken();
  ASSERT_THAT(taken, SizeIs(3));
  for (std::size_t i = 0; i < taken.size(); ++i) {
    EXPECT_EQ(taken[i].task_id, rows[i].task.task_id);
    EXPECT_EQ(taken[i].seq, static_cast<std::int64_t>(i) + 7);
    EXPECT_THAT(taken[i].payload, HasSubstr("Stopped"));
  }
  EXPECT_EQ(stands()->seq, 9);
}

// Several loads, of which each is read while the one before it is delivered.
TEST_F(PositionTest, ABacklogOfManyLoadsComesWhole) {
  options_.limits.messages = 3;
  settle();
  std::vector<journal::TaskRow> rows;
  for (int i = 0; i < 100; ++i) {
    rows.push_back(admit());
    move(rows.back(), TaskStatus::running);
  }
  settle();
  const auto taken = destination_.taken();
  ASSERT_THAT(taken, SizeIs(rows.size()));
  for (std::size_t i = 0; i < taken.size(); ++i) {
    EXPECT_EQ(taken[i].task_id, rows[i].task.task_id);
    EXPECT_THAT(taken[i].payload, HasSubstr("Running"));
  }
  EXPECT_EQ(stands()->seq, 200);
}

// An answer that is lost in the middle of a backlog: what was read ahead of it counts no more.
TEST_F(PositionTest, ABacklogWithAnswersThatAreLostComesWhole) {
  options_.limits.messages = 2;
  settle();
  std::vector<journal::TaskRow> rows;
  for (int i = 0; i < 20; ++i) rows.push_back(admit());
  for (const bool taken : {true, false, false, true}) {
    ASSERT_EQ(pump_->step(), Millis{0});
    destination_.lose_next_answer(taken);
    EXPECT_NE(pump_->step(), Millis{0});
  }
  settle();
  ASSERT_THAT(destination_.taken(), SizeIs(rows.size()));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(destination_.taken()[i].task_id, rows[i].task.task_id);
  }
}

// The one to blame is found among states that others took the place of, and they are not blamed.
TEST_F(PositionTest, TheLastStateIsBlamedForItselfAlone) {
  settle();
  auto row = admit();
  auto other = admit();
  move(row, TaskStatus::running);
  move(other, TaskStatus::running);
  move(row, TaskStatus::stopped);
  destination_.set_poison(
      [](const Message& message) { return message.payload.find("Stopped") != std::string::npos; });
  settle();
  const auto letters = pump_->letters(0, 10);
  ASSERT_THAT(letters, SizeIs(1));
  EXPECT_EQ(letters[0].seq, 5);
  std::map<std::string, std::string> last;
  for (const Message& message : destination_.taken()) last[message.task_id] = message.payload;
  EXPECT_THAT(last[row.task.task_id], HasSubstr("Running"));
  EXPECT_THAT(last[other.task.task_id], HasSubstr("Running"));
  EXPECT_EQ(stands()->seq, 5);
}

TEST_F(PositionTest, TheEndOfAFirstSyncMayBeInDoubtToo) {
  admit();
  make_pump();
  pump_->step();
  destination_.lose_next_answer(true);
  EXPECT_NE(settle(), std::nullopt);
  EXPECT_EQ(settle(), std::nullopt);
  EXPECT_THAT(destination_.taken(), SizeIs(1));
}

TEST_F(PositionTest, GoesOnWhereTheDestinationStands) {
  auto row = admit();
  settle();
  move(row, TaskStatus::running);
  settle();
  // The cursor in the journal is a copy only, and may be behind.
  journal_->transact([&](journal::Transaction& transaction) {
    transaction.cursors().move({options_.name, 1, "", true, clock_.now()});
  });
  restart();
  settle();
  EXPECT_THAT(destination_.taken(), SizeIs(2));
}

// Hazard 31: a restored journal lacks what the destination acknowledged.
TEST_F(PositionTest, ARestoredJournalGetsAnotherId) {
  auto row = admit();
  settle();
  const std::string old_id = journal_->id();
  pump_.reset();
  journal_.reset();
  std::filesystem::copy(file(), file() + ".copy");
  open();
  move(row, TaskStatus::running);
  settle();
  EXPECT_EQ(destination_.position(old_id)->seq, 2);

  pump_.reset();
  journal_.reset();
  for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(file() + suffix);
  std::filesystem::copy(file() + ".copy", file());
  open();
  EXPECT_EQ(journal_->id(), old_id);
  settle();
  EXPECT_NE(journal_->id(), old_id);
  EXPECT_EQ(destination_.position(old_id)->seq, 2);
  // Others are told.
  const auto replacement =
      journal_->reading([](journal::Reader& reader) { return reader.replacement(); });
  ASSERT_TRUE(replacement);
  EXPECT_EQ(stands()->seq, replacement->seq);
  EXPECT_EQ(destination_.taken().back().type, kTaskRow);
  // For good.
  const std::string new_id = journal_->id();
  restart();
  EXPECT_EQ(journal_->id(), new_id);
}

// Hazard 31: … or has another event under the number.
TEST_F(PositionTest, AnotherEventUnderTheNumberIsNoticed) {
  admit();
  settle();
  const std::string old_id = journal_->id();
  destination_.move_position(old_id, {1, std::string(64, '0')});
  restart();
  settle();
  EXPECT_NE(journal_->id(), old_id);
}

// Hazard 31: of two agents on copies of one data directory one stops, loudly, and neither
// overwrites the other's rows.
TEST_F(PositionTest, ACloneIsRefused) {
  auto row = admit();
  settle();
  destination_.move_position(journal_->id(), {7, std::string(64, '1')});
  move(row, TaskStatus::running);
  for (int i = 0; i < 10; ++i) EXPECT_GE(settle().value(), Millis{1'000});
  EXPECT_EQ(pump_->status().state, SinkState::refusing);
  EXPECT_THAT(pump_->status().last_error, HasSubstr("another agent"));
  EXPECT_THAT(destination_.taken(), SizeIs(1));
}

TEST_F(PositionTest, ADatabaseThatWasMadeAnewIsFilledAgain) {
  auto row = admit();
  settle();
  destination_.forget_position(journal_->id());
  move(row, TaskStatus::running);
  EXPECT_NE(settle(), std::nullopt);
  EXPECT_EQ(settle(), std::nullopt);
  EXPECT_EQ(destination_.taken().back().type, kTaskRow);
  EXPECT_THAT(destination_.taken().back().payload, HasSubstr("Running"));
  EXPECT_EQ(stands()->seq, 2);
}

TEST_F(PositionTest, ADatabaseThatWasRestoredGetsWhatItLacks) {
  auto row = admit();
  auto other = admit();
  settle();
  const Position copied = stands().value();
  move(row, TaskStatus::running);
  move(other, TaskStatus::running);
  settle();
  const std::size_t before = destination_.taken().size();
  destination_.move_position(journal_->id(), copied);
  move(row, TaskStatus::stopped);
  EXPECT_NE(settle(), std::nullopt);
  EXPECT_EQ(settle(), std::nullopt);
  std::map<std::string, std::int64_t> again;
  for (const Message& message : destination_.taken()) {
    if (message.seq > copied.seq) again[message.task_id] = message.seq;
  }
  EXPECT_EQ(again,
            (std::map<std::string, std::int64_t>{{row.task.task_id, 5}, {other.task.task_id, 4}}));
  EXPECT_THAT(destination_.taken(), SizeIs(before + 2));
  EXPECT_EQ(pump_->status().state, SinkState::current);
}

// Hazard 33: what was pruned stands in the rows of the tasks.
TEST_F(PositionTest, AfterAGapItBeginsWithTheRowsAgain) {
  auto row = admit();
  settle();
  move(row, TaskStatus::running);
  move(row, TaskStatus::stopped);
  prune(2);
  settle();
  EXPECT_EQ(stands()->seq, 3);
  ASSERT_THAT(destination_.taken(), SizeIs(2));
  EXPECT_EQ(destination_.taken().back().type, kTaskRow);
  EXPECT_THAT(destination_.taken().back().payload, HasSubstr("Stopped"));
}

TEST_F(PositionTest, ALetterIsSetAsideOnceAndThePositionGoesOn) {
  auto row = admit();
  settle();
  destination_.set_poison([](const Message& message) { return message.type == "task.moved"; });
  move(row, TaskStatus::running);
  EXPECT_EQ(settle(), std::nullopt);
  EXPECT_THAT(letters(), SizeIs(1));
  EXPECT_EQ(stands()->seq, 2);
  destination_.set_poison(nullptr);
  pump_->retry();
  settle();
  EXPECT_THAT(letters(), IsEmpty());
  EXPECT_EQ(destination_.taken().back().seq, 2);
  EXPECT_EQ(stands()->seq, 2);
}

TEST_F(PositionTest, ARowOfAFirstSyncCanBeSetAside) {
  for (int i = 0; i < 4; ++i) admit();
  const auto bad = admit();
  destination_.set_poison(
      [&](const Message& message) { return message.task_id == bad.task.task_id; });
  EXPECT_EQ(settle(), std::nullopt);
  EXPECT_THAT(destination_.taken(), SizeIs(4));
  ASSERT_THAT(letters(), SizeIs(1));
  EXPECT_EQ(letters().front().task_id, bad.task.task_id);
  EXPECT_EQ(stands()->seq, 5);
}

}  // namespace
}  // namespace resmgr::sinks
