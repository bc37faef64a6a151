#include "agent/journal/replay.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>

#include "tests/unit/journal/fixture.h"

namespace resmgr::journal {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ReplayTest : public JournalTest {
 protected:
  ReplayTest() {
    admit(journal(), first_);
    admit(journal(), second_);
    move(journal(), first_, TaskStatus::running, Phase::ready);
  }

  std::vector<std::string> after(const char* change) {
    close();
    SQLite::Database(file(), SQLite::OPEN_READWRITE).exec(change);
    return compare_with_replay(journal());
  }

  TaskRow first_ = new_row();
  TaskRow second_ = new_row();
};

TEST_F(ReplayTest, FindsEqualWhatIsEqual) {
  EXPECT_THAT(compare_with_replay(journal()), IsEmpty());
  EXPECT_THAT(compare_with_replay(reopen()), IsEmpty());
}

TEST_F(ReplayTest, FindsARowThatSaysSomethingElse) {
  EXPECT_THAT(after("UPDATE tasks SET container_port = 1 WHERE status = 'Running'"),
              ElementsAre(HasSubstr(first_.task.task_id)));
}

TEST_F(ReplayTest, FindsAChangeThatNoEventTells) {
  journal().transact([&](Transaction& transaction) {
    first_.task.container_id = "c0ffee";
    transaction.update(first_);
  });
  EXPECT_THAT(compare_with_replay(journal()), ElementsAre(HasSubstr("c0ffee")));
}

TEST_F(ReplayTest, FindsARowThatIsGone) {
  EXPECT_THAT(after("DELETE FROM tasks WHERE status = 'Running';"
                    "UPDATE task_counts SET tasks = 0 WHERE status = 'Running'"),
              ElementsAre(HasSubstr("events and no row")));
}

TEST_F(ReplayTest, FindsARowWithoutEvents) {
  const char* prune = "DELETE FROM events WHERE seq <> 2";
  EXPECT_THAT(after(prune), ElementsAre(HasSubstr("a row and no event")));
}

TEST_F(ReplayTest, ComparesAsFarAsEventsAreKept) {
  EXPECT_THAT(after("DELETE FROM events WHERE seq <= 2;"
                    "INSERT INTO meta (key, value) VALUES ('pruned_to', 2)"),
              IsEmpty());
  EXPECT_EQ(journal().pruned_to(), 2);
}

TEST_F(ReplayTest, FindsACountThatIsWrong) {
  EXPECT_THAT(after("UPDATE task_counts SET tasks = tasks + 1 WHERE status = 'Error'"),
              ElementsAre(HasSubstr("count of Error: 0 rows, 1 counted")));
}

}  // namespace
}  // namespace resmgr::journal
