// A journal that is damaged is found out, and can be had back.

#include "agent/journal/check.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "agent/journal/backup.h"
#include "agent/journal/replay.h"
#include "common/crypto.h"
#include "common/event.h"
#include "common/jcs.h"
#include "common/json.h"
#include "common/time_format.h"
#include "tests/unit/journal/fixture.h"

namespace resmgr::journal {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

constexpr int kTasks = 300;
constexpr std::streamoff kPageSize = 4'096;

class CheckTest : public JournalTest {
 protected:
  CheckTest() {
    journal().transact([&](Transaction& transaction) {
      for (int i = 0; i < kTasks; ++i) end_task(transaction);
    });
  }

  void end_task() {
    journal().transact([&](Transaction& transaction) { end_task(transaction); });
  }
  void end_task(Transaction& transaction) {
    TaskRow row = new_row();
    row.task.start_time = kNoon;
    const Json json = {{"taskId", row.task.task_id},
                       {"userId", row.task.user_id},
                       {"serviceType", "hello"},
                       {"startTime", format_rfc3339(kNoon)},
                       {"stopTime", format_rfc3339(kNoon + Millis{1'500})},
                       {"exitCode", 3},
                       {"endedBy", "exit"}};
    const std::string record = canonical_json(json);
    admit(transaction, row);
    row.task.stop_time = kNoon + Millis{1'500};
    row.task.usage_hash = sha256_hex(record);
    move(transaction, row, TaskStatus::error, Phase::removed);
    transaction.put_usage(row.task.task_id, record, row.task.usage_hash);
    rows_.push_back(row);
  }

  std::vector<std::string> faults() const { return check_journal(file()).faults; }
  void sql(const std::string& statements) {
    close();
    SQLite::Database(file(), SQLite::OPEN_READWRITE).exec(statements);
  }
  std::string first_id() const { return rows_.front().task.task_id; }

  std::streamoff pages() const {
    return static_cast<std::streamoff>(std::filesystem::file_size(file())) / kPageSize;
  }
  void flip(std::streamoff page) const {
    std::fstream damaged(file(), std::ios::in | std::ios::out | std::ios::binary);
    damaged.seekp(page * kPageSize);
    damaged << std::string(kPageSize, '\xa5');
  }
  std::string backup() const { return dir() / "backup.db"; }

  std::vector<TaskRow> rows_;
};

TEST_F(CheckTest, FindsNothingInAGoodOne) {
  const std::string id = journal().id();
  close();
  const CheckReport report = check_journal(file());
  EXPECT_THAT(report.faults, IsEmpty());
  EXPECT_THAT(report.notes, IsEmpty());
  EXPECT_EQ(report.journal_id, id);
  EXPECT_EQ(report.tasks, kTasks);
  EXPECT_EQ(report.events, 2 * kTasks);
  EXPECT_EQ(report.usage_records, kTasks);
}

TEST_F(CheckTest, WorksBesideAnAgentAndWithWhatIsStillInTheLog) {
  ASSERT_GT(std::filesystem::file_size(file() + "-wal"), 0U);
  EXPECT_THAT(faults(), IsEmpty());
  end_task();
  EXPECT_EQ(check_journal(file()).tasks, kTasks + 1);
}

TEST_F(CheckTest, TellsHowFarItIs) {
  std::vector<std::string> told;
  check_journal(file(), [&](std::string_view what, std::int64_t done, std::int64_t of) {
    EXPECT_LE(done, of);
    if (told.empty() || told.back() != what) told.emplace_back(what);
  });
  EXPECT_THAT(told,
              ElementsAre("schema", "pages", "references", "rows and events", "usage records"));
}

TEST_F(CheckTest, FindsADamagedPage) {
  close();
  const std::string good = dir() / "good.db";
  std::filesystem::copy_file(file(), good);
  int found = 0;
  int tried = 0;
  for (std::streamoff page = 0; page < pages(); page += 11, ++tried) {
    flip(page);
    if (!check_journal(file()).good()) ++found;
    std::filesystem::copy_file(good, file(), std::filesystem::copy_options::overwrite_existing);
  }
  EXPECT_GT(tried, 10);
  EXPECT_EQ(found, tried);
}

TEST_F(CheckTest, FindsAFileThatWasCutOff) {
  close();
  std::filesystem::resize_file(file(), std::filesystem::file_size(file()) / 2);
  EXPECT_THAT(faults(), Not(IsEmpty()));
}

TEST_F(CheckTest, FindsWhatIsNoJournal) {
  close();
  std::filesystem::resize_file(file(), 0);
  EXPECT_THAT(faults(), ElementsAre(HasSubstr("no journal")));
  std::ofstream(file()) << std::string(8'192, 'x');
  EXPECT_THAT(faults(), ElementsAre(HasSubstr("no journal")));
  std::filesystem::remove(file());
  EXPECT_EQ(error_of([&] { faults(); }).kind(), ErrorKind::unavailable);
}

TEST_F(CheckTest, FindsANewerSchema) {
  sql("PRAGMA user_version = 4711");
  EXPECT_THAT(faults(), ElementsAre(HasSubstr("4711")));
}

TEST_F(CheckTest, FindsARowThatNoEventTells) {
  sql("UPDATE tasks SET exit_code = 9 WHERE task_id = '" + first_id() + "'");
  EXPECT_THAT(faults(), ElementsAre(StartsWith("task " + first_id())));
}

TEST_F(CheckTest, FindsAReferenceToNothing) {
  journal().transact([&](Transaction& transaction) {
    transaction.remember(kAda, "key", {"b0d7", first_id(), kNoon});
  });
  sql("PRAGMA foreign_keys = OFF; UPDATE idempotency SET task_id = 'x'");
  EXPECT_THAT(faults(), ElementsAre(HasSubstr("idempotency")));
}

TEST_F(CheckTest, FindsAUsageRecordThatWasChanged) {
  sql("UPDATE usage_records SET record = replace(record, '\"exitCode\":3', '\"exitCode\":0')"
      " WHERE task_id = '" +
      first_id() + "'");
  EXPECT_THAT(faults(), ElementsAre(AllOf(HasSubstr(first_id()), HasSubstr("hash"))));
}

// … by somebody who knows that there is a hash.
TEST_F(CheckTest, FindsAUsageRecordThatWasChangedWithItsHash) {
  const std::string record = R"({"taskId":")" + first_id() + R"("})";
  sql("UPDATE usage_records SET record = '" + record + "', hash = '" + sha256_hex(record) +
      "' WHERE task_id = '" + first_id() + "'");
  EXPECT_THAT(faults(), Contains(HasSubstr("missing or another one")));
}

TEST_F(CheckTest, FindsAUsageRecordThatIsGone) {
  sql("DELETE FROM usage_records WHERE task_id = '" + first_id() + "'");
  EXPECT_THAT(faults(), ElementsAre(HasSubstr("missing")));
}

// ---- backup, restore, rebuild

TEST_F(CheckTest, ABackupIsWholeAndPrivate) {
  back_up(file(), backup());
  const CheckReport report = check_journal(backup());
  EXPECT_THAT(report.faults, IsEmpty());
  EXPECT_EQ(report.journal_id, journal().id());
  EXPECT_EQ(report.tasks, kTasks);
  struct stat status {};
  ASSERT_EQ(::stat(backup().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600U);
  for (const auto& entry : std::filesystem::directory_iterator(dir())) {
    EXPECT_THAT(entry.path().filename().string(),
                Not(AllOf(StartsWith("backup.db"), Not(testing::StrEq("backup.db")))));
  }
}

TEST_F(CheckTest, ABackupOverwritesNothing) {
  std::ofstream(backup()) << "something else";
  const Error e = error_of([&] { back_up(file(), backup()); });
  EXPECT_EQ(e.kind(), ErrorKind::conflict);
  std::ifstream in(backup());
  std::string text;
  std::getline(in, text);
  EXPECT_EQ(text, "something else");
}

TEST_F(CheckTest, ADamagedJournalGivesNoBackup) {
  close();
  for (std::streamoff page = 8; page < pages(); ++page) flip(page);
  EXPECT_EQ(error_of([&] { back_up(file(), backup()); }).kind(), ErrorKind::corrupt);
  EXPECT_FALSE(std::filesystem::exists(backup()));
}

// Hazard 31: what comes after a restore is another journal.
TEST_F(CheckTest, ARestoreBringsBackWhatWasUnderANewId) {
  const std::string id = journal().id();
  const std::int64_t head = journal().head();
  back_up(file(), backup());
  end_task();
  close();
  const Installed restored = restore(backup(), file(), kNoon);
  EXPECT_EQ(restored.earlier_id, id);
  EXPECT_NE(restored.journal_id, id);
  EXPECT_EQ(journal().id(), restored.journal_id);
  EXPECT_EQ(journal().head(), head + 1);
  journal().read([&](Reader& reader) {
    EXPECT_EQ(reader.events_after(head, 1, "").at(0).type, event_type::kJournalRestored);
  });
  EXPECT_THAT(faults(), IsEmpty());
  // The old one is kept, with what was in its log.
  const CheckReport old = check_journal(restored.aside);
  EXPECT_THAT(old.faults, IsEmpty());
  EXPECT_EQ(old.journal_id, id);
  EXPECT_EQ(old.tasks, kTasks + 1);
}

// Whoever restores it, the agent can open it.
TEST_F(CheckTest, ARestoredJournalBelongsToTheFoldersOwner) {
  back_up(file(), backup());
  close();
  if (::geteuid() == 0) {
    ASSERT_EQ(::chown(dir().c_str(), 4'711, 4'712), 0);
  }
  restore(backup(), file(), kNoon);
  struct stat folder {};
  struct stat status {};
  ASSERT_EQ(::stat(dir().c_str(), &folder), 0);
  ASSERT_EQ(::stat(file().c_str(), &status), 0);
  EXPECT_EQ(status.st_uid, folder.st_uid);
  EXPECT_EQ(status.st_gid, folder.st_gid);
  EXPECT_EQ(status.st_mode & 07777, 0600U);
}

TEST_F(CheckTest, ARestoreKeepsTheOldLogWithTheOldFile) {
  back_up(file(), backup());
  // As kill -9 leaves it: the log is full, and the file is behind.
  const std::string killed = dir() / "killed.db";
  end_task();
  std::filesystem::copy_file(file(), killed);
  std::filesystem::copy_file(file() + "-wal", killed + "-wal");
  const Installed restored = restore(backup(), killed, kNoon);
  EXPECT_EQ(check_journal(killed).tasks, kTasks);
  EXPECT_EQ(check_journal(restored.aside).tasks, kTasks + 1);
}

TEST_F(CheckTest, ABadBackupLeavesTheJournalAlone) {
  std::ofstream(backup()) << std::string(8'192, 'x');
  const std::string id = journal().id();
  close();
  EXPECT_EQ(error_of([&] { restore(backup(), file(), kNoon); }).kind(), ErrorKind::corrupt);
  EXPECT_EQ(journal().id(), id);
  EXPECT_THAT(faults(), IsEmpty());
}

TEST_F(CheckTest, ARestoreThatWasCutOffIsNotMistakenForAJournal) {
  back_up(file(), backup());
  close();
  std::filesystem::copy_file(file(), file() + ".incoming");
  const Error e = error_of([&] { journal(); });
  EXPECT_EQ(e.kind(), ErrorKind::corrupt);
  EXPECT_THAT(e.message(), HasSubstr("cut off"));
  restore(backup(), file(), kNoon);
  EXPECT_EQ(journal().reading([](Reader& reader) { return reader.counts(); }).back(), kTasks);
}

TEST_F(CheckTest, ARebuildKeepsEveryUsageRecord) {
  const std::string id = journal().id();
  close();
  const Rebuilt rebuilt = rebuild(file(), kNoon);
  EXPECT_EQ(rebuilt.usage_records, kTasks);
  EXPECT_NE(rebuilt.journal_id, id);
  EXPECT_THAT(faults(), IsEmpty());
  EXPECT_EQ(check_journal(rebuilt.aside).journal_id, id);
  const TaskRow& row = rows_.front();
  journal().read([&](Reader& reader) {
    EXPECT_EQ(reader.task(row.task.task_id).value().phase, Phase::removed);
    EXPECT_TRUE(reader.usage_record(row.task.task_id));
  });
}

// What can be read by either side of a damaged page is kept; and where the row itself is gone, the
// record tells enough of it.
TEST_F(CheckTest, ARebuildKeepsWhatCanBeRead) {
  sql("DELETE FROM tasks WHERE task_id = '" + first_id() + "'");
  // One page amid the records.
  std::string bytes;
  {
    std::ifstream in(file(), std::ios::binary);
    bytes.assign(std::istreambuf_iterator<char>(in), {});
  }
  // Canonical records begin so; events and rows hold nothing of the kind.
  const std::string record = R"({"endedBy":"exit","exitCode":3,)";
  std::size_t at = std::string::npos;
  const std::string amid = rows_[kTasks / 2].task.task_id;
  for (std::size_t next = bytes.find(record); next != std::string::npos;
       next = bytes.find(record, next + 1)) {
    if (bytes.find(amid, next) < next + 400) at = next;
  }
  ASSERT_NE(at, std::string::npos);
  flip(static_cast<std::streamoff>(at) / kPageSize);
  const CheckReport damaged = check_journal(file());
  EXPECT_FALSE(damaged.good());

  const Rebuilt rebuilt = rebuild(file(), kNoon);
  EXPECT_GT(rebuilt.usage_records, kTasks * 9 / 10);
  EXPECT_LT(rebuilt.usage_records, kTasks);
  EXPECT_THAT(faults(), IsEmpty());
  journal().read([&](Reader& reader) {
    const TaskRow row = reader.task(first_id()).value();
    EXPECT_EQ(row.task.user_id, kAda);
    EXPECT_EQ(row.task.duration(), Millis{1'500});
    EXPECT_EQ(row.phase, Phase::ended) << "its container may still be there";
    EXPECT_TRUE(reader.task(rows_.back().task.task_id)) << "from behind the damaged page";
  });
}

TEST_F(CheckTest, ARebuildWithoutAnyJournalMakesOne) {
  close();
  std::filesystem::remove(file());
  const Rebuilt rebuilt = rebuild(file(), kNoon);
  EXPECT_EQ(rebuilt.aside, "");
  EXPECT_EQ(rebuilt.usage_records, 0);
  EXPECT_EQ(journal().id(), rebuilt.journal_id);
  EXPECT_EQ(journal().head(), 1);
}

}  // namespace
}  // namespace resmgr::journal
