// Hazard 36: users fill the disk that the journal shares, and stops are still recorded.

#include "agent/journal/ballast.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <atomic>
#include <cerrno>
#include <thread>

#include "agent/journal/replay.h"
#include "tests/support/eventually.h"
#include "tests/unit/journal/fault_vfs.h"
#include "tests/unit/journal/fixture.h"

namespace resmgr::journal {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::int64_t kParts = 3;
constexpr std::int64_t kPart = 1 << 20;

std::int64_t held(const std::string& file) {
  struct stat status {};
  return ::stat(file.c_str(), &status) == 0 ? std::int64_t{status.st_blocks} * 512 : -1;
}

bool no_space_to_allocate = false;

}  // namespace
}  // namespace resmgr::journal

// In the C library's place.
extern "C" int posix_fallocate(int fd, off_t offset, off_t size) {
  if (resmgr::journal::no_space_to_allocate) return ENOSPC;
  return ::fallocate(fd, 0, offset, size) == 0 ? 0 : errno;
}

namespace resmgr::journal {
namespace {

using BallastTest = JournalTest;

TEST_F(BallastTest, TakesItsSpaceAndGivesItByParts) {
  const std::string name = dir() / "ballast";
  Ballast ballast(name, kParts * kPart);
  EXPECT_TRUE(ballast.whole());
  EXPECT_GE(held(name), kParts * kPart);
  for (std::int64_t left = kParts - 1; left >= 0; --left) {
    EXPECT_TRUE(ballast.give());
    EXPECT_FALSE(ballast.whole());
    EXPECT_EQ(std::filesystem::file_size(name), static_cast<std::uintmax_t>(left * kPart));
  }
  EXPECT_FALSE(ballast.give()) << "nothing is left";
  EXPECT_TRUE(ballast.refill());
  EXPECT_GE(held(name), kParts * kPart);
}

TEST_F(BallastTest, TakesOverWhatAnEarlierProcessLeft) {
  const std::string name = dir() / "ballast";
  { Ballast(name, kParts * kPart).give(); }
  const Ballast next(name, kParts * kPart);
  EXPECT_TRUE(next.whole());
  EXPECT_GE(held(name), kParts * kPart);
}

TEST_F(BallastTest, NoneIsAlwaysWhole) {
  Ballast none(dir() / "ballast", 0);
  EXPECT_TRUE(none.whole());
  EXPECT_FALSE(none.give());
  EXPECT_FALSE(std::filesystem::exists(dir() / "ballast"));
}

// A disk that is full as long as the ballast has more than `room_below_` bytes; and on which the
// ballast can't grow, unless there is room.
class FullDiskTest : public JournalTest {
 protected:
  FullDiskTest() {
    journal_ = std::make_unique<Journal>(options());
    admit(*journal_, row_);
  }
  ~FullDiskTest() override {
    free_disk();
    journal_.reset();
  }

  JournalOptions options() const {
    return {.file = file(), .busy_timeout = Millis{5'000}, .ballast_bytes = kParts * kPart};
  }
  std::string ballast() const { return file() + "-ballast"; }
  std::int64_t ballast_size() const {
    return static_cast<std::int64_t>(std::filesystem::file_size(ballast()));
  }

  // Once the ballast gave `parts`, there is room for what is written then.
  void fill_disk(std::int64_t parts = 1) {
    no_space_to_allocate = true;
    disk_.fill_while([this, most = (kParts - parts) * kPart] { return ballast_size() > most; });
  }
  void free_disk() {
    no_space_to_allocate = false;
    disk_.fill_while({});
  }

  std::int64_t end(TaskRow& row) {
    TaskRow copy;  // the body may run again, from the same row
    const std::int64_t seq = journal_->writing(Purpose::ending, [&](Transaction& transaction) {
      copy = row;
      return move(transaction, copy, TaskStatus::stopped, Phase::ended);
    });
    row = copy;
    return seq;
  }
  Error refused_start() {
    TaskRow row = new_row();
    return error_of([&] { admit(*journal_, row); });
  }

  FaultVfs disk_;
  std::unique_ptr<Journal> journal_;
  TaskRow row_ = new_row();
};

TEST_F(FullDiskTest, RecordsAnEndAndNoStart) {
  fill_disk();
  const Error e = refused_start();
  EXPECT_EQ(e.kind(), ErrorKind::unavailable);
  EXPECT_EQ(e.problem, "journal-unavailable");
  EXPECT_THAT(e.message(), HasSubstr("no space is left"));
  EXPECT_EQ(ballast_size(), kParts * kPart) << "a start takes none of it";

  EXPECT_EQ(end(row_), 2);
  EXPECT_EQ(ballast_size(), (kParts - 1) * kPart);
  EXPECT_TRUE(journal_->out_of_space());
  EXPECT_FALSE(journal_->writable());
  // The disk would take it now, in space that is meant for ends.
  EXPECT_EQ(refused_start().problem, "journal-unavailable");
}

TEST_F(FullDiskTest, GivesSeveralPartsToSomebodyGreedy) {
  fill_disk(3);
  EXPECT_EQ(end(row_), 2);
  EXPECT_EQ(ballast_size(), 0);
}

TEST_F(FullDiskTest, GoesOnByItselfWhenSpaceIsBack) {
  fill_disk();
  end(row_);
  free_disk();
  TaskRow row = new_row();
  EXPECT_TRUE(support::eventually([&] {
    try {
      admit(*journal_, row);
      return true;
    } catch (const Error& e) {
      EXPECT_EQ(e.problem, "journal-unavailable");
      return false;
    }
  }));
  EXPECT_TRUE(journal_->writable());
  EXPECT_FALSE(journal_->out_of_space());
  EXPECT_GE(held(ballast()), kParts * kPart);
  EXPECT_THAT(compare_with_replay(*journal_), IsEmpty());
}

TEST_F(FullDiskTest, SaysSoWhenNothingIsLeft) {
  disk_.fail_writes(SQLITE_FULL);
  const Error e = error_of([&] { end(row_); });
  EXPECT_EQ(e.kind(), ErrorKind::unavailable);
  EXPECT_EQ(e.problem, "journal-unavailable");
  EXPECT_EQ(ballast_size(), 0) << "it tried with all that there was";
  EXPECT_EQ(journal_->head(), 1);
  disk_.fail_writes(SQLITE_OK);
}

TEST_F(FullDiskTest, DividesAGroup) {
  std::vector<TaskRow> rows(8);
  for (TaskRow& row : rows) {
    row = new_row();
    admit(*journal_, row);
  }
  fill_disk();
  std::atomic<int> ended{0};
  std::atomic<int> refused{0};
  std::vector<std::thread> threads;
  for (TaskRow& row : rows) {
    threads.emplace_back([&] {
      if (end(row) > 0) ++ended;
    });
    threads.emplace_back([&] {
      if (refused_start().problem == "journal-unavailable") ++refused;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(ended, std::ssize(rows));
  EXPECT_EQ(refused, std::ssize(rows));
  EXPECT_THAT(compare_with_replay(*journal_), IsEmpty());
}

// An agent that is started anew finds the tasks that it is to stop.
TEST_F(FullDiskTest, IsOpenedOnAFullDisk) {
  journal_.reset();
  fill_disk();
  journal_ = std::make_unique<Journal>(options());
  EXPECT_EQ(journal_->head(), 1);
  EXPECT_EQ(end(row_), 2);
}

}  // namespace
}  // namespace resmgr::journal
