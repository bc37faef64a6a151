// Usage records, what is posted of them, and by what the journal became another one.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/journal/fixture.h"

namespace resmgr::journal {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class UsageTest : public JournalTest {
 protected:
  void put(const std::string& task_id, const std::string& user_id) {
    journal().transact([&](Transaction& transaction) {
      transaction.put_usage(task_id, R"({"userId":")" + user_id + R"("})", "hash of " + task_id);
    });
  }
  std::vector<std::string> ids(const UsageFilter& filter, int limit = 100) {
    std::vector<std::string> ids;
    for (const auto& usage :
         journal().reading([&](Reader& reader) { return reader.usage_records(filter, limit); })) {
      ids.push_back(usage.task_id);
    }
    return ids;
  }
};

TEST_F(UsageTest, TellsARecordWithItsHash) {
  put("a", "ada");
  const auto usage = journal().reading([](Reader& reader) { return reader.usage_of("a"); });
  ASSERT_TRUE(usage);
  EXPECT_EQ(usage->record, R"({"userId":"ada"})");
  EXPECT_EQ(usage->hash, "hash of a");
  EXPECT_FALSE(journal().reading([](Reader& reader) { return reader.usage_of("b"); }));
}

TEST_F(UsageTest, ListsThemInTheOrderInWhichTheyCame) {
  for (const char* id : {"c", "a", "b"}) put(id, id == std::string("a") ? "ada" : "bob");
  EXPECT_THAT(ids({}), ElementsAre("c", "a", "b"));
  EXPECT_THAT(ids({.user_id = "bob", .unanswered_by = {}}), ElementsAre("c", "b"));
  const auto first =
      journal().reading([](Reader& reader) { return reader.usage_records({}, 1); }).front();
  EXPECT_THAT(ids({.user_id = {}, .unanswered_by = {}, .after = first.number}),
              ElementsAre("a", "b"));
  EXPECT_THAT(ids({}, 0), IsEmpty());
}

// Hazard 33: they outlive their events, and each is answered for or not.
TEST_F(UsageTest, KnowsWhichASinkHasNotAnswered) {
  for (const char* id : {"a", "b", "c"}) put(id, "ada");
  journal().transact([](Transaction& transaction) {
    transaction.cursors().put_receipt({"blockchain", "a", kNoon, "{}"});
    transaction.cursors().put_receipt({"other", "b", kNoon, "{}"});
    DeadLetter letter;
    letter.sink = "blockchain";
    letter.task_id = "c";
    transaction.cursors().set_aside(letter);
  });
  EXPECT_THAT(ids({.user_id = {}, .unanswered_by = "blockchain"}), ElementsAre("b"));
  const auto letters =
      journal().reading([](Reader& reader) { return reader.cursors().letters_of("c"); });
  EXPECT_THAT(letters, SizeIs(1));
}

TEST_F(UsageTest, KeepsWhatIsPosted) {
  const auto posts = [&] {
    return journal().reading([](Reader& reader) { return reader.cursors().posts_of("a"); });
  };
  journal().transact([](Transaction& transaction) {
    transaction.cursors().put_post({"blockchain", "a", kNoon, "first"});
    transaction.cursors().put_post({"blockchain", "a", kNoon, "second"});
    transaction.cursors().put_post({"other", "a", kNoon, "its"});
  });
  reopen();
  ASSERT_THAT(posts(), SizeIs(2));
  EXPECT_EQ(posts()[0].body, "second");
  EXPECT_EQ(posts()[0].made_at, kNoon);
  journal().transact([](Transaction& transaction) {
    transaction.cursors().erase_post("blockchain", "a");
    transaction.cursors().erase_post("blockchain", "never there");
  });
  ASSERT_THAT(posts(), SizeIs(1));
  EXPECT_EQ(posts()[0].body, "its");
}

// Hazard 31.
TEST_F(UsageTest, KnowsWhenItBecameAnotherJournal) {
  const auto replacement = [&] {
    return journal().reading([](Reader& reader) { return reader.replacement(); });
  };
  const auto append = [&](const char* type) {
    return journal().writing(
        [&](Transaction& transaction) { return transaction.append(type, kNoon, "{}"); });
  };
  append(event_type::kAgentStarted);
  EXPECT_FALSE(replacement());
  append(event_type::kJournalRebuilt);
  const auto last = append(event_type::kJournalRestored);
  append(event_type::kAgentStarted);
  ASSERT_TRUE(replacement());
  EXPECT_EQ(replacement()->seq, last);
  append(event_type::kJournalRebuilt);
  EXPECT_EQ(replacement()->seq, last + 2);
}

}  // namespace
}  // namespace resmgr::journal
