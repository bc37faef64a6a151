// A BlockchainService before a real chain. It is slow, refuses, is killed, and dies between its
// transaction and its answer: each record is on the chain, found by its hash, and none twice.

#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>

#include "agent/sinks/blockchain_sink.h"
#include "common/json.h"
#include "tests/contract/journal_host.h"
#include "tests/support/chain.h"
#include "tests/support/eventually.h"
#include "tests/support/node_script.h"

namespace resmgr::sinks {
namespace {

using ::testing::Contains;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAreArray;

class BlockchainTest : public testing::Test {
 protected:
  // On the port that it had before, if any.
  void start_service() {
    const std::string url = service_->url();
    service_.reset();
    service_ = make_service(url.substr(url.rfind(':') + 1));
  }
  std::unique_ptr<support::NodeScript> make_service(const std::string& port) const {
    return std::make_unique<support::NodeScript>("blockchain_service.mjs",
                                                 std::vector<std::string>{chain_.url(), port});
  }
  void behave(const Json& behaviour) const {
    HttpRequest request;
    request.method = "PUT";
    request.target = "/behaviour";
    request.content_type = "application/json";
    request.body = dump_json(behaviour);
    ASSERT_EQ(make_http_client({.url = service_->url(), .ca_file = {}})->send(request).status, 200);
  }
  void limit_posts_to(Millis timeout) {
    options_.timeout = timeout;
    host_.make_pump();
  }
  std::unique_ptr<Sink> make_sink() {
    options_.destination.section = "blockchain";
    options_.destination.url = service_->url() + "/api/metrics";
    return std::make_unique<BlockchainSink>(options_, *host_.journal, host_.clock, nullptr);
  }

  std::string run_and_end() {
    auto row = host_.run();
    host_.end(row);
    ended_.push_back(row);
    return row.task.usage_hash;
  }
  std::vector<journal::Receipt> receipts_of(const journal::TaskRow& row) const {
    return host_.journal->reading(
        [&](journal::Reader& reader) { return reader.cursors().receipts_of(row.task.task_id); });
  }
  void expect_all_on_the_chain_once() {
    ASSERT_TRUE(host_.deliver_all()) << host_.cause();
    std::vector<std::string> hashes;
    for (const auto& row : ended_) hashes.push_back(row.task.usage_hash);
    EXPECT_THAT(chain_.inputs(), UnorderedElementsAreArray(hashes));
    EXPECT_THAT(letters(), IsEmpty());
    for (const auto& row : ended_) {
      const auto receipts = receipts_of(row);
      ASSERT_THAT(receipts, SizeIs(1));
      const Json body = parse_json(receipts[0].body, "receipt");
      const Json& blockchain = object_at(object_at(body, "data"), "blockchain");
      EXPECT_EQ(chain_.input_of(string_or(blockchain, "txHash")), row.task.usage_hash);
      EXPECT_GT(integer_or(blockchain, "blockNumber", 0), 0);
    }
  }
  std::vector<journal::DeadLetter> letters() const { return host_.pump->letters(0, 100); }

  support::Chain chain_;
  std::unique_ptr<support::NodeScript> service_ = make_service("0");
  BlockchainOptions options_;
  JournalHost host_{"here", [this] { return make_sink(); }};
  std::vector<journal::TaskRow> ended_;
};

TEST_F(BlockchainTest, EachEndedTaskIsOnTheChainUnderItsHash) {
  for (int i = 0; i < 20; ++i) run_and_end();
  host_.run();
  host_.fail();
  expect_all_on_the_chain_once();
}

TEST_F(BlockchainTest, WantsItsToken) {
  behave({{"token", "right"}});
  options_.destination.secret = Secret::of("wrong");
  host_.make_pump();
  run_and_end();
  EXPECT_NE(host_.settle(), std::nullopt);
  EXPECT_EQ(host_.status().state, SinkState::refusing);
  options_.destination.secret = Secret::of("right");
  host_.make_pump();
  expect_all_on_the_chain_once();
}

// Hazard 35: an answer just within the limit is one, and one after it is none.
TEST_F(BlockchainTest, AnswersTooLateOrJustInTime) {
  limit_posts_to(Millis{2'000});
  behave({{"after", 1'000}});
  run_and_end();
  ASSERT_EQ(host_.settle(), std::nullopt) << host_.cause();
  behave({{"after", 60'000}});
  const std::string in_doubt = run_and_end();
  EXPECT_NE(host_.settle(), std::nullopt);
  EXPECT_THAT(chain_.inputs(), Contains(in_doubt));
  // It has not even begun to write when it is asked again.
  behave({{"before", 3'000}});
  const std::string late = run_and_end();
  EXPECT_NE(host_.settle(), std::nullopt);
  behave(Json::object());
  expect_all_on_the_chain_once();
  ASSERT_TRUE(support::eventually([&] {
    const auto inputs = chain_.inputs();
    return std::ranges::find(inputs, late) != inputs.end();
  }));
  expect_all_on_the_chain_once();
}

TEST_F(BlockchainTest, DiesOnceItWroteAndBeforeItAnswers) {
  behave({{"die", true}});
  const std::string hash = run_and_end();
  EXPECT_NE(host_.settle(), std::nullopt);
  EXPECT_THAT(chain_.inputs(), Contains(hash));
  EXPECT_EQ(host_.status().state, SinkState::failing);
  // The agent is killed too, and its next process knows no more than the journal.
  host_.restart();
  run_and_end();
  EXPECT_NE(host_.settle(), std::nullopt);
  start_service();
  behave({{"known", 409}});
  expect_all_on_the_chain_once();
}

TEST_F(BlockchainTest, IsAwayForLong) {
  run_and_end();
  expect_all_on_the_chain_once();
  service_->process().signal(SIGKILL);
  for (int i = 0; i < 20; ++i) {
    run_and_end();
    EXPECT_NE(host_.settle(), std::nullopt);
  }
  start_service();
  expect_all_on_the_chain_once();
}

TEST_F(BlockchainTest, RefusesForAWhile) {
  behave({{"status", 500}});
  run_and_end();
  EXPECT_NE(host_.settle(), std::nullopt);
  behave({{"status", 400}});
  run_and_end();
  ASSERT_TRUE(host_.deliver_all());
  EXPECT_THAT(letters(), SizeIs(2));
  behave(Json::object());
  run_and_end();
  ASSERT_TRUE(host_.deliver_all());
  host_.pump->retry();
  expect_all_on_the_chain_once();
}

// What was posted after a copy of the journal was made is posted again after that was restored: the
// key is the same.
TEST_F(BlockchainTest, IsAskedAgainAfterARestore) {
  run_and_end();
  const auto cursor = host_.journal->reading(
      [](journal::Reader& reader) { return reader.cursors().cursor("blockchain"); });
  ASSERT_TRUE(host_.deliver_all());
  host_.journal->transact([&](journal::Transaction& transaction) {
    transaction.cursors().move(
        cursor.value_or(journal::Cursor{.sink = "blockchain", .digest = {}}));
    transaction.cursors().erase_post("blockchain", ended_[0].task.task_id);
  });
  SQLite::Database(host_.file(), SQLite::OPEN_READWRITE).exec("DELETE FROM receipts");
  host_.restart();
  expect_all_on_the_chain_once();
}

}  // namespace
}  // namespace resmgr::sinks
