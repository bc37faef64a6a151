// How fast a backlog goes to PostgreSQL, beside a plain COPY of the same rows in the same run.
//
// Usage: postgres_bench [EVENTS]

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>

#include "agent/journal/journal.h"
#include "agent/sinks/postgres_sink.h"
#include "agent/sinks/pump.h"
#include "common/ids.h"
#include "tests/support/postgres_server.h"
#include "tests/support/temp_dir.h"

namespace resmgr::sinks {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr int kEventsOfATask = 4;
constexpr int kTasksInATransaction = 500;
constexpr int kRounds = 2;

double seconds_since(SteadyClock::time_point begin) {
  return std::chrono::duration<double>(SteadyClock::now() - begin).count();
}

// A task's life in events that PostgreSQL wants.
void live(journal::Transaction& transaction, Instant now) {
  journal::TaskRow row;
  row.task.task_id = new_uuid_v7(now);
  row.task.user_id = "00000000-0000-4000-8000-0000000000ad";
  row.task.service_type = "hello";
  row.task.host = "bench";
  row.task.created_at = now;
  transaction.insert(row);
  row.task.container_id = std::string(64, 'c');
  row.task.container_port = 40'000;
  row.task.start_time = now;
  row.task.status = TaskStatus::running;
  transaction.update(row);
  transaction.append(event_type::kStarted, row, now, "{}");
  transaction.append(event_type::kReady, row, now, "{}");
  row.task.status = TaskStatus::stopped;
  row.task.stop_time = now + Millis{90'000};
  row.task.usage_hash = std::string(64, 'a');
  transaction.update(row);
  transaction.append(event_type::kEnded, row, now, "{}");
  transaction.append(event_type::kRemoved, row, now, "{}");
}

void fill(journal::Journal& journal, int tasks, const Clock& clock) {
  for (int done = 0; done < tasks; done += kTasksInATransaction) {
    journal.transact([&](journal::Transaction& transaction) {
      for (int i = 0; i < kTasksInATransaction; ++i) live(transaction, clock.now());
    });
  }
}

double pump_all(Pump& pump) {
  const auto begin = SteadyClock::now();
  while (pump.step() == Millis{0}) {
  }
  if (!pump.status().last_error.empty()) {
    std::fprintf(stderr, "%s\n", pump.status().last_error.c_str());
    std::exit(EXIT_FAILURE);
  }
  return seconds_since(begin);
}

long peak_kib() {
  std::ifstream in("/proc/self/status");
  for (std::string word; in >> word;) {
    long kib = 0;
    if (word == "VmHWM:" && in >> kib) return kib;
  }
  return 0;
}

// The rows that came after that event, into a table of the same form.
double copy_after(const support::PostgresServer& server, std::int64_t seq) {
  server.query("COPY (SELECT * FROM tasks WHERE Seq > " + std::to_string(seq) + ") TO '" +
               server.directory() + "/rows'");
  const auto begin = SteadyClock::now();
  server.query("COPY copied FROM '" + server.directory() + "/rows'");
  return seconds_since(begin);
}

int run(int events) {
  const SystemClock clock;
  const support::TempDir dir;
  const support::PostgresServer server;
  journal::Journal journal({dir.path() / "journal.db"});
  PostgresOptions options;
  options.url = server.url();
  options.agent_id = new_uuid_v4();
  options.host = "bench";
  Pump pump({}, journal, std::make_unique<PostgresSink>(options), clock);
  pump_all(pump);  // the first sync, of nothing
  server.query("CREATE TABLE copied (LIKE tasks INCLUDING ALL)");
  const int tasks = std::max(events / kEventsOfATask / kRounds, kTasksInATransaction);
  // In turns, so that what else the machine does hits both.
  double pumped = 0;
  double copied = 0;
  long grown = 0;
  for (int round = 0; round < kRounds; ++round) {
    const std::int64_t from = journal.head();
    fill(journal, tasks, clock);
    const long before = peak_kib();
    pumped += pump_all(pump);
    grown += peak_kib() - before;
    copied += copy_after(server, from);
  }
  const double rows = std::stod(server.query("SELECT count(*) FROM tasks"));
  const double same =
      std::stod(server.query("SELECT count(*) FROM (TABLE tasks EXCEPT TABLE copied) x"));
  std::printf("backlog: %ld events, %.0f rows, %.0f of them other ones in the copy\n",
              static_cast<long>(journal.head()), rows, same);
  std::printf("pump: %.2f s, %.0f events/s, %.0f rows/s\n", pumped,
              static_cast<double>(journal.head()) / pumped, rows / pumped);
  std::printf("COPY: %.2f s, %.0f rows/s\n", copied, rows / copied);
  std::printf("pump / COPY, rows a second: %.2f\n", copied / pumped);
  std::printf("memory grew by %.1f MiB\n", static_cast<double>(grown) / 1024);
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace resmgr::sinks

int main(int argc, char** argv) {
  constexpr int kUsualEvents = 100'000;
  return resmgr::sinks::run(argc > 1 ? std::atoi(argv[1]) : kUsualEvents);
}
