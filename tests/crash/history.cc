#include "tests/crash/history.h"

#include <algorithm>
#include <chrono>
#include <set>
#include <sstream>

#include "agent/journal/journal.h"
#include "common/error.h"
#include "tests/crash/surroundings.h"
#include "tests/simulation/journal_invariants.h"
#include "tests/support/docker_cli.h"
#include "tests/support/eventually.h"
#include "tests/support/task_rows.h"

namespace resmgr::crash {
namespace {

using journal::Phase;
using journal::TaskRow;
using support::AgentProcess;
using support::docker;

constexpr int kKilled = 137;  // 128 + SIGKILL
constexpr int kMostLetters = 100;

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

// A container of somebody else's that bears all our labels, and not the name (hazard 4).
class Foreign {
 public:
  explicit Foreign(const std::string& agent_id) {
    if (agent_id.empty()) return;
    id_ = docker({"create", "--label", "io.resmgr.managed-by=resmgr", "--label",
                  "io.resmgr.agent-id=" + agent_id, "--label",
                  "io.resmgr.task-id=11111111-1111-7111-8111-111111111111", "resmgr/hello:latest"});
  }
  const std::string& id() const { return id_; }
  bool is_untouched() const {
    return id_.empty() || (support::container_exists(id_) &&
                           docker({"inspect", "--format", "{{.State.Status}}", id_}) == "created");
  }

 private:
  std::string id_;
};

class History {
 public:
  explicit History(const Operation& operation) : operation_(operation), agent_(options()) {
    destinations().postgres.query("CREATE SCHEMA \"" + schema_of(agent_) + '"');
  }
  ~History() {
    try {
      // Those of tasks that still run are the agent's no more.
      if (!agent_.agent_id().empty()) support::remove_all_of(agent_.agent_id());
      for (const auto& volume : volumes_) docker({"volume", "rm", "--force", volume});
      docker({"rmi", registry_.address() + "/crash/empty:1"});
    } catch (const std::exception&) {
      // It was not pulled.
    }
  }
  History(const History&) = delete;
  History& operator=(const History&) = delete;

  Outcome live(const std::string& failpoint) {
    if (operation_.before != nullptr) operation_.before(agent_);
    const Foreign foreign(agent_.agent_id());
    run(failpoint);
    agent_.start();
    const journal::Journal journal(journal::JournalOptions{agent_.dir() / "data" / "journal.db"});
    const bool settled =
        support::eventually([&] { return is_settled(journal, foreign); }, std::chrono::minutes(2));
    if (!settled) outcome_.faults.emplace_back("it does not settle: " + what_is_left(foreign));
    support::eventually([&] { return wrong_rows(journal).empty(); });
    if (const auto wrong = wrong_rows(journal); !wrong.empty()) outcome_.faults.push_back(wrong);
    support::eventually([&] { return wrong_bills(journal).empty(); });
    if (const auto wrong = wrong_bills(journal); !wrong.empty()) outcome_.faults.push_back(wrong);
    if (agent_.stop() != 0) outcome_.faults.emplace_back("the agent ended badly");
    const auto broken = simulation::broken_in_journal(journal, operation_.journal_is_lost);
    outcome_.faults.insert(outcome_.faults.end(), broken.begin(), broken.end());
    if (!foreign.is_untouched()) outcome_.faults.emplace_back("a foreign container was touched");
    volumes_ = volumes_of(journal);
    outcome_.log = agent_.log();
    return outcome_;
  }

 private:
  support::AgentOptions options() { return agent_options(registry_, operation_.keeps_warm); }

  void run(const std::string& failpoint) {
    const std::string trace = agent_.dir() / "trace";
    std::map<std::string, std::string> env = {{"RESMGR_FAILPOINT_TRACE", trace}};
    if (!failpoint.empty()) env["RESMGR_FAILPOINT"] = failpoint;
    try {
      if (agent_.try_start(env)) operation_.act(agent_);
    } catch (const Error&) {
      // It went away in the middle of an answer.
    }
    // By SIGTERM if it still runs; it may be killed on that way, too.
    if (agent_.running()) agent_.stop();
    const int code = agent_.wait(std::chrono::seconds(60)).value_or(-1);
    const auto lines = lines_of(support::read_file(trace));
    for (const auto& line : lines) ++outcome_.reached[line];
    const std::string name = failpoint.substr(0, failpoint.find(':'));
    outcome_.killed = code == kKilled && std::count(lines.begin(), lines.end(), name) > 0;
    if (code != 0 && !outcome_.killed) {
      outcome_.faults.push_back("it ended with " + std::to_string(code) + ":\n" + agent_.log());
    }
  }

  // Nothing is on the way, and the engine has exactly what runs: containers and volumes.
  bool is_settled(const journal::Journal& journal, const Foreign& foreign) const {
    std::set<std::string> running;
    std::set<std::string> volumes;
    for (const TaskRow& row : simulation::all_rows(journal)) {
      // It is about to be stopped for its age.
      if (row.task.service_type == kPassing && row.phase != Phase::removed) return false;
      if (row.phase == Phase::ready) {
        running.insert(row.task.container_id);
        if (row.task.service_type == "page") volumes.insert(kScratch + row.task.task_id);
      } else if (row.phase != Phase::removed) {
        return false;
      }
    }
    const auto slots = journal.reading([](journal::Reader& reader) { return reader.slots(); });
    if (slots.size() != (operation_.keeps_warm ? 1U : 0U)) return false;
    for (const auto& slot : slots) {
      if (slot.phase != journal::SlotPhase::ready) return false;
      running.insert(slot.container_id);
    }
    return running == containers(foreign) && volumes == volumes_of(journal);
  }

  std::set<std::string> containers(const Foreign& foreign) const {
    std::set<std::string> ids;
    for (const auto& container : support::containers_of(agent_.agent_id())) {
      if (container.id == foreign.id()) continue;
      ids.insert(container.state == "running" ? container.id : container.state);
    }
    return ids;
  }

  // What is wrong with PostgreSQL's rows of the tasks that this journal knows, dead letters aside;
  // an earlier journal's may have rows beside them.
  std::string wrong_rows(const journal::Journal& journal) const {
    std::set<std::string> letters;
    journal.read([&](journal::Reader& reader) {
      for (const auto& letter : reader.cursors().letters("postgres", 0, kMostLetters)) {
        letters.insert(letter.task_id);
      }
    });
    std::set<std::string> ids;
    std::set<std::string> expected;
    for (const TaskRow& row : simulation::all_rows(journal)) {
      if (letters.contains(row.task.task_id)) continue;
      ids.insert(row.task.task_id);
      if (support::has_row(row.task)) expected.insert(support::row_of(row.task));
    }
    std::set<std::string> found;
    for (const auto& line :
         lines_of(support::rows_in(destinations().postgres, "postgres", schema_of(agent_)))) {
      if (ids.contains(line.substr(0, line.find('|')))) found.insert(line);
    }
    if (found == expected) return "";
    std::string text = "PostgreSQL has";
    for (const auto& line : found) text += "\n  " + line;
    text += "\ninstead of";
    for (const auto& line : expected) text += "\n  " + line;
    return text;
  }

  // What is wrong with what the BlockchainService got: for each task that ran and ended its one
  // record, the same however often it came.
  static std::string wrong_bills(const journal::Journal& journal) {
    std::string text;
    for (const TaskRow& row : simulation::all_rows(journal)) {
      const auto posts = destinations().chain.posts_of(row.task.task_id);
      const bool billed = !row.task.usage_hash.empty();
      const bool once = posts.size() == 1 && posts.begin()->first == row.task.usage_hash &&
                        posts.begin()->second.size() == 1;
      if (billed ? once : posts.empty()) continue;
      text += row.task.task_id + " was billed under " + std::to_string(posts.size()) +
              " hashes, and its own is '" + row.task.usage_hash + "'\n";
    }
    return text;
  }

  // Of this agent's tasks: others of this suite run beside it.
  static std::set<std::string> volumes_of(const journal::Journal& journal) {
    std::set<std::string> all;
    for (const auto& name : lines_of(docker({"volume", "ls", "--quiet"}))) all.insert(name);
    std::set<std::string> ours;
    for (const TaskRow& row : simulation::all_rows(journal)) {
      const std::string name = kScratch + row.task.task_id;
      if (all.contains(name)) ours.insert(name);
    }
    return ours;
  }

  std::string what_is_left(const Foreign& foreign) const {
    std::string text;
    for (const auto& id : containers(foreign)) text += id + " ";
    return text + "\n" + agent_.log();
  }

  const Operation& operation_;
  engine::TinyRegistry registry_;
  AgentProcess agent_;
  std::set<std::string> volumes_;
  Outcome outcome_;
};

}  // namespace

Outcome live(const Operation& operation, const std::string& failpoint) {
  try {
    return History(operation).live(failpoint);
  } catch (const std::exception& error) {
    Outcome outcome;
    outcome.faults.emplace_back(error.what());
    return outcome;
  }
}

}  // namespace resmgr::crash
