#include "tests/support/own_engine.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <set>
#include <sstream>
#include <stdexcept>

#include "tests/support/docker_cli.h"
#include "tests/support/eventually.h"

namespace resmgr::support {
namespace {

namespace fs = std::filesystem;

// What a daemon may take to answer that has thirty containers to stop and to clean up first.
constexpr std::chrono::minutes kPatience{10};

void must(const std::vector<std::string>& argv) {
  const Finished finished = run(argv);
  if (finished.code != 0) throw std::runtime_error(argv[0] + " " + argv[1] + ": " + finished.err);
}

int to_number(std::string_view text) {
  int number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// Of /proc/<pid>/stat: what follows the name, which may hold anything.
int parent_of(int pid) {
  const std::string stat = read_file("/proc/" + std::to_string(pid) + "/stat");
  const auto end = stat.rfind(')');
  if (end == std::string::npos) return 0;
  std::istringstream rest(stat.substr(end + 1));
  std::string state;
  int parent = 0;
  rest >> state >> parent;
  return parent;
}

std::vector<int> all_pids() {
  std::vector<int> pids;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/proc", error)) {
    const int pid = to_number(entry.path().filename().string());
    if (pid > 0) pids.push_back(pid);
  }
  return pids;
}

}  // namespace

OwnEngine::OwnEngine(bool live_restore)
    : namespace_(dir_.path().filename()), live_restore_(live_restore) {
  ensure_hello_image();
  must({"ip", "netns", "add", namespace_});
  try {
    must({"ip", "-n", namespace_, "link", "set", "lo", "up"});
    start();
    const std::string image = dir_.path() / "hello.tar";
    must({"docker", "save", "--output", image, "resmgr/hello:latest"});
    docker({"load", "--input", image});
  } catch (...) {
    run({"ip", "netns", "delete", namespace_});
    throw;
  }
}

OwnEngine::~OwnEngine() {
  try {
    if (answers()) {
      std::istringstream ids(docker({"ps", "--all", "--quiet"}));
      std::vector<std::string> removal = {"rm", "--force", "--volumes"};
      for (std::string id; ids >> id;) removal.push_back(id);
      if (removal.size() > 3) docker(removal);
      stop();
    }
    kill_everything();
    // What a killed daemon had mounted.
    std::istringstream mounts(read_file("/proc/self/mounts"));
    for (std::string line; std::getline(mounts, line);) {
      std::istringstream words(line);
      std::string device;
      std::string place;
      words >> device >> place;
      if (place.starts_with(dir_.path().string())) run({"umount", "--lazy", place});
    }
  } catch (const std::exception& failure) {
    std::cerr << "while a test's engine was cleared away: " << failure.what() << '\n';
  }
  run({"ip", "netns", "delete", namespace_});
}

std::string OwnEngine::docker(const std::vector<std::string>& arguments) const {
  std::vector<std::string> all = {"--host", url()};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return support::docker(all);
}

bool OwnEngine::answers() const {
  try {
    return run({"docker", "--host", url(), "version", "--format", "{{.Server.Version}}"}, {},
               std::chrono::seconds(10))
               .code == 0;
  } catch (const std::runtime_error&) {
    return false;  // it listens, and is busy with what an earlier one left
  }
}

// As a service manager does: a daemon that gives up, because containerd takes longer than 15 s to
// find its containers on a busy machine, is started again.
void OwnEngine::start() {
  constexpr int kTries = 10;
  for (int i = 0; i < kTries; ++i) {
    launch();
    if (eventually([this] { return answers() || !daemon_->running(); }, kPatience) &&
        daemon_->running()) {
      return;
    }
  }
  const std::string log = daemon_->err();
  throw std::runtime_error("the test's engine does not start:\n" +
                           log.substr(log.size() - std::min<std::size_t>(log.size(), 4'000)));
}

void OwnEngine::launch() {
  const std::string dir = dir_.path();
  // Not `ip netns exec`: that hides the control groups behind a /sys of its own.
  daemon_ = std::make_unique<Subprocess>(std::vector<std::string>{
      "nsenter", "--net=/run/netns/" + namespace_, "dockerd", "--host", url(), "--data-root",
      dir + "/data", "--exec-root", dir + "/exec", "--pidfile", dir + "/docker.pid",
      live_restore_ ? "--live-restore" : "--live-restore=false", "--shutdown-timeout", "20"});
}

void OwnEngine::stop() {
  daemon_->signal(SIGTERM);
  if (!daemon_->wait(std::chrono::minutes(2))) {
    throw std::runtime_error("the test's engine does not stop");
  }
}

void OwnEngine::kill9() {
  daemon_->signal(SIGKILL);
  daemon_->wait(std::chrono::minutes(1));
}

void OwnEngine::kill_everything() {
  if (daemon_ && daemon_->running()) kill9();
  // Those that end make others end, or belong to nobody for a moment: until none is left.
  const bool gone = eventually([this] {
    const auto left = processes();
    for (const int pid : left) ::kill(pid, SIGKILL);
    return left.empty();
  });
  if (!gone) throw std::runtime_error("processes of the test's engine can't be killed");
}

int OwnEngine::pid_of(const std::string& container) const {
  return to_number(docker({"inspect", "--format", "{{.State.Pid}}", container}));
}

std::vector<int> OwnEngine::processes() const {
  std::map<int, int> parents;
  std::set<int> ours;
  for (const int pid : all_pids()) {
    parents[pid] = parent_of(pid);
    const std::string command = read_file("/proc/" + std::to_string(pid) + "/cmdline");
    const bool keeper = command.find("containerd") != std::string::npos ||
                        command.find("dockerd") != std::string::npos;
    if (keeper && command.find(dir_.path().string() + "/") != std::string::npos) ours.insert(pid);
  }
  for (bool grown = true; grown;) {
    grown = false;
    for (const auto& [pid, parent] : parents) {
      if (ours.contains(parent) && ours.insert(pid).second) grown = true;
    }
  }
  ours.erase(::getpid());
  return {ours.begin(), ours.end()};
}

}  // namespace resmgr::support
