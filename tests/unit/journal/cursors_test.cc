#include "agent/journal/cursors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/journal/fixture.h"

namespace resmgr::journal {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class CursorsTest : public JournalTest {
 protected:
  void write(const std::function<void(CursorWriter&)>& body) {
    journal().transact([&](Transaction& transaction) { body(transaction.cursors()); });
  }
  template <typename Fn>
  auto read(Fn&& body) {
    return journal().reading([&](Reader& reader) { return body(reader.cursors()); });
  }
  std::vector<std::int64_t> letter_seqs(std::int64_t after, int limit) {
    std::vector<std::int64_t> seqs;
    for (const auto& letter :
         read([&](CursorReader& cursors) { return cursors.letters("seq", after, limit); })) {
      seqs.push_back(letter.seq);
    }
    return seqs;
  }
  static DeadLetter letter(std::int64_t seq, std::string task_id = "") {
    DeadLetter letter;
    letter.sink = "seq";
    letter.seq = seq;
    letter.task_id = std::move(task_id);
    letter.time = kNoon;
    letter.type = "task.ended";
    letter.payload = std::string("{\"a\":\"\\u0000\"}\0binary", 21);
    letter.reason = "no";
    letter.set_aside_at = kNoon + Millis{5};
    return letter;
  }
};

TEST_F(CursorsTest, MovesACursorAndKeepsIt) {
  EXPECT_FALSE(read([](CursorReader& cursors) { return cursors.cursor("seq"); }));
  write([](CursorWriter& cursors) { cursors.move({"seq", 7, "digest", true, kNoon}); });
  reopen();
  const auto cursor = read([](CursorReader& cursors) { return cursors.cursor("seq"); });
  ASSERT_TRUE(cursor);
  EXPECT_EQ(cursor->seq, 7);
  EXPECT_EQ(cursor->digest, "digest");
  EXPECT_EQ(cursor->moved_at, kNoon);
  EXPECT_TRUE(cursor->attached);
}

// Hazard 33: who is not configured keeps its place, and pins nothing.
TEST_F(CursorsTest, AttachesThoseThatAreConfiguredAndNoOthers) {
  const std::vector<std::string> both = {"postgres", "seq"};
  write([&](CursorWriter& cursors) { cursors.attach(both, 3, kNoon); });
  write([](CursorWriter& cursors) { cursors.move({"seq", 9, "d", true, kNoon}); });
  const std::vector<std::string> one = {"postgres"};
  write([&](CursorWriter& cursors) { cursors.attach(one, 5, kNoon); });
  // The move of one that ends just now does not attach it again.
  write([](CursorWriter& cursors) { cursors.move({"seq", 10, "e", true, kNoon}); });
  const auto all = read([](CursorReader& cursors) { return cursors.cursors(); });
  ASSERT_THAT(all, SizeIs(2));
  EXPECT_EQ(all[0].sink, "postgres");
  EXPECT_TRUE(all[0].attached);
  EXPECT_EQ(all[0].seq, 3);
  EXPECT_FALSE(all[1].attached);
  EXPECT_EQ(all[1].seq, 10);
}

TEST_F(CursorsTest, KeepsALettersBytes) {
  write([](CursorWriter& cursors) { cursors.set_aside(letter(4, "task")); });
  const auto letters = read([](CursorReader& cursors) { return cursors.letters("seq", 0, 10); });
  ASSERT_THAT(letters, SizeIs(1));
  EXPECT_EQ(letters[0].payload, letter(4).payload);
  EXPECT_EQ(letters[0].task_id, "task");
  EXPECT_EQ(letters[0].type, "task.ended");
  EXPECT_EQ(letters[0].time, kNoon);
  EXPECT_EQ(letters[0].set_aside_at, kNoon + Millis{5});
  EXPECT_EQ(letters[0].attempts, 1);
  EXPECT_FALSE(letters[0].due);
  EXPECT_THAT(read([](CursorReader& cursors) { return cursors.letters("other", 0, 10); }),
              IsEmpty());
}

TEST_F(CursorsTest, ALetterThatIsSetAsideAgainIsNoSecondOne) {
  write([](CursorWriter& cursors) {
    cursors.set_aside(letter(4));
    DeadLetter again = letter(4);
    again.attempts = 2;
    cursors.set_aside(again);
  });
  EXPECT_EQ(read([](CursorReader& cursors) { return cursors.letter_count("seq"); }), 1);
}

TEST_F(CursorsTest, PagesOfLettersLeaveNoneOut) {
  write([](CursorWriter& cursors) {
    for (const std::int64_t seq : {1, 2, 5}) cursors.set_aside(letter(seq));
    // Of a first sync: one number, many tasks.
    for (const char* const task : {"a", "b", "c"}) cursors.set_aside(letter(3, task));
  });
  EXPECT_THAT(letter_seqs(0, 100), ElementsAre(1, 2, 3, 3, 3, 5));
  EXPECT_THAT(letter_seqs(0, 2), ElementsAre(1, 2));
  EXPECT_THAT(letter_seqs(2, 1), ElementsAre(3, 3, 3));
  EXPECT_THAT(letter_seqs(3, 1), ElementsAre(5));
  EXPECT_THAT(letter_seqs(5, 1), IsEmpty());
}

TEST_F(CursorsTest, TriesAgainWhatIsDueAndDiscardsWhatIsDone) {
  const auto due = [this] {
    const auto found = read([](CursorReader& cursors) { return cursors.due_letter("seq"); });
    return found ? found->seq : 0;
  };
  write([](CursorWriter& cursors) {
    cursors.set_aside(letter(1));
    cursors.set_aside(letter(2));
  });
  EXPECT_EQ(due(), 0);
  EXPECT_EQ(journal().writing(
                [](Transaction& transaction) { return transaction.cursors().make_due("seq"); }),
            2);
  EXPECT_EQ(due(), 1);
  write([](CursorWriter& cursors) { cursors.discard("seq", 1, ""); });
  EXPECT_EQ(due(), 2);
  write([](CursorWriter& cursors) { cursors.set_aside(letter(2)); });
  EXPECT_EQ(due(), 0);
  EXPECT_EQ(read([](CursorReader& cursors) { return cursors.letter_count("seq"); }), 1);
}

TEST_F(CursorsTest, KeepsTheLastReceiptOfATask) {
  write([](CursorWriter& cursors) {
    cursors.put_receipt({"blockchain", "task", kNoon, "{\"a\":1}"});
    cursors.put_receipt({"blockchain", "task", kNoon, "{\"a\":2}"});
  });
  const auto receipts = read([](CursorReader& cursors) { return cursors.receipts_of("task"); });
  ASSERT_THAT(receipts, SizeIs(1));
  EXPECT_EQ(receipts[0].body, "{\"a\":2}");
}

TEST_F(CursorsTest, MovesTogetherWithWhatStandsInTheSameTransaction) {
  EXPECT_THROW(journal().transact([](Transaction& transaction) {
    transaction.cursors().set_aside(letter(1));
    transaction.cursors().move({"seq", 1, "", true, kNoon});
    throw std::runtime_error("undo");
  }),
               std::runtime_error);
  EXPECT_FALSE(read([](CursorReader& cursors) { return cursors.cursor("seq"); }));
  EXPECT_EQ(read([](CursorReader& cursors) { return cursors.letter_count("seq"); }), 0);
}

TEST_F(CursorsTest, AJournalThatGotAnotherIdKeepsIt) {
  const std::string& old_id = journal().id();
  const std::string copy = old_id;
  journal().renew_id();
  const std::string renewed = journal().id();
  EXPECT_NE(renewed, copy);
  EXPECT_EQ(old_id, copy);  // who has the reference may look at it
  EXPECT_EQ(reopen().id(), renewed);
}

}  // namespace
}  // namespace resmgr::journal
