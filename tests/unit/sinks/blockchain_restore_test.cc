// What a BlockchainService gets of records that another journal made, or whose events are gone.

#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/sinks/blockchain_fixture.h"

namespace resmgr::sinks {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

using BlockchainRestoreTest = BlockchainSinkTest;

// Hazard 31: of a task that had ended already when the journal was restored, another record may
// stand there.
TEST_F(BlockchainRestoreTest, HoldsWhatMayHaveBeenPostedBeforeARestore) {
  std::vector<journal::TaskRow> before;
  for (int i = 0; i < 25; ++i) before.push_back(host_.run());
  const auto posted = run_and_end();
  auto goes_on = host_.run();
  ASSERT_TRUE(host_.deliver_all());
  host_.clock.advance(Millis{60'000});
  const Instant restored = host_.clock.now();
  host_.journal->transact([&](journal::Transaction& transaction) {
    transaction.append(event_type::kJournalRestored, restored, "{}");
  });
  host_.clock.advance(Millis{60'000});
  for (auto& row : before) host_.record_end(row, restored);
  host_.record_end(goes_on, restored + Millis{1});
  auto later = host_.run();
  host_.end(later);
  ASSERT_TRUE(host_.deliver_all()) << host_.cause();
  EXPECT_THAT(keys(),
              ElementsAre(posted.task.usage_hash, goes_on.task.usage_hash, later.task.usage_hash));
  // However many they are, they say nothing of the service.
  ASSERT_THAT(letters(), SizeIs(25));
  EXPECT_THAT(letters()[0].reason, StartsWith("may have been posted"));
  EXPECT_EQ(host_.status().state, SinkState::current);
  // Somebody looked.
  host_.pump->retry();
  ASSERT_TRUE(host_.deliver_all());
  EXPECT_THAT(letters(), IsEmpty());
  EXPECT_THAT(service_.requests(), SizeIs(28));
}

// Hazard 31: the record that was made before the restore is known by its hash, and is the bill.
TEST_F(BlockchainRestoreTest, AdoptsWhatIsKnownToHaveBeenBilledBeforeARestore) {
  auto known = host_.run();
  auto unknown = host_.run();
  billed_before_ = [id = known.task.task_id](const std::string& task_id) {
    return task_id == id ? std::optional(std::string(64, 'b')) : std::nullopt;
  };
  host_.make_pump();
  const Instant restored = host_.clock.now();
  host_.journal->transact([&](journal::Transaction& transaction) {
    transaction.append(event_type::kJournalRestored, restored, "{}");
  });
  host_.record_end(known, restored);
  host_.record_end(unknown, restored);
  ASSERT_TRUE(host_.deliver_all()) << host_.cause();
  EXPECT_THAT(service_.requests(), IsEmpty());
  EXPECT_THAT(letters(), SizeIs(1));
  ASSERT_THAT(receipts(known), SizeIs(1));
  EXPECT_EQ(receipts(known)[0].body, R"({"adoptedUsageHash":")" + std::string(64, 'b') + R"("})");
}

// Hazard 33.
TEST_F(BlockchainRestoreTest, GetsTheRecordsWhoseEventsWerePruned) {
  service_.answer(503, "");
  std::vector<std::string> hashes;
  for (int i = 0; i < 5; ++i) hashes.push_back(run_and_end().task.usage_hash);
  EXPECT_NE(host_.settle(), std::nullopt);
  prune_all_events();
  service_.set_answer([&](const HttpRequest& request) -> std::optional<HttpResponse> {
    if (header(request, "Idempotency-Key") == hashes[3]) return HttpResponse{400, {}, "no"};
    return HttpResponse{200, {}, "{}"};
  });
  hashes.push_back(run_and_end().task.usage_hash);
  ASSERT_TRUE(host_.deliver_all()) << host_.cause();
  auto asked = keys();
  asked.erase(asked.begin());  // the one that was answered 503
  EXPECT_EQ(asked, hashes);
  ASSERT_THAT(letters(), SizeIs(1));
  host_.restart();
  ASSERT_TRUE(host_.deliver_all());
  EXPECT_THAT(keys(), SizeIs(7));
  EXPECT_EQ(host_.status().lag_events, 0);
}

TEST_F(BlockchainRestoreTest, HoldsARecordThatWasChanged) {
  const auto row = run_and_end();
  SQLite::Database(host_.file(), SQLite::OPEN_READWRITE)
      .exec("UPDATE usage_records SET record = replace(record, '\"cpuMs\":0', '\"cpuMs\":1')");
  ASSERT_TRUE(host_.deliver_all());
  EXPECT_THAT(service_.requests(), IsEmpty());
  ASSERT_THAT(letters(), SizeIs(1));
  EXPECT_THAT(letters()[0].reason, HasSubstr("hash"));
}

}  // namespace
}  // namespace resmgr::sinks
