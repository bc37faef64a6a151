// Fills a journal with tasks that ended long ago, each with the events, the row and the usage
// record that an agent writes for one, so that reading can be measured beside a long history.
//
// Usage: history_seed --data-dir DIR --tasks N [--ids FILE] [--rows FILE]
//   N is how many there are in the end: a journal that has some gets the rest. Of the new ones,
//   FILE gets the ids, one a line, and the rows as PostgreSQL's COPY takes them; both are appended
//   to.

#include <array>
#include <cstdio>
#include <fstream>
#include <numeric>
#include <stdexcept>
#include <string>

#include "agent/journal/journal.h"
#include "common/crypto.h"
#include "common/ids.h"
#include "common/time_format.h"
#include "tests/bench/figures.h"

namespace resmgr::bench {
namespace {

using journal::Journal;
using journal::TaskRow;
using journal::Transaction;

constexpr int kUsers = 200;
constexpr int kInCommit = 1'000;
constexpr Millis kAge = std::chrono::hours(24 * 60);  // of the first one: nothing is pruned yet
constexpr Millis kBetween{5'000};

std::string user_of(int number) {
  const std::string digits = std::to_string(number % kUsers);
  return "00000000-0000-4000-8000-" + std::string(12 - digits.size(), '0') + digits;
}

TaskRow admitted(int number, Instant now) {
  TaskRow row;
  Task& task = row.task;
  task.created_at = now - kAge + kBetween * number;
  task.task_id = new_uuid_v7(task.created_at);
  task.user_id = user_of(number);
  task.service_type = number % 3 == 0 ? "jupyter" : "hello";
  task.host = "bench";
  row.spec_hash = std::string(64, 'a');
  row.memory_bytes = 1LL << 30;
  row.cpus = 1;
  return row;
}

std::string usage_record(const TaskRow& row) {
  const Task& task = row.task;
  return dump_json({{"containerId", task.container_id},
                    {"cpuMs", row.cpu_ms},
                    {"durationMs", task.duration()->count()},
                    {"endedBy", row.ended_by},
                    {"exitCode", 0},
                    {"host", task.host},
                    {"nonce", random_hex(16)},
                    {"peakMemoryBytes", row.peak_memory_bytes},
                    {"precision", "exact"},
                    {"serviceType", task.service_type},
                    {"startTime", format_rfc3339(*task.start_time)},
                    {"stopTime", format_rfc3339(*task.stop_time)},
                    {"taskId", task.task_id},
                    {"userId", task.user_id},
                    {"version", 1}});
}

// The row as it is in the end; the events have it as it was at each.
TaskRow live(Transaction& transaction, int number, Instant now) {
  const TaskRow begun = admitted(number, now);
  TaskRow row = begun;
  Task& task = row.task;
  task.container_id = random_hex(32);
  task.container_port = 32'768 + number % 20'000;
  TaskRow created = row;
  task.start_time = task.created_at + Millis{300};
  task.status = TaskStatus::running;
  const TaskRow running = row;
  task.status = TaskStatus::stopped;
  task.stop_time = *task.start_time + std::chrono::seconds(60 + number % 7'200);
  task.exit_code = 0;
  row.ended_by = "user";
  row.phase = journal::Phase::removed;
  row.cpu_ms = 1'200;
  row.peak_memory_bytes = 80 << 20;
  const std::string record = usage_record(row);
  task.usage_hash = to_hex(sha256(record));
  transaction.insert(row);
  transaction.append(event_type::kStartRequested, begun, task.created_at,
                     R"({"requestedBy":")" + task.user_id + "\"}");
  transaction.append(event_type::kCreated, created, task.created_at + Millis{50},
                     R"({"containerId":")" + task.container_id + "\"}");
  transaction.append(event_type::kStarted, running, *task.start_time,
                     R"({"containerPort":)" + std::to_string(task.container_port) +
                         R"(,"engineMs":245.5,"startTries":1})");
  transaction.append(event_type::kReady, running, *task.start_time + Millis{20}, "{}");
  transaction.append(event_type::kEnded, row, *task.stop_time,
                     R"({"cpuMs":1200,"endedBy":"user","exitCode":0,"peakMemoryBytes":83886080})");
  transaction.append(event_type::kRemoved, row, *task.stop_time + Millis{10}, "{}");
  transaction.put_usage(task.task_id, record, task.usage_hash);
  return row;
}

// Columns as tests/bench/peers/express/schema.sql has them.
std::string copy_line(const TaskRow& row) {
  const Task& task = row.task;
  const std::string seconds = std::to_string(task.duration()->count() / 1000) + " seconds";
  std::string line;
  for (const std::string& column :
       {task.task_id, task.user_id, task.service_type, task.container_id,
        std::to_string(task.container_port), format_rfc3339(*task.start_time),
        format_rfc3339(*task.stop_time), seconds, std::string("Stopped"), task.host,
        task.usage_hash}) {
    line += (line.empty() ? "" : "\t") + column;
  }
  return line + '\n';
}

void seed(const std::string& data_dir, int tasks, const std::string& ids_file,
          const std::string& rows_file) {
  Journal journal({.file = data_dir + "/journal.db"});
  const auto counts = journal.reading([](journal::Reader& reader) { return reader.counts(); });
  int made = static_cast<int>(std::accumulate(counts.begin(), counts.end(), std::int64_t{0}));
  std::ofstream ids(ids_file, std::ios::app);
  std::ofstream rows(rows_file, std::ios::app);
  const Instant now = SystemClock().now();
  while (made < tasks) {
    journal.transact([&](Transaction& transaction) {
      for (int i = 0; i < kInCommit && made < tasks; ++i) {
        const TaskRow row = live(transaction, made++, now);
        ids << row.task.task_id << '\n';
        rows << copy_line(row);
      }
    });
  }
  if (!ids.flush() || !rows.flush()) throw std::runtime_error("the rows could not be written");
}

void run(int argc, char** argv) {
  const Options given(argc, argv, {"--data-dir", "--tasks", "--ids", "--rows"});
  const std::string data_dir = given.text("--data-dir", "");
  if (data_dir.empty()) throw std::runtime_error("--data-dir is missing");
  seed(data_dir, given.integer("--tasks", 1'000), given.text("--ids", "/dev/null"),
       given.text("--rows", "/dev/null"));
}

}  // namespace
}  // namespace resmgr::bench

int main(int argc, char** argv) {
  return resmgr::bench::run_bench("history_seed", [&] { resmgr::bench::run(argc, argv); });
}
