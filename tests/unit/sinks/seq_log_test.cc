// The agent's own log on its way from the spool to Seq.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>

#include "agent/sinks/diagnostics.h"
#include "tests/unit/sinks/seq_fixture.h"

namespace resmgr::sinks {
namespace {

std::atomic<int> syncs = 0;

}  // namespace
}  // namespace resmgr::sinks

// In the place of libc's, for this test program: SQLite and the spool call these.
extern "C" int fsync(int) {
  ++resmgr::sinks::syncs;
  return 0;
}
extern "C" int fdatasync(int) {
  ++resmgr::sinks::syncs;
  return 0;
}

namespace resmgr::sinks {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class SeqLog : public SeqTest {
 protected:
  SeqLog() { make_seq_pump(); }
  // As it was, for whatever comes after it in this process.
  void TearDown() override { log::set_level(log::Level::warning); }
};

TEST_F(SeqLog, GoesWithTheEventsAndIsGoneAfterwards) {
  append();
  log_lines(1, 4);
  EXPECT_EQ(settle(), Millis{1'000}) << "looks again for lines";
  EXPECT_THAT(seqs(), ElementsAre(1));
  EXPECT_THAT(numbers(), ElementsAre(1, 2, 3));
  EXPECT_TRUE(spool_->read(1, 1).empty());
  log_lines(4, 5);
  settle();
  EXPECT_THAT(numbers(), ElementsAre(1, 2, 3, 4));
}

TEST_F(SeqLog, WaitsWhileSeqIsAway) {
  server_.befall_all(answer(503));
  log_lines(1, 4);
  for (int i = 0; i < 3; ++i) settle();
  EXPECT_EQ(pump_->status().state, SinkState::failing);
  restart_seq();
  server_.befall_all(std::nullopt);
  log_lines(4, 5);
  settle();
  EXPECT_THAT(numbers(), ElementsAre(1, 2, 3, 4));
  EXPECT_EQ(pump_->status().state, SinkState::current);
}

TEST_F(SeqLog, IsThereAtLeastOnceWhereItIsInDoubt) {
  log_lines(1, 3);
  server_.befall({.kind = SeqMishap::Kind::take_and_cut});
  settle();
  settle();
  EXPECT_THAT(numbers(), ElementsAre(1, 2, 1, 2));
}

// Hazard 27: bounded, and honest about it.
TEST_F(SeqLog, TellsHowManyLinesWereDropped) {
  spool_options_.most_bytes = 64 << 10;
  make_seq_pump();
  server_.befall_all(answer(503));
  log_lines(0, 1'000, log::Level::information, std::string(200, 'x'));
  settle();
  server_.befall_all(std::nullopt);
  settle();
  const auto counts = taken("Count");
  ASSERT_THAT(counts, SizeIs(1));
  EXPECT_GT(counts.front(), 500);
  EXPECT_EQ(counts.front().get<std::size_t>() + numbers().size(), 1'000U);
  EXPECT_EQ(numbers().back(), 999);
  EXPECT_EQ(server_.events().front()["@l"], "Warning");
  EXPECT_THAT(server_.events().front()["@mt"].get<std::string>(), HasSubstr("were dropped"));
}

TEST_F(SeqLog, ABadLineIsSetAsideAndTheOthersArrive) {
  log_lines(0, 100);
  server_.refuse([](const Json& event) { return event.value("Number", -1) == 77; });
  settle();
  EXPECT_THAT(numbers(), SizeIs(99));
  EXPECT_THAT(support::read_file(spool_options_.folder + "/rejected.clef"),
              HasSubstr("\"Number\":77"));
  EXPECT_EQ(pump_->status().state, SinkState::current);
}

// Hazard 32.
TEST_F(SeqLog, IsKeptForOneThatRefusesEverything) {
  log_lines(0, 100);
  server_.befall_all(answer(400));
  for (int i = 0; i < 10; ++i) settle();
  EXPECT_EQ(pump_->status().state, SinkState::refusing);
  server_.befall_all(std::nullopt);
  settle();
  EXPECT_GE(numbers().size(), 80U);
  EXPECT_EQ(numbers().back(), 99);
}

TEST_F(SeqLog, ComesFromTheLogItself) {
  log::set_level(log::Level::fatal);
  spool_.reset();
  pump_.reset();
  Diagnostics diagnostics(spool_options_, {"a0a0", "here"}, log::Level::information);
  log::debug("not this");
  log::warning("Disk {Disk} is full", {{"Disk", "sda"}});
  log::write(log::Level::information, "Refused {Method}", {{"Method", "GET"}},
             log::Readers::collector);
  diagnostics.spool().flush();
  SeqSink sink(seq_options_, {"a0a0", "here"}, &diagnostics.spool(), clock_);
  EXPECT_EQ(sink.idle(), Millis{0});
  const auto events = server_.events();
  ASSERT_THAT(events, SizeIs(2)) << server_.last_fault();
  EXPECT_EQ(events[0]["@mt"], "Disk {Disk} is full");
  EXPECT_EQ(events[0]["Disk"], "sda");
  EXPECT_EQ(events[0]["@l"], "Warning");
  EXPECT_EQ(events[0]["AgentId"], "a0a0");
  EXPECT_EQ(events[1]["@mt"], "Refused {Method}");
}

// Hazard 27: what strangers cause costs no disk's confirmation, and no room in the journal.
TEST_F(SeqLog, AFloodOfLinesIsNeverForcedToTheDisk) {
  log::set_level(log::Level::fatal);
  append();
  EXPECT_GT(syncs, 0) << "those of the journal are counted";
  pump_.reset();
  spool_.reset();
  const std::int64_t head = journal_->head();
  syncs = 0;
  spool_options_.most_bytes = 256 << 10;
  {
    Diagnostics diagnostics(spool_options_, {"a0a0", "here"}, log::Level::information);
    for (int i = 0; i < 5'000; ++i) {
      log::info("Refused {Method} {Route} of {Peer} with {Status} ({RequestId})",
                {{"Method", "GET"},
                 {"Route", "/api/tasks"},
                 {"Peer", "10.0.0.7"},
                 {"Status", 401},
                 {"RequestId", i}});
    }
    diagnostics.spool().flush();
  }
  EXPECT_EQ(syncs, 0);
  EXPECT_EQ(journal_->head(), head);
  std::uintmax_t bytes = 0;
  for (const auto& entry : std::filesystem::directory_iterator(spool_options_.folder)) {
    bytes += entry.file_size();
  }
  EXPECT_LE(bytes, 256U << 10);
  EXPECT_GT(bytes, 100U << 10);
}

TEST_F(SeqLog, APumpThatStopsSendsWhatThereIs) {
  pump_options_.last_flush = std::chrono::minutes(5);
  make_seq_pump();
  log_lines(0, 3'000);
  append_many(10);
  pump_->run();
  pump_->request_stop();
  pump_->join();
  EXPECT_THAT(numbers(), SizeIs(3'000));
  EXPECT_THAT(seqs(), SizeIs(10));
}

}  // namespace
}  // namespace resmgr::sinks
