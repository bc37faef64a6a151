#include "agent/sinks/pump.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "tests/unit/sinks/world.h"

namespace resmgr::sinks {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Le;
using ::testing::SizeIs;

std::vector<std::int64_t> numbers(std::int64_t first, std::int64_t last) {
  std::vector<std::int64_t> all(static_cast<std::size_t>(last - first + 1));
  std::iota(all.begin(), all.end(), first);
  return all;
}

TEST_F(PumpTest, DeliversInOrderAndInPages) {
  options_.limits.messages = 10;
  append_many(35);
  EXPECT_EQ(settle(), std::nullopt);
  EXPECT_EQ(destination_.taken_seqs(), numbers(1, 35));
  // The backlog is read page by page, however long it is.
  EXPECT_THAT(destination_.asked(), AllOf(SizeIs(4), Each(Le(10u))));
  EXPECT_EQ(pump_->status().state, SinkState::current);
}

TEST_F(PumpTest, KeepsABatchUnderItsBytes) {
  options_.limits.bytes = 3 * std::string("test.event").size();
  append_many(8);
  settle();
  EXPECT_THAT(destination_.asked(), ElementsAre(3u, 3u, 2u));
  options_.limits.bytes = 1;  // one message goes all the same
  make_pump();
  append_many(2);
  settle();
  EXPECT_EQ(destination_.taken_seqs(), numbers(1, 10));
}

TEST_F(PumpTest, GoesOnWhereItWasAfterARestart) {
  append_many(3);
  settle();
  EXPECT_EQ(cursor()->seq, 3);
  append_many(2);
  restart();
  settle();
  EXPECT_EQ(destination_.taken_seqs(), numbers(1, 5));
}

TEST_F(PumpTest, PassesOverWhatIsNotWanted) {
  options_.wants = [](const EventView& event) { return event.type == "wanted"; };
  append("other");
  append("wanted");
  append_many(2'500);
  settle();
  EXPECT_EQ(destination_.taken_seqs(), numbers(2, 2));
  EXPECT_EQ(pump_->status().lag_events, 0);
  // The cursor follows now and then, so that it does not pin what it does not want.
  EXPECT_GE(cursor()->seq, 1'000);
  pump_->flush();
  EXPECT_EQ(cursor()->seq, 2'502);
}

TEST_F(PumpTest, KeepsEverythingWhileTheDestinationIsAway) {
  destination_.set_answer([](const Batch&) { return Outcome::retry("it is away"); });
  append_many(3);
  clock_.advance(Millis{90'000});
  for (int i = 0; i < 40; ++i) {
    EXPECT_THAT(settle().value(), AllOf(Ge(Millis{1'000}), Le(Millis{60'000})));
  }
  const SinkStatus down = pump_->status();
  EXPECT_EQ(down.state, SinkState::failing);
  EXPECT_EQ(down.lag_events, 3);
  EXPECT_EQ(down.lag, Millis{90'000});
  EXPECT_EQ(down.last_error, "it is away");
  EXPECT_EQ(down.last_success, std::nullopt);
  EXPECT_EQ(down.failures, 40);
  EXPECT_THAT(letters(), IsEmpty());

  destination_.set_answer(nullptr);
  EXPECT_EQ(settle(), std::nullopt);
  EXPECT_EQ(destination_.taken_seqs(), numbers(1, 3));
  const SinkStatus up = pump_->status();
  EXPECT_EQ(up.state, SinkState::current);
  EXPECT_EQ(up.last_success, clock_.now());
  EXPECT_EQ(up.last_error, "");
  EXPECT_EQ(up.failures, 40);
}

TEST_F(PumpTest, WaitsAsLongAsTheDestinationAsks) {
  destination_.set_answer(
      [](const Batch&) { return Outcome::retry("too many requests", Millis{300'000}); });
  append();
  EXPECT_EQ(settle(), Millis{300'000});
}

TEST_F(PumpTest, SaysOnceThatItFailsAndOnceThatItWorksAgain) {
  testing::internal::CaptureStderr();
  destination_.set_answer([](const Batch&) { return Outcome::retry("it is away"); });
  append();
  for (int i = 0; i < 5; ++i) settle();
  destination_.set_answer(nullptr);
  settle();
  const std::string log = testing::internal::GetCapturedStderr();
  const auto first = log.find("it is away");
  ASSERT_NE(first, std::string::npos) << log;
  EXPECT_EQ(log.find("it is away", first + 1), std::string::npos) << log;
}

// Hazard 32: one bad event among many is set aside, byte for byte, and blocks nobody.
TEST_F(PumpTest, SetsTheOneBadEventAside) {
  append_many(100);
  append("bad.event");
  append_many(100);
  destination_.set_poison([](const Message& message) { return message.type == "bad.event"; });
  settle();
  auto expected = numbers(1, 201);
  expected.erase(expected.begin() + 100);
  EXPECT_EQ(destination_.taken_seqs(), expected);
  ASSERT_THAT(letters(), SizeIs(1));
  const journal::DeadLetter letter = letters().front();
  EXPECT_EQ(letter.seq, 101);
  EXPECT_EQ(letter.payload, "bad.event");
  EXPECT_EQ(letter.reason, "poison");
  EXPECT_EQ(letter.time, clock_.now());
  EXPECT_EQ(cursor()->seq, 201);
  // Found by halving, and batches grow again afterwards.
  EXPECT_LE(destination_.asked().size(), 24u);
  EXPECT_EQ(pump_->status().dead_letters, 1);
}

// Hazard 32: a wrong address or a missing schema makes no million of dead letters.
TEST_F(PumpTest, StopsSettingAsideWhereEverythingIsRefused) {
  append_many(1'000);
  destination_.set_answer([](const Batch&) { return Outcome::rejected("no such thing"); });
  for (int i = 0; i < 50; ++i) EXPECT_NE(settle(), Millis{0});
  EXPECT_THAT(letters(), SizeIs(19));
  EXPECT_EQ(pump_->status().state, SinkState::refusing);
  EXPECT_EQ(pump_->status().last_error, "no such thing");

  destination_.set_answer(nullptr);
  EXPECT_EQ(settle(), std::nullopt);
  EXPECT_EQ(destination_.taken_seqs(), numbers(20, 1'000));
  EXPECT_EQ(pump_->retry(), 19);
  settle();
  EXPECT_THAT(letters(), IsEmpty());
  auto seqs = destination_.taken_seqs();
  std::ranges::sort(seqs);
  EXPECT_EQ(seqs, numbers(1, 1'000));
}

TEST_F(PumpTest, BadEventsWithGoodOnesBetweenNeverStopIt) {
  for (int i = 0; i < 60; ++i) append(i % 2 == 0 ? "bad.event" : "good.event");
  destination_.set_poison([](const Message& message) { return message.type == "bad.event"; });
  EXPECT_EQ(settle(), std::nullopt);
  EXPECT_THAT(letters(), SizeIs(30));
  EXPECT_THAT(destination_.taken(), SizeIs(30));
}

TEST_F(PumpTest, RefusedForNoMessagesFaultSetsNothingAside) {
  append_many(5);
  destination_.set_answer(
      [](const Batch&) { return Outcome::refused("permission denied", "GRANT it"); });
  for (int i = 0; i < 50; ++i) settle();
  EXPECT_THAT(letters(), IsEmpty());
  EXPECT_EQ(pump_->status().state, SinkState::refusing);
  EXPECT_EQ(pump_->status().hint, "GRANT it");
}

TEST_F(PumpTest, ALetterThatIsRefusedAgainStaysAndIsCounted) {
  append("bad.event");
  append();
  destination_.set_poison([](const Message& message) { return message.type == "bad.event"; });
  settle();
  EXPECT_EQ(pump_->retry(), 1);
  EXPECT_EQ(settle(), std::nullopt);
  ASSERT_THAT(letters(), SizeIs(1));
  EXPECT_EQ(letters().front().attempts, 2);
  EXPECT_FALSE(letters().front().due);
}

TEST_F(PumpTest, AWishToRetryOutlivesTheProcess) {
  append("bad.event");
  append();
  destination_.set_poison([](const Message& message) { return message.type == "bad.event"; });
  settle();
  pump_->retry();
  destination_.set_poison(nullptr);
  restart();
  settle();
  EXPECT_THAT(letters(), IsEmpty());
  EXPECT_EQ(destination_.taken_seqs(), (std::vector<std::int64_t>{2, 1}));
}

TEST_F(PumpTest, KeepsReceiptsWithTheCursor) {
  append();
  destination_.set_answer([](const Batch&) {
    Outcome outcome;
    outcome.receipts.push_back({"task", R"({"txHash":"0x1"})"});
    return outcome;
  });
  settle();
  const auto receipts = journal_->reading(
      [](journal::Reader& reader) { return reader.cursors().receipts_of("task"); });
  ASSERT_THAT(receipts, SizeIs(1));
  EXPECT_EQ(receipts.front().body, R"({"txHash":"0x1"})");
  EXPECT_EQ(receipts.front().sink, "fake");
}

// Hazard 33: what was pruned before it was delivered is a gap that is on record.
TEST_F(PumpTest, AGapIsRecorded) {
  append_many(2);
  settle();
  append_many(5);
  prune(6);
  EXPECT_EQ(settle(), std::nullopt);
  EXPECT_EQ(destination_.taken_seqs(), (std::vector<std::int64_t>{1, 2, 7, 8}));
  const Message gap = destination_.taken().back();
  EXPECT_EQ(gap.type, "sink.gap");
  EXPECT_EQ(journal_->reading([](journal::Reader& reader) {
    return reader.events_after(7, 1, "").front().details;
  }),
            R"({"first":3,"last":6,"sink":"fake"})");
}

TEST_F(PumpTest, ANewOneBeginsWithTheFirstEventThatIsKept) {
  append_many(5);
  prune(3);
  settle();
  EXPECT_EQ(destination_.taken_seqs(), numbers(4, 5));
}

TEST_F(PumpTest, WhatASinkThrowsCountsAsAway) {
  append();
  destination_.set_answer([](const Batch&) -> std::optional<Outcome> {
    throw Error(ErrorKind::unavailable, "cannot reach it", "plug it in");
  });
  EXPECT_GE(settle().value(), Millis{1'000});
  EXPECT_EQ(pump_->status().state, SinkState::failing);
  EXPECT_EQ(pump_->status().last_error, "cannot reach it");
}

}  // namespace
}  // namespace resmgr::sinks
