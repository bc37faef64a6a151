// What the journal costs beside SQLite itself: the same rows, written and read through the journal
// and through bare statements on the same schema, in turns within one run. Ratios are what counts;
// the figures beside them are this machine's.
//
// Usage: journal_bench [--rows N] [--seconds S] [--rounds R] [--dir DIR] [--json FILE]
//   DIR should be on the disk that matters (default: the working directory), not in memory.

#include <stdlib.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "agent/journal/journal.h"
#include "common/ids.h"
#include "common/json.h"
#include "common/wire.h"
#include "tests/bench/bare_sqlite.h"
#include "tests/bench/figures.h"

namespace resmgr::bench {
namespace {

using journal::Journal;
using journal::Reader;
using journal::TaskFilter;
using journal::TaskRow;
using journal::Transaction;
constexpr int kUsers = 200;
constexpr int kPage = 50;

struct Plan {
  int rows = 100'000;
  double seconds = 1.0;
  int rounds = 5;
  std::filesystem::path dir = ".";
};

Admission new_admission(int number) {
  Admission made;
  TaskRow& row = made.row;
  row.task.created_at = SystemClock().now();
  row.task.task_id = new_uuid_v7(row.task.created_at);
  const std::string user = std::to_string(number % kUsers);
  row.task.user_id = "00000000-0000-4000-8000-" + std::string(12 - user.size(), '0') + user;
  row.task.service_type = number % 3 == 0 ? "jupyter" : "hello";
  row.task.host = "host-1";
  row.spec_hash = std::string(64, 'a');
  row.memory_bytes = 1LL << 30;
  row.cpus = 1;
  return made;
}

// Admissions a second, `group` in each commit.
double bare_commits(BareWriter& bare, int group, double seconds) {
  int made = 0;
  std::vector<Admission> admissions;
  const auto begin = SteadyClock::now();
  while (seconds_since(begin) < seconds) {
    admissions.clear();
    for (int i = 0; i < group; ++i) {
      admissions.push_back(new_admission(made++));
      admissions.back().json = dump_json(wire::task_to_json(admissions.back().row.task));
    }
    bare.commit(admissions);
  }
  return made / seconds_since(begin);
}

double journal_commits(Journal& journal, int writers, double seconds) {
  std::atomic<int> made{0};
  const auto begin = SteadyClock::now();
  std::vector<std::thread> threads;
  for (int i = 0; i < writers; ++i) {
    threads.emplace_back([&] {
      while (seconds_since(begin) < seconds) {
        TaskRow row = new_admission(made++).row;
        journal.transact([&](Transaction& transaction) {
          transaction.insert(row);
          transaction.append("task.start_requested", row, row.task.created_at, "{}");
        });
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  return made / seconds_since(begin);
}

// In turns, so that what the disk does meanwhile hits both.
void compare(Figures& figures, const std::string& what, int rounds,
             const std::function<double()>& bare, const std::function<double()>& ours) {
  Rounds bare_rates;
  Rounds our_rates;
  for (int i = 0; i < rounds; ++i) {
    bare_rates.push_back({bare()});
    our_rates.push_back({ours()});
  }
  figures.add("journal", "/s", {{"what", what}, {"of", "journal"}}, our_rates);
  figures.add("journal", "/s", {{"what", what}, {"of", "bare"}}, bare_rates);
}

double per_second(double seconds, const std::function<void()>& once) {
  constexpr int kBetweenLooks = 32;
  int done = 0;
  const auto begin = SteadyClock::now();
  while (seconds_since(begin) < seconds) {
    for (int i = 0; i < kBetweenLooks; ++i) once();
    done += kBetweenLooks;
  }
  return done / seconds_since(begin);
}

void bench_writes(Figures& figures, const Plan& plan, const std::filesystem::path& dir) {
  BareWriter bare(dir / "bare.db");
  Journal journal({.file = dir / "journal.db"});
  for (const int writers : {16, 1, 2, 4, 64}) {
    const auto before = journal.statistics();
    compare(
        figures, "commits of " + std::to_string(writers) + " writers", plan.rounds,
        [&] { return bare_commits(bare, writers, plan.seconds); },
        [&] { return journal_commits(journal, writers, plan.seconds); });
    const auto after = journal.statistics();
    figures.add("journal.transactions_in_a_commit", "", {{"writers", writers}},
                static_cast<double>(after.transactions - before.transactions) /
                    static_cast<double>(after.commits - before.commits));
  }
}

std::vector<std::string> fill(const std::string& file, int rows) {
  constexpr int kInCommit = 1'000;
  constexpr int kEvents = 5;
  Journal journal({.file = file});
  std::vector<std::string> ids;
  const auto add = [&](Transaction& transaction) {
    TaskRow row = new_admission(static_cast<int>(ids.size())).row;
    row.task.status = TaskStatus::stopped;
    row.phase = journal::Phase::removed;
    row.task.container_id = std::string(64, 'c');
    row.task.usage_hash = std::string(64, 'd');
    row.task.start_time = row.task.stop_time = row.task.created_at;
    transaction.insert(row);
    for (int event = 0; event < kEvents; ++event) {
      transaction.append("task.ended", row, row.task.created_at, "{}");
    }
    ids.push_back(row.task.task_id);
  };
  while (std::ssize(ids) < rows) {
    journal.transact([&](Transaction& transaction) {
      for (int i = 0; i < kInCommit && std::ssize(ids) < rows; ++i) add(transaction);
    });
  }
  return ids;
}

std::unique_ptr<Journal> bench_open(Figures& figures, const std::string& file,
                                    const std::string& some_id) {
  const auto begin = SteadyClock::now();
  auto journal = std::make_unique<Journal>(journal::JournalOptions{.file = file});
  journal->read([&](Reader& reader) { reader.task(some_id); });
  figures.add("journal.open_to_first_answer", "ms", Json::object(), millis_since(begin));
  return journal;
}

// What every stored column costs. `tail` isn't stored: it is made anew each time.
constexpr char kSelect[] =
    "SELECT task_id, user_id, service_type, container_id, container_port, host, created_at,"
    " start_time, stop_time, status, status_reason, precision, usage_hash, exit_code, phase,"
    " version, ended_by, failure, spec_hash, memory_bytes, cpus, cpu_ms, peak_memory_bytes"
    " FROM tasks WHERE task_id ";

void bench_beside_bare(Figures& figures, const Plan& plan, const std::string& file,
                       Journal& journal, const std::vector<std::string>& ids) {
  std::minstd_rand random;
  const auto any = [&]() -> const std::string& { return ids[random() % ids.size()]; };
  const auto run = [&](const char* name, const std::function<void()>& bare,
                       const std::function<void(Reader&)>& ours) {
    compare(
        figures, name, plan.rounds, [&] { return per_second(plan.seconds, bare); },
        [&] { return per_second(plan.seconds, [&] { journal.read(ours); }); });
  };
  BareReader task(file, std::string(kSelect) + "= ?1");
  BareReader page(file, std::string(kSelect) + "< ?1 ORDER BY task_id DESC LIMIT 50");
  BareReader events(file, "SELECT * FROM events WHERE task_id = ?1 ORDER BY seq");
  run(
      "task by id", [&] { task.read(any()); }, [&](Reader& reader) { reader.task(any()); });
  run(
      "task by id with its 5 events",
      [&] {
        const std::string& id = any();
        task.read(id);
        events.read(id);
      },
      [&](Reader& reader) {
        const std::string& id = any();
        reader.task(id);
        reader.events_of(id);
      });
  run(
      "page of 50, anywhere", [&] { page.read(any()); },
      [&](Reader& reader) { reader.tasks({}, kPage, any()); });
}

void bench_lists(Figures& figures, const Plan& plan, Journal& journal,
                 const std::vector<std::string>& ids) {
  const auto run = [&](const char* name, const TaskFilter& filter, const std::string& before) {
    const double rate = per_second(plan.seconds, [&] {
      journal.read([&](Reader& reader) { reader.tasks(filter, kPage, before); });
    });
    figures.add("journal.list", "/s", {{"what", name}}, rate);
  };
  run("first page of 50", {}, "");
  run("last page of 50", {}, ids[kPage + 1]);
  TaskFilter filter;
  filter.user_id = new_admission(7).row.task.user_id;
  run("first page of one user", filter, "");
  filter = {};
  filter.statuses = {TaskStatus::stopped};
  run("first page of the stopped ones", filter, "");
  filter.statuses = {TaskStatus::starting, TaskStatus::running, TaskStatus::stopping};
  run("first page of the active ones (none)", filter, "");
  filter = {};
  filter.id_part = short_id(ids[ids.size() / 2]);
  run("by the last 12 digits", filter, "");
  const double counts =
      per_second(plan.seconds, [&] { journal.read([](Reader& reader) { reader.counts(); }); });
  figures.add("journal.list", "/s", {{"what", "counts"}}, counts);
}

void run(int argc, char** argv) {
  const Options given(argc, argv, {"--rows", "--seconds", "--rounds", "--dir", "--json"});
  Figures figures(given.text("--json", ""));
  Plan plan;
  plan.rows = given.integer("--rows", plan.rows);
  plan.seconds = given.number("--seconds", plan.seconds);
  plan.rounds = given.integer("--rounds", plan.rounds);
  plan.dir = given.text("--dir", plan.dir);
  std::string dir = (plan.dir / "journal-bench-XXXXXX").string();
  if (::mkdtemp(dir.data()) == nullptr) throw std::runtime_error("cannot make a directory");
  bench_writes(figures, plan, dir);
  const std::string file = dir + "/read.db";
  const std::vector<std::string> ids = fill(file, plan.rows);
  auto journal = bench_open(figures, file, ids.front());
  bench_beside_bare(figures, plan, file, *journal, ids);
  bench_lists(figures, plan, *journal, ids);
  journal.reset();
  std::filesystem::remove_all(dir);
}

}  // namespace
}  // namespace resmgr::bench

int main(int argc, char** argv) {
  return resmgr::bench::run_bench("journal_bench", [&] { resmgr::bench::run(argc, argv); });
}
