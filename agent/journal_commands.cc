#include "agent/journal_commands.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <string_view>
#include <vector>

#include "agent/directories.h"
#include "agent/engine/docker_engine.h"
#include "agent/engine/labels.h"
#include "agent/journal/backup.h"
#include "agent/journal/check.h"
#include "common/clock.h"
#include "common/error.h"

namespace resmgr {
namespace {

// One line of a terminal's standard error, which is gone at the end.
class ProgressLine {
 public:
  ProgressLine() : shown_(isatty(STDERR_FILENO) == 1) {}
  ~ProgressLine() {
    if (shown_) std::fputs("\r\033[K", stderr);
  }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  journal::CheckProgress call() {
    return [this](std::string_view what, std::int64_t done, std::int64_t of) {
      if (!shown_) return;
      std::fprintf(stderr, "\r\033[K%.*s", static_cast<int>(what.size()), what.data());
      if (of > 0) {
        std::fprintf(stderr, " %lld of %lld", static_cast<long long>(done),
                     static_cast<long long>(of));
      }
      std::fputs("…", stderr);
      std::fflush(stderr);
    };
  }

 private:
  const bool shown_;
};

std::string journal_of(const Settings& settings) {
  return settings.data_dir + "/" + std::string(kJournalFile);
}

journal::CheckReport checked(const std::string& file) {
  ProgressLine line;
  return journal::check_journal(file, line.call());
}

void print_installed(const journal::Installed& installed, const char* what) {
  std::printf("%s journal %s\n", what, installed.journal_id.c_str());
  if (!installed.aside.empty()) {
    std::printf("the old one is kept as %s\n", installed.aside.c_str());
  }
}

// The tasks that the agent finds at the engine when it starts, with the state of each.
struct Found {
  std::string task_id;
  std::string service;
  std::string user;
  std::string state;
};

std::string label(const std::map<std::string, std::string>& labels, const char* name) {
  const auto found = labels.find(name);
  return found == labels.end() ? "" : found->second;
}

std::vector<Found> find_tasks(const Settings& settings, const std::string& agent_id) {
  engine::DockerEngine engine(settings.engine);
  std::vector<Found> tasks;
  for (const auto& container : engine.list(engine::ours(agent_id))) {
    const auto whose = engine::belonging_of(container.labels, container.name, agent_id);
    if (!whose || whose->task_id.empty()) continue;
    const bool runs = container.status == engine::ContainerStatus::running;
    tasks.push_back({whose->task_id, label(container.labels, engine::kLabelServiceType),
                     whose->user_id, runs ? "running" : "not running"});
  }
  return tasks;
}

void refuse_without_agent_id(const LockedDirectory& data) {
  const std::string path = data.file("agent-id");
  if (std::filesystem::exists(path)) return;
  throw Error(ErrorKind::config,
              "cannot rebuild journal: '" + path + "' is missing, and nobody knows which " +
                  "containers are this agent's",
              "put the id there that their labels io.resmgr.agent-id show");
}

void refuse_if_good(const std::string& file) {
  if (!std::filesystem::exists(file) || !checked(file).good()) return;
  throw Error(ErrorKind::conflict, "cannot rebuild journal '" + file + "': it is good",
              "start the agent; or, to lose what it holds, move the file away first");
}

}  // namespace

int check_journal_file(const Settings& settings, const std::string& file) {
  const std::string& looked_at = file.empty() ? journal_of(settings) : file;
  const auto report = checked(looked_at);
  for (const auto& fault : report.faults) {
    std::fprintf(stderr, "resmgr-agent: %s\n", fault.c_str());
  }
  for (const auto& note : report.notes) std::printf("note: %s\n", note.c_str());
  if (!report.good()) {
    throw Error(ErrorKind::corrupt, "journal '" + looked_at + "' is not good",
                "stop the agent, and resmgr-agent journal restore FILE, or journal rebuild");
  }
  std::printf("journal %s is good: %lld tasks, %lld events, %lld usage records, schema %d\n",
              report.journal_id.c_str(), static_cast<long long>(report.tasks),
              static_cast<long long>(report.events), static_cast<long long>(report.usage_records),
              report.schema_version);
  return EXIT_SUCCESS;
}

int back_up_journal(const Settings& settings, const std::string& to) {
  {
    ProgressLine line;
    journal::back_up(journal_of(settings), to, line.call());
  }
  std::printf("%s\n", to.c_str());
  return EXIT_SUCCESS;
}

int restore_journal(const Settings& settings, const std::string& from) {
  const LockedDirectory data(settings.data_dir, 0700);
  journal::Installed installed;
  {
    ProgressLine line;
    installed = journal::restore(from, journal_of(settings), SystemClock().now(), line.call());
  }
  print_installed(installed, "restored");
  std::printf("tasks that ran since the backup are adopted when the agent starts\n");
  return EXIT_SUCCESS;
}

int rebuild_journal(const Settings& settings) {
  const LockedDirectory data(settings.data_dir, 0700);
  const std::string file = journal_of(settings);
  refuse_without_agent_id(data);
  refuse_if_good(file);
  // Before anything is changed: an engine that does not answer is no empty one.
  const auto tasks = find_tasks(settings, load_agent_id(data));
  const auto rebuilt = journal::rebuild(file, SystemClock().now());
  print_installed(rebuilt, "new");
  std::printf("usage records carried over: %d\n", rebuilt.usage_records);
  std::printf("containers that are adopted when the agent starts: %zu\n", tasks.size());
  for (const auto& task : tasks) {
    std::printf("%s\t%s\t%s\t%s\n", task.task_id.c_str(), task.service.c_str(), task.user.c_str(),
                task.state.c_str());
  }
  return EXIT_SUCCESS;
}

}  // namespace resmgr
