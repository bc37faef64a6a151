// What every sink that keeps its position does, the one in memory and the real ones alike.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "tests/contract/journal_host.h"
#include "tests/contract/sink_harness.h"
#include "tests/support/sink_payload.h"

namespace resmgr::sinks {
namespace {

using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

class SinkContract : public testing::Test {
 protected:
  std::optional<Position> position() {
    return harness_->make_sink()->position(host_.journal->id());
  }
  std::map<std::string, std::string> delivered() {
    EXPECT_TRUE(host_.deliver_all()) << host_.cause();
    return harness_->statuses();
  }
  Message message_of(Sink& sink, const std::string& task_id, std::size_t number) const {
    const auto events =
        host_.journal->reading([&](journal::Reader& reader) { return reader.events_of(task_id); });
    const Event& event = events.at(number);
    return {event.seq, event.time, event.type, event.task_id, payload_of(sink, event)};
  }

  std::unique_ptr<SinkHarness> harness_ = make_sink_harness();
  JournalHost host_{"here", [this] { return harness_->make_sink(); }};
};

TEST_F(SinkContract, TakesTheTasksThereAreAndThenWhatHappens) {
  auto before = host_.run();
  const auto failed = host_.fail();
  EXPECT_EQ(position(), std::nullopt);
  EXPECT_THAT(delivered(), UnorderedElementsAre(Pair(before.task.task_id, "Running"),
                                                Pair(failed.task.task_id, "Error")));
  EXPECT_EQ(position()->seq, host_.journal->head());
  host_.end(before);
  const auto after = host_.run();
  EXPECT_THAT(delivered(), UnorderedElementsAre(Pair(before.task.task_id, "Stopped"),
                                                Pair(failed.task.task_id, "Error"),
                                                Pair(after.task.task_id, "Running")));
  EXPECT_EQ(position()->seq, host_.journal->head());
}

TEST_F(SinkContract, GoesOnAfterARestart) {
  auto row = host_.run();
  delivered();
  host_.end(row);
  host_.restart();
  EXPECT_THAT(delivered(), UnorderedElementsAre(Pair(row.task.task_id, "Stopped")));
}

// Hazard 32.
TEST_F(SinkContract, AnOlderMessageNeverBeatsANewerOne) {
  auto row = host_.run();
  host_.end(row);
  delivered();
  const auto sink = harness_->make_sink();
  const auto stands = sink->position(host_.journal->id());
  const Message old = message_of(*sink, row.task.task_id, 2);
  EXPECT_EQ(sink->deliver({{&old, 1}, stands, stands}).kind, Outcome::Kind::delivered);
  EXPECT_THAT(harness_->statuses(), UnorderedElementsAre(Pair(row.task.task_id, "Stopped")));
  EXPECT_EQ(sink->position(host_.journal->id()), stands);
}

// Hazard 31: what was thought of its position must be so.
TEST_F(SinkContract, ABatchFromAnotherPositionChangesNothing) {
  delivered();
  const auto row = host_.run();
  const auto sink = harness_->make_sink();
  const auto stands = sink->position(host_.journal->id());
  const Message message = message_of(*sink, row.task.task_id, 3);
  const Position to{message.seq, "digest"};
  for (const auto& from : {std::optional<Position>(), std::optional(Position{4711, stands->digest}),
                           std::optional(Position{stands->seq, "another"})}) {
    EXPECT_EQ(sink->deliver({{&message, 1}, from, to}).kind, Outcome::Kind::retry);
  }
  EXPECT_THAT(harness_->statuses(), IsEmpty());
  EXPECT_EQ(sink->position(host_.journal->id()), stands);
  EXPECT_EQ(sink->deliver({{&message, 1}, stands, to}).kind, Outcome::Kind::delivered);
  EXPECT_EQ(sink->position(host_.journal->id()), to);
}

TEST_F(SinkContract, ADeliveryInDoubtIsThereOnce) {
  delivered();
  for (const bool taken : {true, false}) {
    harness_->lose_next_answer(taken);
    auto row = host_.run();
    EXPECT_NE(host_.settle(), std::nullopt);
    EXPECT_EQ(delivered()[row.task.task_id], "Running");
    EXPECT_EQ(position()->seq, host_.journal->head());
    EXPECT_EQ(host_.status().state, SinkState::current);
  }
}

TEST_F(SinkContract, KeepsEverythingWhileItIsAway) {
  auto row = host_.run();
  delivered();
  harness_->go_away();
  host_.end(row);
  for (int i = 0; i < 3; ++i) EXPECT_NE(host_.settle(), std::nullopt);
  EXPECT_EQ(host_.status().state, SinkState::failing);
  EXPECT_NE(host_.cause(), "");
  harness_->come_back();
  EXPECT_THAT(delivered(), UnorderedElementsAre(Pair(row.task.task_id, "Stopped")));
}

// Hazard 32.
TEST_F(SinkContract, SetsAsideOnlyWhatItCanNotTake) {
  delivered();
  std::vector<journal::TaskRow> rows;
  for (int i = 0; i < 9; ++i) rows.push_back(host_.run());
  const std::string bad = rows[4].task.task_id;
  harness_->refuse(bad);
  auto statuses = delivered();
  EXPECT_THAT(statuses, SizeIs(8));
  EXPECT_FALSE(statuses.contains(bad));
  const auto letters = host_.pump->letters(0, 100);
  EXPECT_FALSE(letters.empty());
  for (const auto& letter : letters) EXPECT_EQ(letter.task_id, bad);
}

TEST_F(SinkContract, ACallThatHangsEndsWhenItIsInterrupted) {
  delivered();
  const auto row = host_.run();
  const auto sink = harness_->make_sink();
  const auto stands = sink->position(host_.journal->id());
  const Message message = message_of(*sink, row.task.task_id, 3);
  harness_->freeze();
  auto call = std::async(std::launch::async, [&] {
    return sink->deliver({{&message, 1}, stands, Position{message.seq, "digest"}});
  });
  EXPECT_EQ(call.wait_for(std::chrono::milliseconds(100)), std::future_status::timeout);
  sink->interrupt();
  EXPECT_EQ(call.get().kind, Outcome::Kind::retry);  // would wait for ever
  harness_->thaw();
}

}  // namespace
}  // namespace resmgr::sinks
