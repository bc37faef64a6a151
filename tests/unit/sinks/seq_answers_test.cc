// What each answer of Seq's leads to.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/unit/sinks/seq_fixture.h"

namespace resmgr::sinks {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

TEST_F(SeqTest, SendsTheWholeJournalAsTheContractHasIt) {
  append_many(5);
  make_seq_pump();
  settle();
  EXPECT_THAT(seqs(), ElementsAre(1, 2, 3, 4, 5));
  ASSERT_THAT(server_.seen(), SizeIs(1)) << server_.last_fault();
  const std::string head = server_.seen().front().head;
  EXPECT_THAT(head, testing::StartsWith("POST /ingest/clef HTTP/1.1\r\n"));
  EXPECT_EQ(support::header_in(head, "Content-Type"),
            "application/vnd.serilog.clef; charset=utf-8");
  EXPECT_EQ(support::header_in(head, "X-Seq-ApiKey"), "");
  EXPECT_EQ(pump_->status().state, SinkState::current);
}

TEST_F(SeqTest, GivesItsKeyInAHeaderAloneAndReadsItAnew) {
  const std::string file = dir_.write("key", "first\n");
  seq_options_.destination.secret = Secret::in_file(file);
  server_.require_key("first");
  append();
  make_seq_pump();
  settle();
  EXPECT_THAT(seqs(), SizeIs(1));
  EXPECT_EQ(support::header_in(server_.seen().front().head, "X-Seq-ApiKey"), "first");

  server_.require_key("second");
  append();
  EXPECT_NE(settle(), std::nullopt);
  const SinkStatus status = pump_->status();
  EXPECT_EQ(status.state, SinkState::refusing);
  EXPECT_THAT(status.last_error + status.hint,
              AllOf(HasSubstr("401"), HasSubstr("api_key_file"), Not(HasSubstr("first"))));
  static_cast<void>(dir_.write("key", "second\n"));
  settle();
  EXPECT_THAT(seqs(), ElementsAre(1, 2));
  for (const auto& seen : server_.seen()) {
    EXPECT_EQ(seen.head.substr(0, seen.head.find("\r\n")), "POST /ingest/clef HTTP/1.1");
  }
}

TEST_F(SeqTest, KeepsAndTriesAgainWhateverIsNoVerdictOnALine) {
  make_seq_pump();
  for (const int status : {401, 403, 404, 405, 408, 415, 429, 500, 502, 503, 302}) {
    server_.befall(answer(status));
    append();
    const auto wait = settle();
    ASSERT_TRUE(wait && *wait > Millis{0}) << status;
    EXPECT_THAT(pump_->status().last_error, HasSubstr(std::to_string(status)));
    EXPECT_EQ(pump_->status().state, status == 429 || status == 408 || status >= 500
                                         ? SinkState::failing
                                         : SinkState::refusing)
        << status;
    settle();
    EXPECT_EQ(pump_->status().state, SinkState::current) << status;
  }
  EXPECT_THAT(seqs(), SizeIs(11));
  EXPECT_THAT(letters(), IsEmpty());
}

TEST_F(SeqTest, WaitsAsLongAsItIsAskedTo) {
  make_seq_pump();
  pump_options_.backoff_min = pump_options_.backoff_max = Millis{1};
  append();
  server_.befall(answer(429, "Retry-After: 17\r\n"));
  EXPECT_EQ(settle(), Millis{17'000});
  server_.befall(answer(503, "Retry-After: Sun, 22 Nov 2026 17:05:05 GMT\r\n"));
  EXPECT_EQ(settle(), Millis{60'000});
}

TEST_F(SeqTest, OneBadLineIsSetAsideAndTheOthersArrive) {
  append_many(100);
  server_.refuse([](const Json& event) { return event["Seq"] == 77; });
  make_seq_pump();
  settle();
  EXPECT_THAT(seqs(), SizeIs(99));
  ASSERT_THAT(letters(), SizeIs(1));
  EXPECT_EQ(letters().front().seq, 77);
  EXPECT_THAT(letters().front().reason, HasSubstr("400: a line is bad"));
  EXPECT_THAT(letters().front().payload, HasSubstr("\"@mt\""));
}

TEST_F(SeqTest, HalvesABatchThatIsTooLargeForTheServer) {
  append_many(8);
  server_.befall(answer(413));
  server_.befall(answer(413));
  make_seq_pump();
  settle();
  EXPECT_THAT(seqs(), ElementsAre(1, 2, 3, 4, 5, 6, 7, 8));
  std::vector<std::size_t> lines;
  for (const auto& seen : server_.seen()) lines.push_back(seen.lines);
  EXPECT_THAT(lines, ElementsAre(8, 4, 2, 4, 2));
}

TEST_F(SeqTest, ABatchKeepsToTheLimitsOfSeq) {
  journal_->transact([&](journal::Transaction& transaction) {
    for (int i = 0; i < 60; ++i) {
      const Json details = {{"note", std::string(200'000, 'x')}};
      transaction.append("test.event", clock_.now(), dump_json(details));
    }
    const Json details = {{"note", std::string(300'000, 'x')}};
    transaction.append("test.event", clock_.now(), dump_json(details));
  });
  append_many(3'000);
  make_seq_pump();
  settle();
  EXPECT_THAT(seqs(), SizeIs(3'061)) << server_.last_fault();
  EXPECT_EQ(server_.events().at(60)["@l"], "Error");
  EXPECT_THAT(server_.events().at(60)["Sample"].get<std::string>(), HasSubstr("test.event"));
  for (const auto& seen : server_.seen()) {
    EXPECT_EQ(seen.status, 201);
    EXPECT_LE(seen.bytes, 10'000'000U);
    EXPECT_LE(seen.lines, 1'000U);
  }
  EXPECT_THAT(letters(), IsEmpty());
}

TEST_F(SeqTest, ALongBacklogArrivesInOrderOverEveryMishap) {
  constexpr std::int64_t kEvents = 20'000;
  append_many(kEvents);
  for (const int status : {503, 429, 413, 400, 401}) server_.befall(answer(status));
  server_.befall({.kind = SeqMishap::Kind::cut});
  make_seq_pump();
  EXPECT_TRUE(support::eventually([&] {
    settle();
    return pump_->status().lag_events == 0;
  }));
  const auto there = seqs();
  ASSERT_EQ(there.size(), static_cast<std::size_t>(kEvents));
  EXPECT_TRUE(std::ranges::is_sorted(there));
}

TEST_F(SeqTest, AnAnswerOfSomethingElseIsNoReceipt) {
  server_.befall({.status = 200, .body = "<html>Welcome!</html>"});
  append();
  make_seq_pump();
  settle();
  EXPECT_EQ(pump_->status().state, SinkState::refusing);
  EXPECT_THAT(pump_->status().hint, HasSubstr("url"));
  settle();
  EXPECT_THAT(seqs(), SizeIs(1));
}

TEST_F(SeqTest, AServerThatHangsIsGivenUpWithinTheTimeLimit) {
  seq_options_.timeout = Millis{100};
  append();
  make_seq_pump();
  server_.befall({.kind = SeqMishap::Kind::hang});
  EXPECT_NE(settle(), std::nullopt);
  EXPECT_EQ(pump_->status().state, SinkState::failing);
  EXPECT_THAT(pump_->status().last_error, HasSubstr("within 100ms"));
  seq_options_.timeout = std::chrono::minutes(1);
  make_seq_pump();
  settle();
  EXPECT_THAT(seqs(), SizeIs(1));
}

TEST_F(SeqTest, ASecretThatCanNotBeReadKeepsEverything) {
  seq_options_.destination.secret = Secret::in_file(dir_.path() / "missing");
  append();
  make_seq_pump();
  settle();
  EXPECT_EQ(pump_->status().state, SinkState::refusing);
  EXPECT_THAT(pump_->status().last_error, HasSubstr("cannot read key file"));
  EXPECT_THAT(server_.seen(), IsEmpty());
}

}  // namespace
}  // namespace resmgr::sinks
