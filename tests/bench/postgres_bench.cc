// How fast a backlog goes to PostgreSQL, beside a plain COPY of the same rows in the same run.
//
// Usage: postgres_bench [--events N] [--rounds R] [--json FILE]

#include <algorithm>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>

#include "agent/journal/journal.h"
#include "agent/sinks/postgres_sink.h"
#include "agent/sinks/pump.h"
#include "common/ids.h"
#include "tests/bench/figures.h"
#include "tests/support/postgres_server.h"
#include "tests/support/temp_dir.h"

namespace resmgr::sinks {
namespace {

using bench::Figures;
using bench::Options;
using bench::Rounds;
using bench::seconds_since;
using bench::SteadyClock;

constexpr int kEventsOfATask = 4;
constexpr int kTasksInATransaction = 500;

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
    throw std::runtime_error(pump.status().last_error);
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

void run(int argc, char** argv) {
  const Options given(argc, argv, {"--events", "--rounds", "--json"});
  Figures figures(given.text("--json", ""));
  const int rounds = given.integer("--rounds", 2);
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
  const int tasks =
      std::max(given.integer("--events", 100'000) / kEventsOfATask / rounds, kTasksInATransaction);
  // In turns, so that what else the machine does hits both.
  Rounds pumped;
  Rounds copied;
  long grown = 0;
  for (int round = 0; round < rounds; ++round) {
    const std::int64_t from = journal.head();
    fill(journal, tasks, clock);
    const long before = peak_kib();
    pumped.push_back({tasks / pump_all(pump)});
    grown += peak_kib() - before;
    copied.push_back({tasks / copy_after(server, from)});
  }
  const double other =
      std::stod(server.query("SELECT count(*) FROM (TABLE tasks EXCEPT TABLE copied) x"));
  if (other != 0) throw std::runtime_error("the copy has other rows than the backlog");
  const Json labels = {{"rows", tasks * rounds}};
  figures.add("postgres.rows", "/s", {{"of", "pump"}}, pumped);
  figures.add("postgres.rows", "/s", {{"of", "copy"}}, copied);
  figures.add("postgres.memory_growth", "MiB", labels, static_cast<double>(grown) / 1024);
}

}  // namespace
}  // namespace resmgr::sinks

int main(int argc, char** argv) {
  return resmgr::bench::run_bench("postgres_bench", [&] { resmgr::sinks::run(argc, argv); });
}
