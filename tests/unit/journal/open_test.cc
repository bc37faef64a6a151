// What is found when a journal is opened.

#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <fstream>

#include "agent/journal/migrate.h"
#include "agent/journal/replay.h"
#include "common/ids.h"
#include "tests/unit/journal/fixture.h"

namespace resmgr::journal {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using OpenTest = JournalTest;

mode_t mode_of(const std::string& path) {
  struct stat status {};
  EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
  return status.st_mode & 07777;
}

Error error_on_opening(const std::string& file) {
  return error_of([&] { Journal({.file = file}); });
}

TEST_F(OpenTest, MakesFilesThatOnlyItsOwnerMayRead) {
  const mode_t past = ::umask(0);
  TaskRow row = new_row();
  admit(journal(), row);
  for (const char* companion : {"", "-wal", "-shm"}) EXPECT_EQ(mode_of(file() + companion), 0600);
  close();
  ASSERT_EQ(::chmod(file().c_str(), 0644), 0);
  admit(journal(), row = new_row());
  for (const char* companion : {"", "-wal", "-shm"}) EXPECT_EQ(mode_of(file() + companion), 0600);
  ::umask(past);
}

TEST_F(OpenTest, GivesANewJournalItsIdForGood) {
  const std::string id = journal().id();
  EXPECT_TRUE(parse_uuid(id));
  EXPECT_EQ(reopen().id(), id);
  Journal other({.file = dir() / "other.db"});
  EXPECT_NE(other.id(), id);
}

TEST_F(OpenTest, SetsWhatMakesACommitDurable) {
  journal();
  SQLite::Database raw(file(), SQLite::OPEN_READONLY);
  EXPECT_EQ(raw.execAndGet("PRAGMA journal_mode").getString(), "wal");
  Database database(file(), {});
  EXPECT_EQ(database.integer("PRAGMA synchronous"), 2);
  EXPECT_EQ(raw.execAndGet("SELECT count(*) FROM pragma_table_list"
                           " WHERE schema = 'main' AND type = 'table' AND NOT strict"
                           " AND name NOT LIKE 'sqlite_%'")
                .getInt(),
            0);
}

TEST_F(OpenTest, OpensTheSameFileTwiceInOneProcess) {
  TaskRow row = new_row();
  admit(journal(), row);
  {
    Journal second({.file = file()});
    EXPECT_EQ(second.head(), 1);
    EXPECT_EQ(second.id(), journal().id());
  }
  admit(journal(), row = new_row());
  EXPECT_THAT(compare_with_replay(reopen()), IsEmpty());
}

TEST_F(OpenTest, WaitsForAnotherProcessAndThenSaysSo) {
  journal();
  close();
  SQLite::Database other(file(), SQLite::OPEN_READWRITE);
  other.exec("BEGIN IMMEDIATE");
  Journal waiting({.file = file(), .busy_timeout = Millis{10}});
  TaskRow row = new_row();
  const Error e = error_of([&] { admit(waiting, row); });
  EXPECT_EQ(e.kind(), ErrorKind::unavailable);
  EXPECT_THAT(e.message(), HasSubstr("another process holds it"));
  other.exec("COMMIT");
  admit(waiting, row);
}

TEST_F(OpenTest, RefusesANewerSchema) {
  journal();
  close();
  SQLite::Database(file(), SQLite::OPEN_READWRITE).exec("PRAGMA user_version = 4711");
  const Error e = error_on_opening(file());
  EXPECT_EQ(e.kind(), ErrorKind::corrupt);
  EXPECT_THAT(e.message(),
              AllOf(HasSubstr("cannot open journal '" + file() + "'"), HasSubstr("4711"),
                    HasSubstr(std::to_string(migrations().size()))));
  EXPECT_THAT(e.hint(), HasSubstr("newer"));
}

TEST_F(OpenTest, RefusesAnotherProgramsDatabase) {
  SQLite::Database(file(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE)
      .exec("CREATE TABLE cookies (name TEXT)");
  EXPECT_EQ(error_on_opening(file()).kind(), ErrorKind::corrupt);
  SQLite::Database untouched(file(), SQLite::OPEN_READONLY);
  EXPECT_EQ(untouched.execAndGet("SELECT count(*) FROM sqlite_schema").getInt(), 1);
}

TEST_F(OpenTest, RefusesWhatIsNoDatabase) {
  std::ofstream(file()) << std::string(8'192, 'x');
  const Error e = error_on_opening(file());
  EXPECT_EQ(e.kind(), ErrorKind::corrupt);
  EXPECT_THAT(e.message(), HasSubstr("no journal"));
}

TEST_F(OpenTest, RefusesADirectoryThatIsNotThereOrAFileThatIsNone) {
  EXPECT_EQ(error_on_opening(dir() / "missing" / "journal.db").kind(), ErrorKind::unavailable);
  EXPECT_EQ(error_on_opening(dir()).kind(), ErrorKind::unavailable);
}

void fill(Journal& journal, int rows) {
  journal.transact([&](Transaction& transaction) {
    for (int i = 0; i < rows; ++i) {
      TaskRow row = new_row();
      admit(transaction, row);
    }
  });
}

TEST_F(OpenTest, RefusesAFileThatWasCutOff) {
  fill(journal(), 500);
  close();
  const auto size = std::filesystem::file_size(file());
  std::filesystem::resize_file(file(), size / 2);
  const Error e = error_on_opening(file());
  EXPECT_EQ(e.kind(), ErrorKind::corrupt);
  EXPECT_THAT(e.message(), HasSubstr("damaged"));
}

// The first page and the schema are whole: it is found out when a damaged page is met.
TEST_F(OpenTest, SaysWhenItMeetsADamagedPage) {
  constexpr std::streamoff kIntact = 32 * 4'096;
  fill(journal(), 500);
  close();
  const auto size = static_cast<std::streamoff>(std::filesystem::file_size(file()));
  ASSERT_GT(size, 2 * kIntact);
  {
    std::fstream damaged(file(), std::ios::in | std::ios::out | std::ios::binary);
    damaged.seekp(kIntact);
    damaged << std::string(static_cast<std::size_t>(size - kIntact), '\xa5');
  }
  const auto read_all = [&] {
    journal().read([](Reader& reader) {
      reader.tasks({}, 1'000, "");
      reader.events_after(0, 1'000, "");
    });
  };
  EXPECT_EQ(error_of(read_all).kind(), ErrorKind::corrupt);
  EXPECT_EQ(error_of([&] { fill(journal(), 50); }).kind(), ErrorKind::corrupt);
}

TEST_F(OpenTest, SaysWhenARowHoldsAStateThatIsNotKnown) {
  TaskRow row = new_row();
  admit(journal(), row);
  close();
  SQLite::Database(file(), SQLite::OPEN_READWRITE).exec("UPDATE tasks SET phase = 'odd'");
  const Error e =
      error_of([&] { journal().read([&](Reader& reader) { reader.task(row.task.task_id); }); });
  EXPECT_EQ(e.kind(), ErrorKind::corrupt);
}

TEST_F(OpenTest, NeverUsesASequenceNumberTwice) {
  fill(journal(), 3);
  close();
  SQLite::Database(file(), SQLite::OPEN_READWRITE).exec("DELETE FROM events");
  EXPECT_EQ(journal().head(), 3);
  EXPECT_EQ(journal().writing([](Transaction& transaction) {
    return transaction.append("agent.started", kNoon, "{}");
  }),
            4);
}

TEST_F(OpenTest, ForgetsAKeyWithItsTask) {
  TaskRow row = new_row();
  journal().transact([&](Transaction& transaction) {
    admit(transaction, row);
    transaction.remember(kAda, "key", {"b0d7", row.task.task_id, kNoon});
  });
  close();
  SQLite::Database raw(file(), SQLite::OPEN_READWRITE);
  raw.exec("PRAGMA foreign_keys = ON; DELETE FROM tasks");
  EXPECT_EQ(raw.execAndGet("SELECT count(*) FROM idempotency").getInt(), 0);
}

}  // namespace
}  // namespace resmgr::journal
