// Levels: what the operator wants, and what Seq wants.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/sinks/seq_fixture.h"

namespace resmgr::sinks {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr Millis kTwoMinutes = std::chrono::minutes(2);

class SeqLevels : public SeqTest {
 protected:
  SeqLevels() { make_seq_pump(); }
  void fail_a_task() { append(event_type::kFailed); }  // at Warning
};

TEST_F(SeqLevels, SendsOnlyWhatSeqWantsUntilItWantsEverythingAgain) {
  server_.set_minimum_level("Warning");
  append();
  settle();
  EXPECT_THAT(seqs(), ElementsAre(1)) << "it says so with its first answer";
  append();
  fail_a_task();
  append();
  settle();
  EXPECT_THAT(seqs(), ElementsAre(1, 3));
  EXPECT_EQ(pump_->status().lag_events, 0);
  EXPECT_THAT(letters(), IsEmpty());
  server_.set_minimum_level("");
  fail_a_task();
  settle();
  append();
  settle();
  EXPECT_THAT(seqs(), ElementsAre(1, 3, 5, 6));
}

TEST_F(SeqLevels, AsksAnewEveryTwoMinutesWhileNothingIsSent) {
  make_seq_pump(false);
  server_.set_minimum_level("Error");
  append();
  EXPECT_EQ(settle(), kTwoMinutes);
  clock_.advance(kTwoMinutes - Millis{1});
  append();
  EXPECT_EQ(settle(), Millis{1});
  EXPECT_EQ(server_.empty_posts(), 0U);
  clock_.advance(Millis{1});
  EXPECT_EQ(settle(), kTwoMinutes);
  EXPECT_EQ(server_.empty_posts(), 1U);
  EXPECT_EQ(support::header_in(server_.seen().back().head, "Content-Length"), "0");
  server_.set_minimum_level("");
  clock_.advance(kTwoMinutes);
  EXPECT_EQ(settle(), std::nullopt) << "no level is imposed any more";
  EXPECT_EQ(server_.empty_posts(), 2U);
  append();
  settle();
  EXPECT_THAT(seqs(), ElementsAre(1, 3));
}

TEST_F(SeqLevels, ThatItCanNotBeAskedIsToldAsWell) {
  server_.set_minimum_level("Error");
  append();
  settle();
  clock_.advance(kTwoMinutes);
  server_.befall(answer(503));
  settle();
  EXPECT_EQ(pump_->status().state, SinkState::failing);
  settle();
  EXPECT_EQ(pump_->status().state, SinkState::current);
  EXPECT_EQ(server_.empty_posts(), 1U);
}

TEST_F(SeqLevels, ForTheLogTheSameIsTrue) {
  server_.set_minimum_level("Warning");
  append();
  settle();
  log_lines(1, 3);
  log_lines(3, 4, log::Level::error);
  settle();
  EXPECT_THAT(numbers(), ElementsAre(3));
  EXPECT_TRUE(spool_->read(1, 1).empty());
}

TEST_F(SeqLevels, WhatTheOperatorDoesNotWantIsNeverSent) {
  seq_options_.least = log::Level::warning;
  make_seq_pump();
  server_.set_minimum_level("Debug");
  append();
  fail_a_task();
  settle();
  EXPECT_THAT(seqs(), ElementsAre(2));
}

TEST_F(SeqLevels, ALevelThatNobodyKnowsIsNone) {
  server_.set_minimum_level("Loud");
  append_many(2);
  settle();
  EXPECT_THAT(seqs(), SizeIs(2));
  append();
  settle();
  EXPECT_THAT(seqs(), SizeIs(3));
}

}  // namespace
}  // namespace resmgr::sinks
