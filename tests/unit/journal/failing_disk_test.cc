// The disk fills up, fails or forbids writing, and then takes writes again.

#include <gmock/gmock.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>

#include <atomic>
#include <thread>

#include "agent/journal/replay.h"
#include "tests/unit/journal/fault_vfs.h"
#include "tests/unit/journal/fixture.h"

namespace resmgr::journal {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class FailingDiskTest : public JournalTest {
 protected:
  FailingDiskTest() { admit(journal(), before_); }
  ~FailingDiskTest() override { close(); }

  bool stored(const TaskRow& row) {
    return journal().reading(
        [&](Reader& reader) { return reader.task(row.task.task_id).has_value(); });
  }

  // One admission, refused: nothing of it is there, and all that was there still is.
  Error refused() {
    TaskRow row = new_row();
    const std::int64_t head = journal().head();
    const Error e = error_of([&] { admit(journal(), row); });
    EXPECT_FALSE(stored(row));
    EXPECT_TRUE(stored(before_));
    EXPECT_EQ(journal().head(), head);
    EXPECT_FALSE(journal().writable());
    return e;
  }

  // All is as if nothing had been, also for who opens it anew.
  void expect_recovered() {
    TaskRow row = new_row();
    admit(journal(), row);
    EXPECT_TRUE(journal().writable());
    EXPECT_THAT(compare_with_replay(journal()), IsEmpty());
    reopen();
    EXPECT_TRUE(stored(row));
    EXPECT_THAT(compare_with_replay(journal()), IsEmpty());
  }

  FaultVfs disk_;  // before the journal, which opens its files on it
  TaskRow before_ = new_row();
};

TEST_F(FailingDiskTest, RefusesWhenFullAndGoesOnWhenSpaceIsBack) {
  disk_.fail_writes(SQLITE_FULL);
  const Error e = refused();
  EXPECT_EQ(e.kind(), ErrorKind::unavailable);
  EXPECT_THAT(e.message(), HasSubstr("no space is left"));
  EXPECT_THAT(e.hint(), HasSubstr("free space"));
  disk_.fail_writes(SQLITE_OK);
  expect_recovered();
}

TEST_F(FailingDiskTest, RefusesWhenASyncFails) {
  disk_.fail_syncs(SQLITE_IOERR_FSYNC);
  EXPECT_EQ(refused().kind(), ErrorKind::unavailable);
  disk_.fail_syncs(SQLITE_OK);
  expect_recovered();
}

TEST_F(FailingDiskTest, RefusesWhenReadOnly) {
  disk_.fail_writes(SQLITE_READONLY);
  const Error e = refused();
  EXPECT_EQ(e.kind(), ErrorKind::unavailable);
  EXPECT_THAT(e.message(), HasSubstr("read-only"));
  disk_.fail_writes(SQLITE_OK);
  expect_recovered();
}

TEST_F(FailingDiskTest, NamesNoPathAndNoStatementToACaller) {
  disk_.fail_writes(SQLITE_IOERR_WRITE);
  const Error e = refused();
  EXPECT_EQ(e.message().find(dir().string()), std::string::npos);
  EXPECT_EQ(e.message().find("INSERT"), std::string::npos);
  disk_.fail_writes(SQLITE_OK);
}

TEST_F(FailingDiskTest, TellsAReaderThatItCannotRead) {
  close();
  journal();
  disk_.fail_reads(SQLITE_IOERR_READ);
  EXPECT_EQ(error_of([&] { stored(before_); }).kind(), ErrorKind::unavailable);
  disk_.fail_reads(SQLITE_OK);
  EXPECT_TRUE(stored(before_));
}

// Far more than the cache holds: SQLite writes to the log before the commit, and meets the full
// disk within a body, which then may not swallow it.
TEST_F(FailingDiskTest, FailsTheWholeGroupWhenItFillsUpWithinABody) {
  TaskRow row = new_row();
  bool swallowed = false;
  const Error e = error_of([&] {
    journal().transact([&](Transaction& transaction) {
      admit(transaction, row);
      disk_.fail_writes(SQLITE_FULL);
      const std::string big = "{\"a\":\"" + std::string(100'000, 'a') + "\"}";
      try {
        for (int i = 0; i < 1'000; ++i) transaction.append("agent.x", kNoon, big);
      } catch (const Error&) {
        swallowed = true;
      }
    });
  });
  EXPECT_TRUE(swallowed);
  EXPECT_EQ(e.kind(), ErrorKind::unavailable);
  EXPECT_FALSE(stored(row));
  EXPECT_EQ(journal().head(), 1);
  disk_.fail_writes(SQLITE_OK);
  expect_recovered();
}

// 16 callers, while the disk fails every other moment: who was told yes is there, who was told no
// is not.
TEST_F(FailingDiskTest, AnswersEachCallerTruly) {
  constexpr int kThreads = 16;
  constexpr int kEach = 30;
  std::atomic<bool> done{false};
  std::thread saboteur([&] {
    while (!done) {
      disk_.fail_writes(SQLITE_FULL);
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      disk_.fail_writes(SQLITE_OK);
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  });
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < kEach; ++n) {
        TaskRow row = new_row();
        bool accepted = true;
        try {
          admit(journal(), row);
        } catch (const Error& e) {
          EXPECT_EQ(e.kind(), ErrorKind::unavailable);
          accepted = false;
        }
        EXPECT_EQ(stored(row), accepted);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  done = true;
  saboteur.join();
  disk_.fail_writes(SQLITE_OK);
  expect_recovered();
}

TEST_F(FailingDiskTest, TriesAWriteToKnowWhetherItCan) {
  reopen();
  EXPECT_TRUE(journal().writable());
  reopen();
  disk_.fail_writes(SQLITE_FULL);
  EXPECT_FALSE(journal().writable());
  disk_.fail_writes(SQLITE_OK);
}

TEST_F(FailingDiskTest, CannotBeOpenedOnAFullDisk) {
  close();
  disk_.fail_writes(SQLITE_FULL);
  const std::string other = dir() / "other.db";
  const Error e = error_of([&] { Journal({.file = other}); });
  EXPECT_EQ(e.kind(), ErrorKind::unavailable);
  EXPECT_THAT(e.message(), HasSubstr("cannot open journal '" + other + "'"));
  disk_.fail_writes(SQLITE_OK);
  Journal opened({.file = other});
  EXPECT_EQ(opened.head(), 0);
}

// The kernel itself refuses to let the file grow.
using FileLimitTest = JournalTest;

TEST_F(FileLimitTest, SurvivesAFileThatMayNotGrow) {
  TaskRow before = new_row();
  admit(journal(), before);
  const auto past_signal = ::signal(SIGXFSZ, SIG_IGN);
  rlimit past{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &past), 0);
  rlimit tight = past;
  tight.rlim_cur = std::filesystem::file_size(file() + "-wal") + 20'000;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &tight), 0);

  int accepted = 0;
  ErrorKind kind = ErrorKind::internal;
  try {
    for (; accepted < 1'000; ++accepted) {
      TaskRow row = new_row();
      admit(journal(), row);
    }
  } catch (const Error& e) {
    kind = e.kind();
  }
  EXPECT_EQ(kind, ErrorKind::unavailable);
  EXPECT_EQ(journal().head(), 1 + accepted);

  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &past), 0);
  ::signal(SIGXFSZ, past_signal);
  TaskRow after = new_row();
  admit(journal(), after);
  reopen();
  EXPECT_EQ(journal().head(), 2 + accepted);
  EXPECT_THAT(compare_with_replay(journal()), IsEmpty());
}

}  // namespace
}  // namespace resmgr::journal
