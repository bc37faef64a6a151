#include "tests/unit/journal/fixture.h"

#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <system_error>
#include <thread>

#include "common/ids.h"

namespace resmgr::journal {

JournalTest::JournalTest() {
  std::string name = testing::TempDir() + "resmgr-journal-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make a directory");
  dir_ = name;
}

JournalTest::~JournalTest() {
  close();
  std::error_code ignored;
  std::filesystem::remove_all(dir_, ignored);
}

Journal& JournalTest::journal() {
  const std::lock_guard lock(mutex_);
  if (!journal_) journal_ = std::make_unique<Journal>(JournalOptions{.file = file()});
  return *journal_;
}

Journal& JournalTest::reopen() {
  close();
  return journal();
}

TaskRow new_row(std::string_view user_id, std::string_view service_type, Instant at) {
  TaskRow row;
  row.task.task_id = new_uuid_v7(at);
  row.task.user_id = user_id;
  row.task.service_type = service_type;
  row.task.host = "host-1";
  row.task.created_at = at;
  row.spec_hash = "5bec";
  return row;
}

void admit(Transaction& transaction, TaskRow& row) {
  transaction.insert(row);
  transaction.append("task.start_requested", row, row.task.created_at, "{}");
}

void admit(Journal& journal, TaskRow& row) {
  journal.transact([&](Transaction& transaction) { admit(transaction, row); });
}

std::int64_t move(Transaction& transaction, TaskRow& row, TaskStatus status, Phase phase) {
  row.task.status = status;
  row.phase = phase;
  transaction.update(row);
  return transaction.append("task.moved", row, kNoon, R"({"why":"test"})");
}

std::int64_t move(Journal& journal, TaskRow& row, TaskStatus status, Phase phase) {
  return journal.writing(
      [&](Transaction& transaction) { return move(transaction, row, status, phase); });
}

std::vector<std::string> ids_of(const std::vector<TaskRow>& rows) {
  std::vector<std::string> ids;
  for (const TaskRow& row : rows) ids.push_back(row.task.task_id);
  return ids;
}

void await_sleep(int thread_id) {
  const std::string stat = "/proc/self/task/" + std::to_string(thread_id) + "/stat";
  for (;;) {
    std::ifstream in(stat);
    const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    // "tid (name) S …": the name may hold anything but ends at the last parenthesis.
    const auto end = text.rfind(") ");
    if (end != std::string::npos && text[end + 2] == 'S') return;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

int this_thread_id() { return static_cast<int>(::syscall(SYS_gettid)); }

void Gate::open() {
  const std::lock_guard lock(mutex_);
  open_ = true;
  changed_.notify_all();
}

void Gate::pass() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return open_; });
}

}  // namespace resmgr::journal
