// Callers that come together share a commit, and each still gets its own answer.

#include "agent/journal/group_commit.h"

#include <gmock/gmock.h>

#include <atomic>
#include <stdexcept>
#include <thread>

#include "agent/journal/replay.h"
#include "tests/unit/journal/fault_vfs.h"
#include "tests/unit/journal/fixture.h"

namespace resmgr::journal {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using GroupTest = JournalTest;

constexpr int kThreads = 16;

// Threads that were begun and then fell asleep, which in these tests means: stand in the queue.
class SleepingThreads {
 public:
  ~SleepingThreads() { join(); }

  void add(std::function<void()> run) {
    std::atomic<int> id{0};
    threads_.emplace_back([&id, run = std::move(run)] {
      id = this_thread_id();
      id.notify_one();
      run();
    });
    id.wait(0);
    await_sleep(id);
  }
  void join() {
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

 private:
  std::vector<std::thread> threads_;
};

TEST(GroupCommit, TakesAllThatWaitIntoTheNextCommitInTheirOrder) {
  Gate first_may_end;
  const std::vector<std::function<void(Transaction&)>> bodies(5);  // who is who by its place
  std::vector<std::vector<std::ptrdiff_t>> commits;
  const auto commit = [&](std::span<GroupCommit::Request* const> requests) {
    auto& together = commits.emplace_back();
    for (const GroupCommit::Request* request : requests) {
      together.push_back(request->body - bodies.data());
    }
    if (commits.size() == 1) first_may_end.pass();
  };
  int after = 0;
  GroupCommit group(commit, [&] { ++after; });
  SleepingThreads threads;
  for (const auto& body : bodies) threads.add([&] { group.run(body); });
  first_may_end.open();
  threads.join();
  EXPECT_THAT(commits, ElementsAre(ElementsAre(0), ElementsAre(1, 2, 3, 4)));
  EXPECT_EQ(after, 2);
}

TEST(GroupCommit, BoundsAGroup) {
  Gate first_may_end;
  std::vector<std::size_t> sizes;
  GroupCommit group(
      [&](std::span<GroupCommit::Request* const> requests) {
        sizes.push_back(requests.size());
        if (sizes.size() == 1) first_may_end.pass();
      },
      [] {});
  SleepingThreads threads;
  for (int i = 0; i < 150; ++i) {
    threads.add([&] { group.run([](Transaction&) {}); });
  }
  first_may_end.open();
  threads.join();
  EXPECT_THAT(sizes, ElementsAre(1, 128, 21));
}

TEST(GroupCommit, GivesEachCallerItsOwnError) {
  Gate first_may_end;
  int commits = 0;
  GroupCommit group(
      [&](std::span<GroupCommit::Request* const> requests) {
        if (commits++ == 0) {
          first_may_end.pass();
          return;
        }
        for (std::size_t i = 0; i < requests.size(); i += 2) {
          requests[i]->error = std::make_exception_ptr(std::runtime_error(std::to_string(i)));
        }
      },
      [] {});
  SleepingThreads threads;
  std::vector<std::string> answers(5);
  for (int i = 0; i < 5; ++i) {
    threads.add([&, i] {
      try {
        group.run([](Transaction&) {});
      } catch (const std::runtime_error& e) {
        answers[static_cast<std::size_t>(i)] = e.what();
      }
    });
  }
  first_may_end.open();
  threads.join();
  EXPECT_THAT(answers, ElementsAre("", "0", "", "2", ""));
}

// Hazard 18.
// The leader is held back in its body until all others stand in the queue: they are one group.
TEST_F(GroupTest, CommitsOnceForAllThatWait) {
  FaultVfs disk;
  journal();
  Gate first_may_end;
  SleepingThreads threads;
  const int syncs_before = disk.log_syncs();
  for (int i = 0; i < kThreads; ++i) {
    threads.add([&, i] {
      TaskRow row = new_row();
      journal().transact([&](Transaction& transaction) {
        admit(transaction, row);
        if (i == 0) first_may_end.pass();
      });
    });
  }
  first_may_end.open();
  threads.join();
  EXPECT_EQ(journal().statistics().commits, 2);
  EXPECT_EQ(journal().statistics().transactions, kThreads);
  EXPECT_EQ(disk.log_syncs() - syncs_before, 2);
  EXPECT_EQ(journal().head(), kThreads);
  close();
}

// Hazard 18: Of one group: the first throws, two in the middle throw, all others are kept.
TEST_F(GroupTest, UndoesTheBodiesThatThrowAndNoOthers) {
  Gate first_may_end;
  SleepingThreads threads;
  std::vector<TaskRow> rows(kThreads);
  std::atomic<int> thrown{0};
  for (std::size_t i = 0; i < kThreads; ++i) {
    rows[i] = new_row();
    threads.add([&, i] {
      const bool throws = i == 1 || i == 5 || i == 6;
      try {
        journal().transact([&](Transaction& transaction) {
          if (i == 0) {
            first_may_end.pass();
            return;
          }
          admit(transaction, rows[i]);
          move(transaction, rows[i], TaskStatus::running, Phase::ready);
          if (throws) throw std::runtime_error("no");
        });
        EXPECT_FALSE(throws);
      } catch (const std::runtime_error&) {
        EXPECT_TRUE(throws);
        ++thrown;
      }
    });
  }
  first_may_end.open();
  threads.join();
  EXPECT_EQ(thrown, 3);
  EXPECT_EQ(journal().statistics().commits, 1);
  EXPECT_EQ(journal().statistics().transactions, kThreads - 4);
  EXPECT_EQ(journal().head(), 2 * (kThreads - 4));
  for (std::size_t i = 1; i < kThreads; ++i) {
    const bool kept = journal().reading(
        [&](Reader& reader) { return reader.task(rows[i].task.task_id).has_value(); });
    EXPECT_EQ(kept, i != 1 && i != 5 && i != 6) << i;
  }
  EXPECT_THAT(compare_with_replay(journal()), IsEmpty());
}

// In one group, each body sees what those before it did: one slot, one winner.
TEST_F(GroupTest, AdmitsNoMoreThanTheLimitInOneCommit) {
  constexpr std::size_t kLimit = 5;
  Gate first_may_end;
  SleepingThreads threads;
  std::atomic<int> refused{0};
  for (int i = 0; i < kThreads; ++i) {
    threads.add([&, i] {
      try {
        journal().transact([&](Transaction& transaction) {
          if (i == 0) first_may_end.pass();
          if (transaction.active(kAda, "hello").size() >= kLimit) {
            throw Error(ErrorKind::limit, "cannot start");
          }
          TaskRow row = new_row();
          admit(transaction, row);
        });
      } catch (const Error& e) {
        EXPECT_EQ(e.kind(), ErrorKind::limit);
        ++refused;
      }
    });
  }
  first_may_end.open();
  threads.join();
  EXPECT_EQ(refused, kThreads - static_cast<int>(kLimit));
  EXPECT_THAT(journal().reading([](Reader& reader) { return reader.counts(); }),
              ElementsAre(kLimit, 0, 0, 0, 0));
  EXPECT_EQ(journal().statistics().commits, 2);
}

// The disk is slow enough that others come while one syncs.
TEST_F(GroupTest, GroupsUnderLoad) {
  constexpr int kEach = 25;
  FaultVfs disk;
  journal();
  disk.slow_syncs(std::chrono::milliseconds(1));
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < kEach; ++n) {
        TaskRow row = new_row();
        admit(journal(), row);
        EXPECT_TRUE(journal().reading(
            [&](Reader& reader) { return reader.task(row.task.task_id).has_value(); }));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const auto statistics = journal().statistics();
  EXPECT_EQ(statistics.transactions, kThreads * kEach);
  EXPECT_LT(statistics.commits, statistics.transactions / 2);
  EXPECT_THAT(compare_with_replay(journal()), IsEmpty());
  close();
}

// Bodies that fight for the same row: no change is lost, each conflict is told.
TEST_F(GroupTest, LosesNoUpdateOfARowThatAllChange) {
  constexpr int kEach = 30;
  TaskRow row = new_row();
  admit(journal(), row);
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int done = 0; done < kEach;) {
        auto mine =
            journal().reading([&](Reader& reader) { return reader.task(row.task.task_id); });
        try {
          mine->cpu_ms += 1;
          move(journal(), *mine, TaskStatus::running, Phase::ready);
          ++done;
        } catch (const Error& e) {
          ASSERT_EQ(e.kind(), ErrorKind::conflict);
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const auto stored =
      journal().reading([&](Reader& reader) { return reader.task(row.task.task_id); });
  EXPECT_EQ(stored->cpu_ms, kThreads * kEach);
  EXPECT_EQ(stored->version, 1 + kThreads * kEach);
  EXPECT_EQ(journal().head(), 1 + kThreads * kEach);
  EXPECT_THAT(compare_with_replay(journal()), IsEmpty());
}

}  // namespace
}  // namespace resmgr::journal
