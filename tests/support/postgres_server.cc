#include "tests/support/postgres_server.h"

#include <pwd.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <utility>

#include "tests/support/eventually.h"

namespace resmgr::support {
namespace {

constexpr char kUser[] = "postgres";

std::string newest_programs() {
  std::vector<std::string> found;
  for (const auto& version : std::filesystem::directory_iterator("/usr/lib/postgresql")) {
    if (std::filesystem::exists(version.path() / "bin/postgres")) {
      found.push_back(version.path() / "bin");
    }
  }
  if (found.empty()) throw std::runtime_error("there is no PostgreSQL server on this machine");
  return *std::ranges::max_element(found);
}

void check(const Finished& finished, const std::string& what) {
  if (finished.code != 0) throw std::runtime_error(what + ": " + finished.err + finished.out);
}

void give_to_its_user(const std::string& path) {
  if (geteuid() != 0) return;
  const passwd* const user = getpwnam(kUser);
  if (user == nullptr) throw std::runtime_error("there is no user 'postgres'");
  if (chown(path.c_str(), user->pw_uid, user->pw_gid) != 0) {
    throw std::runtime_error("cannot give '" + path + "' to 'postgres'");
  }
}

// The children of a process, by /proc.
std::vector<pid_t> children_of(pid_t parent) {
  std::vector<pid_t> children;
  std::ifstream in("/proc/" + std::to_string(parent) + "/task/" + std::to_string(parent) +
                   "/children");
  for (pid_t child = 0; in >> child;) children.push_back(child);
  return children;
}

}  // namespace

PostgresServer::PostgresServer(std::vector<std::string> settings,
                               std::map<std::string, std::string> env)
    : settings_(std::move(settings)), env_(std::move(env)), programs_(newest_programs()) {
  for (auto& [name, value] : env_) {
    const auto at = value.find("{dir}");
    if (at != std::string::npos) value.replace(at, 5, directory());
  }
  give_to_its_user(dir_.path());
  const std::string data = dir_.path() / "data";
  check(run(as_its_user({programs_ + "/initdb", "-D", data, "-U", kUser, "-A", "trust", "-E",
                         "UTF8", "--no-locale", "--no-sync", "--no-instructions"})),
        "initdb");
  start();
}

PostgresServer::~PostgresServer() {
  if (server_) kill9();
}

std::vector<std::string> PostgresServer::as_its_user(std::vector<std::string> command) const {
  if (geteuid() != 0) return command;
  // A change of user clears the signal that the parent's death sends.
  std::vector<std::string> whole = {"setpriv", "--reuid",        kUser,         "--regid",
                                    kUser,     "--clear-groups", "--pdeathsig", "KILL"};
  whole.insert(whole.end(), command.begin(), command.end());
  return whole;
}

void PostgresServer::start() {
  const bool started = eventually(
      [&] {
        // Backends of a killed server may hold its memory for a while yet, and it ends at once.
        if (!server_ || !server_->running()) {
          std::vector<std::string> command = {
              programs_ + "/postgres", "-D", dir_.path() / "data", "-k", dir_.path(),         "-c",
              "listen_addresses=",     "-c", "fsync=off",          "-c", "max_connections=40"};
          for (const auto& setting : settings_) command.insert(command.end(), {"-c", setting});
          server_ = std::make_unique<Subprocess>(as_its_user(std::move(command)),
                                                 SpawnOptions{.env = env_});
        }
        return answers();
      },
      std::chrono::minutes(3));
  if (!started) throw std::runtime_error("PostgreSQL does not start: " + server_->err());
}

bool PostgresServer::answers() const {
  try {
    return query("SELECT 1") == "1\n";
  } catch (const std::runtime_error&) {
    return false;
  }
}

std::string PostgresServer::url(const std::string& user, const std::string& database) const {
  std::string url = "postgresql://" + user + "@/" + database + "?host=" + dir_.path().string();
  for (const auto& setting : settings_) {
    if (setting.starts_with("port=")) url += "&" + setting;
  }
  return url;
}

std::string PostgresServer::query(const std::string& sql, const std::string& database) const {
  const auto finished = run({programs_ + "/psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1",
                             "-d", url(kUser, database), "-c", sql},
                            {.env = {{"PGTZ", "UTC"}}});
  check(finished, sql);
  return finished.out;
}

void PostgresServer::give(const std::string& file) {
  std::filesystem::permissions(file, std::filesystem::perms::owner_read);
  give_to_its_user(file);
}

void PostgresServer::kill9() {
  thaw();
  server_->signal(SIGKILL);
  server_->wait(std::chrono::minutes(1));
  server_.reset();
}

void PostgresServer::signal_all(int number) const {
  for (const pid_t child : children_of(server_->pid())) ::kill(child, number);
  server_->signal(number);
}

void PostgresServer::freeze() const { signal_all(SIGSTOP); }

void PostgresServer::thaw() const { signal_all(SIGCONT); }

int PostgresServer::cut_agents() const {
  return std::stoi(
      query("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE application_name = 'resmgr-agent'"));
}

PostgresSessionHolder::PostgresSessionHolder(const PostgresServer& server,
                                             const std::string& database, const std::string& sql)
    : server_(server) {
  psql_ = std::make_unique<Subprocess>(
      std::vector<std::string>{"psql", "-X", "-q", "-A", "-t", "-d",
                               server.url("postgres", database), "-c", sql, "-c", "SELECT 'held'",
                               "-c", "SELECT pg_sleep(3600)"},
      SpawnOptions{.env = {{"PGAPPNAME", "holder"}}});
  if (!eventually([&] { return psql_->out().find("held") != std::string::npos; })) {
    throw std::runtime_error("no lock: " + psql_->err());
  }
}

// A backend that sleeps does not notice that its client is gone.
PostgresSessionHolder::~PostgresSessionHolder() {
  server_.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'holder'");
}

}  // namespace resmgr::support
