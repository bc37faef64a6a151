// What every sink does whose position the journal keeps, the one in memory and the real ones alike:
// all arrives, in order, and twice only where it was in doubt.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <numeric>
#include <set>

#include "tests/contract/append_harness.h"
#include "tests/contract/journal_host.h"
#include "tests/support/eventually.h"
#include "tests/support/sink_payload.h"

namespace resmgr::sinks {
namespace {

using ::testing::ElementsAreArray;
using ::testing::IsEmpty;

class AppendContract : public testing::Test {
 protected:
  std::vector<std::int64_t> delivered() {
    EXPECT_TRUE(support::eventually([&] {
      host_.settle();
      return host_.status().state == SinkState::current;
    })) << host_.cause();
    return harness_->taken();
  }
  std::vector<std::int64_t> all() const {
    std::vector<std::int64_t> seqs(static_cast<std::size_t>(host_.journal->head()));
    std::iota(seqs.begin(), seqs.end(), 1);
    return seqs;
  }
  std::vector<journal::DeadLetter> letters() const { return host_.pump->letters(0, 1'000); }

  std::unique_ptr<AppendHarness> harness_ = make_append_harness();
  JournalHost host_{"here", [this] { return harness_->make_sink(); }};
};

TEST_F(AppendContract, TakesEverythingInOrder) {
  auto row = host_.run();
  host_.end(row);
  EXPECT_THAT(delivered(), ElementsAreArray(all()));
  host_.fail();
  EXPECT_THAT(delivered(), ElementsAreArray(all()));
}

TEST_F(AppendContract, GoesOnAfterARestart) {
  auto row = host_.run();
  delivered();
  host_.end(row);
  host_.restart();
  EXPECT_THAT(delivered(), ElementsAreArray(all()));
}

TEST_F(AppendContract, KeepsEverythingWhileItIsAway) {
  auto row = host_.run();
  delivered();
  harness_->go_away();
  host_.end(row);
  for (int i = 0; i < 3; ++i) EXPECT_NE(host_.settle(), std::nullopt);
  EXPECT_EQ(host_.status().state, SinkState::failing);
  EXPECT_NE(host_.cause(), "");
  EXPECT_THAT(letters(), IsEmpty());
  harness_->come_back();
  EXPECT_THAT(delivered(), ElementsAreArray(all()));
}

TEST_F(AppendContract, WhatIsInDoubtIsThereAtLeastOnce) {
  for (const bool taken : {false, true}) {
    harness_->lose_next_answer(taken);
    host_.run();
    EXPECT_NE(host_.settle(), std::nullopt);
    const auto seqs = delivered();
    EXPECT_EQ(std::set(seqs.begin(), seqs.end()).size(), all().size());
    // Where it was not taken, nothing is there twice.
    EXPECT_EQ(seqs.size() > all().size(), taken);
  }
}

// Hazard 32.
TEST_F(AppendContract, SetsAsideOnlyWhatItCanNotTake) {
  std::vector<journal::TaskRow> rows;
  for (int i = 0; i < 9; ++i) rows.push_back(host_.run());
  const std::string bad = rows[4].task.task_id;
  harness_->refuse(bad);
  const auto seqs = delivered();
  EXPECT_FALSE(letters().empty());
  std::set<std::int64_t> there(seqs.begin(), seqs.end());
  for (const auto& letter : letters()) {
    EXPECT_EQ(letter.task_id, bad);
    EXPECT_TRUE(there.insert(letter.seq).second);
  }
  EXPECT_EQ(there.size(), all().size());
  harness_->refuse_nothing();
  host_.pump->retry();
  delivered();
  EXPECT_THAT(letters(), IsEmpty());
}

// Hazard 32: who refuses everything is to blame, and not each event.
TEST_F(AppendContract, KeepsEverythingForOneThatRefusesEverything) {
  for (int i = 0; i < 20; ++i) host_.run();
  harness_->refuse("");
  EXPECT_TRUE(support::eventually([&] {
    host_.settle();
    return host_.status().state == SinkState::refusing;
  }));
  for (int i = 0; i < 5; ++i) host_.settle();
  EXPECT_LT(letters().size(), 20U);
  const auto set_aside = letters().size();
  harness_->refuse_nothing();
  EXPECT_EQ(delivered().size() + set_aside, all().size());
}

TEST_F(AppendContract, ACallThatHangsEndsWhenItIsInterrupted) {
  const auto row = host_.run();
  const auto sink = harness_->make_sink();
  const auto events = host_.journal->reading(
      [&](journal::Reader& reader) { return reader.events_of(row.task.task_id); });
  const Event& event = events.front();
  const Message message{event.seq, event.time, event.type, event.task_id, payload_of(*sink, event)};
  harness_->freeze();
  auto call = std::async(std::launch::async, [&] {
    return sink->deliver({{&message, 1}, {}, {}});
  });
  EXPECT_EQ(call.wait_for(std::chrono::milliseconds(100)), std::future_status::timeout);
  sink->interrupt();
  EXPECT_EQ(call.get().kind, Outcome::Kind::retry);  // would wait for ever
  harness_->thaw();
}

}  // namespace
}  // namespace resmgr::sinks
