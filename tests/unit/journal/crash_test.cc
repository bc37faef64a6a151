// The process is killed at any moment: who was told that it is on disk finds it there, and rows and
// events agree.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <map>
#include <random>
#include <thread>

#include "agent/journal/replay.h"
#include "tests/unit/journal/fixture.h"

namespace resmgr::journal {
namespace {

using testing::IsEmpty;
using CrashTest = JournalTest;

constexpr int kRounds = 25;
constexpr int kWriters = 4;

// What a writer was told: this version of this task is on disk. Written to a pipe in one piece.
struct Acknowledged {
  std::array<char, 40> task_id{};
  std::int64_t version = 0;
};

void acknowledge(int pipe, const TaskRow& row) {
  Acknowledged message;
  std::memcpy(message.task_id.data(), row.task.task_id.data(), row.task.task_id.size());
  message.version = row.version;
  if (::write(pipe, &message, sizeof message) != sizeof message) ::_exit(1);
}

// One life after the other, until the end.
[[noreturn]] void live(Journal& journal, int pipe) {
  for (;;) {
    TaskRow row = new_row();
    admit(journal, row);
    acknowledge(pipe, row);
    move(journal, row, TaskStatus::starting, Phase::started);
    acknowledge(pipe, row);
    journal.transact([&](Transaction& transaction) {
      move(transaction, row, TaskStatus::running, Phase::ready);
      move(transaction, row, TaskStatus::stopped, Phase::ended);
      transaction.put_usage(row.task.task_id, "{}", "");
    });
    acknowledge(pipe, row);
  }
}

[[noreturn]] void write_until_killed(const std::string& file, int pipe) {
  try {
    Journal journal({.file = file});
    std::vector<std::thread> threads;
    for (int i = 0; i < kWriters; ++i) threads.emplace_back([&] { live(journal, pipe); });
    for (std::thread& thread : threads) thread.join();
  } catch (...) {
    ::_exit(2);
  }
  ::_exit(3);
}

std::map<std::string, std::int64_t> read_acknowledged(int pipe) {
  std::map<std::string, std::int64_t> versions;
  Acknowledged message;
  while (::read(pipe, &message, sizeof message) == sizeof message) {
    versions[message.task_id.data()] = message.version;
  }
  return versions;
}

TEST_F(CrashTest, KeepsWhatItAcknowledgedWheneverItIsKilled) {
  std::minstd_rand random(static_cast<unsigned>(::getpid()));
  std::size_t acknowledged = 0;
  for (int round = 0; round < kRounds; ++round) {
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) write_until_killed(file(), ends[1]);
    ::close(ends[1]);
    // It must have begun, and then some more, so that each round ends elsewhere. What it
    // acknowledges meanwhile fits into the pipe.
    Acknowledged first;
    ASSERT_EQ(::read(ends[0], &first, sizeof first), static_cast<ssize_t>(sizeof first));
    ::usleep(random() % 20'000);
    ASSERT_EQ(::kill(child, SIGKILL), 0);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << status;

    auto versions = read_acknowledged(ends[0]);
    versions.try_emplace(first.task_id.data(), first.version);
    ::close(ends[0]);
    acknowledged += versions.size();
    ASSERT_THAT(compare_with_replay(journal()), IsEmpty());
    journal().read([&](Reader& reader) {
      for (const auto& [id, version] : versions) {
        const auto row = reader.task(id);
        ASSERT_TRUE(row) << id;
        EXPECT_GE(row->version, version);
        EXPECT_EQ(reader.usage_record(id).has_value(), row->phase == Phase::ended);
        EXPECT_NE(row->phase, Phase::ready);  // it is never seen between two changes of one body
      }
    });
    close();
  }
  EXPECT_GE(acknowledged, static_cast<std::size_t>(kRounds));
}

}  // namespace
}  // namespace resmgr::journal
