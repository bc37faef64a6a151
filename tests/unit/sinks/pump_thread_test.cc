#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/sinks/world.h"

namespace resmgr::sinks {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

using PumpThreadTest = PumpTest;

TEST_F(PumpThreadTest, WakesWhenTheJournalGrows) {
  make_pump();
  pump_->run();
  for (std::int64_t seq = 1; seq <= 50; ++seq) {
    append();
    if (seq % 10 != 0) continue;
    EXPECT_TRUE(support::eventually(
        [&] { return destination_.taken().size() == static_cast<std::size_t>(seq); }));
  }
}

TEST_F(PumpThreadTest, TriesAtOnceWhenItIsWoken) {
  pump_options_.backoff_min = pump_options_.backoff_max = std::chrono::hours(1);
  destination_.set_answer([](const Batch&) { return Outcome::retry("it is away"); });
  append();
  make_pump();
  pump_->run();
  ASSERT_TRUE(support::eventually([&] { return pump_->status().state == SinkState::failing; }));
  destination_.set_answer(nullptr);
  append();  // is no reason to try again
  pump_->wake();
  EXPECT_TRUE(support::eventually([&] { return destination_.taken().size() == 2; }));
}

TEST_F(PumpThreadTest, FlushesWhatIsLeftAtTheStop) {
  options_.limits.messages = 1;
  append_many(100);
  pump_options_.last_flush = std::chrono::minutes(5);
  make_pump();
  pump_->run();
  pump_->request_stop();
  pump_->join();
  EXPECT_THAT(destination_.taken(), SizeIs(100));
  EXPECT_EQ(cursor()->seq, 100);
}

TEST_F(PumpThreadTest, ADestinationThatHangsDoesNotHoldUpTheStop) {
  pump_options_.last_flush = Millis{50};
  destination_.freeze();
  append_many(3);
  make_pump();
  pump_->run();
  ASSERT_TRUE(support::eventually([&] { return destination_.frozen_delivery(); }));
  pump_->request_stop();
  pump_->join();  // would wait for ever
  EXPECT_THAT(destination_.taken(), IsEmpty());
  destination_.thaw();
  restart();
  settle();
  EXPECT_THAT(destination_.taken(), SizeIs(3));
}

// Hazard 33.
TEST_F(PumpThreadTest, PinsForThoseThatAreConfiguredOnly) {
  append_many(5);
  {
    Pumps pumps(pump_options_, *journal_, clock_);
    pumps.add(std::make_unique<FakeSink>(destination_, options_));
    pumps.run();
    EXPECT_TRUE(support::eventually([&] { return destination_.taken().size() == 5; }));
    pumps.stop();
    EXPECT_THAT(pumps.statuses(), SizeIs(1));
    EXPECT_EQ(pumps.statuses().front().pins_after, 5);
    append_many(2);
    EXPECT_EQ(pumps.pinned_to(), 5);
  }
  EXPECT_TRUE(cursor()->attached);
  {
    Pumps none(pump_options_, *journal_, clock_);
    none.run();
    EXPECT_FALSE(cursor()->attached);
    EXPECT_EQ(cursor()->seq, 5);  // it goes on from there when it is back
    EXPECT_EQ(none.pinned_to(), 7);
    EXPECT_THROW(none.wake("fake"), Error);
  }
}

}  // namespace
}  // namespace resmgr::sinks
