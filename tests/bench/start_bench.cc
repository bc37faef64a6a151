// What a start costs beside what it stands on, in turns within one run: the engine's own calls,
// over the same socket, for the same container on the same network.
//
// Usage: start_bench [--only cold|jupyter|warm] [--rounds R] [--starts N] [--json FILE]
//   N is how many starts there are in a round (jupyter: at once).

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "common/wire.h"
#include "tests/bench/figures.h"
#include "tests/bench/raw_engine.h"
#include "tests/support/agent_process.h"
#include "tests/support/docker_cli.h"
#include "tests/support/tokens.h"

namespace resmgr::bench {
namespace {

using support::AgentProcess;
using support::Answer;
using support::RestClient;

constexpr char kHello[] = R"(
title = "Hello"
image = "resmgr/hello:latest"
container_port = 8080
stop_timeout = "1s"
pull = "never"
[resources]
cpus = 0.25
memory = "32MiB"
pids = 32
shm = "1MiB"
[security]
read_only = true
)";

constexpr char kJupyter[] = R"(
title = "Jupyter"
image = "resmgr/jupyter:latest"
container_port = 8888
url_path = "/tree?token={token}"
env = { JUPYTER_TOKEN = "{token}" }
probe = { http = "/api", interval = "200ms" }
start_timeout = "3m"
stop_timeout = "1s"
pull = "never"
[resources]
cpus = 1.0
memory = "1GiB"
pids = 256
shm = "64MiB"
)";

std::string service(const std::string& name, const std::string& text,
                    const std::string& more = "") {
  return "name = \"" + name + "\"\n" + more + text;
}

RawEngine::Service raw_hello(const std::string& probe_path) {
  RawEngine::Service made;
  made.spec.image = "resmgr/hello:latest";
  made.spec.container_port = 8080;
  made.spec.cpus = 0.25;
  made.spec.memory_bytes = 32 << 20;
  made.spec.pids = 32;
  made.spec.shm_bytes = 1 << 20;
  made.spec.log_max_bytes = 10 << 20;
  made.spec.read_only = true;
  made.spec.stop_timeout = Millis{1'000};
  made.probe_path = probe_path;
  made.probe_interval = Millis{50};
  return made;
}

RawEngine::Service raw_jupyter() {
  RawEngine::Service made;
  made.spec.image = "resmgr/jupyter:latest";
  made.spec.container_port = 8888;
  made.spec.env = {{"JUPYTER_TOKEN", std::string(64, 'a')}};
  made.spec.cpus = 1;
  made.spec.memory_bytes = 1LL << 30;
  made.spec.pids = 256;
  made.spec.shm_bytes = 64 << 20;
  made.spec.log_max_bytes = 10 << 20;
  made.spec.stop_timeout = Millis{1'000};
  made.probe_path = "/api";
  made.probe_interval = Millis{200};
  return made;
}

struct Plan {
  std::string only;
  int rounds = 0;
  int starts = 0;
};

std::string start(const RestClient& client, const std::string& name) {
  const Answer answer = client.start(name);
  if (answer.status != 201) {
    throw std::runtime_error("a start was answered " + answer.response.body);
  }
  return answer.text("taskId");
}

// What the journal says the engine took inside one start.
double engine_millis(const RestClient& client, const std::string& task_id) {
  const Answer answer = client.get(wire::task_path(task_id));
  for (const auto& event : answer.json.at("events")) {
    if (event.at("type") == event_type::kStarted) return event.at("details").at("engineMs");
  }
  throw std::runtime_error("a start has no event of its own");
}

void stop_all(const AgentProcess& agent) {
  const auto finished = agent.cli({"stop", "--all", "--quiet"});
  if (finished.code != 0) throw std::runtime_error("tasks could not be stopped: " + finished.err);
}

struct Round {
  std::vector<double> wall;   // of each start
  std::vector<double> added;  // … less what the engine took
  double whole = 0;           // until the last one was ready
};

Round through_agent(const AgentProcess& agent, const std::string& name, int at_once, int times) {
  const RestClient client = agent.over_socket();
  Round round;
  std::mutex mutex;
  const auto begin = SteadyClock::now();
  std::vector<std::pair<std::string, double>> started;
  measure(at_once, times, [&] {
    const auto own_begin = SteadyClock::now();
    const std::string task_id = start(client, name);
    const double wall = millis_since(own_begin);
    const std::lock_guard lock(mutex);
    started.emplace_back(task_id, wall);
  });
  round.whole = millis_since(begin);
  for (const auto& [task_id, wall] : started) {
    round.wall.push_back(wall);
    round.added.push_back(wall - engine_millis(client, task_id));
  }
  stop_all(agent);
  return round;
}

Round through_engine(RawEngine& raw, int at_once, int times) {
  Round round;
  const auto begin = SteadyClock::now();
  round.wall = measure(at_once, times, [&] { raw.start_one(); });
  round.whole = millis_since(begin);
  raw.clear();
  return round;
}

// In turns, so that what else the machine does hits both.
void compare(Figures& figures, const AgentProcess& agent, const std::string& name,
             const RawEngine::Service& raw_service, int at_once, int times, int rounds) {
  RawEngine raw(agent.agent_id(), raw_service);
  std::map<std::string, Rounds> found;
  for (int i = 0; i < rounds; ++i) {
    const Round bare = through_engine(raw, at_once, times);
    const Round ours = through_agent(agent, name, at_once, times);
    found["raw"].push_back(bare.wall);
    found["raw whole"].push_back({bare.whole});
    found["agent"].push_back(ours.wall);
    found["agent whole"].push_back({ours.whole});
    found["added"].push_back(ours.added);
  }
  for (const std::string of : {"agent", "raw"}) {
    const Json labels = {{"service", name}, {"at_once", at_once}, {"of", of}};
    figures.add("start.wall", "ms", labels, found.at(of));
    figures.add("start.whole", "ms", labels, found.at(of + " whole"));
  }
  figures.add("start.added", "ms", {{"service", name}, {"at_once", at_once}}, found.at("added"));
}

double metric(const RestClient& client, const std::string& name) {
  const std::string text = client.get("/metrics").response.body;
  const auto at = text.find("\n" + name + " ");
  if (at == std::string::npos) throw std::runtime_error("there is no metric '" + name + "'");
  return std::stod(text.substr(at + name.size() + 2));
}

// One fsync of a few pages at the end of a file, as a commit has it.
std::vector<double> fsyncs(const std::string& directory) {
  constexpr int kTimes = 50;
  const std::string file = directory + "/fsync";
  const std::string bytes(8 << 10, 'x');
  const int fd = open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) throw std::runtime_error("cannot write '" + file + "'");
  std::vector<double> taken;
  for (int i = 0; i < kTimes; ++i) {
    const auto begin = SteadyClock::now();
    const bool written = write(fd, bytes.data(), bytes.size()) == std::ssize(bytes);
    if (!written || fdatasync(fd) != 0) throw std::runtime_error("cannot sync '" + file + "'");
    taken.push_back(millis_since(begin));
  }
  close(fd);
  unlink(file.c_str());
  return taken;
}

// How much of one start is waiting for the disk.
void report_fsyncs(Figures& figures, const AgentProcess& agent) {
  constexpr int kStarts = 5;
  const RestClient client = agent.over_socket();
  Rounds commits;
  for (int i = 0; i < kStarts; ++i) {
    const double before = metric(client, "resmgr_journal_commits_total");
    start(client, "bare");
    commits.push_back({metric(client, "resmgr_journal_commits_total") - before});
  }
  stop_all(agent);
  figures.add("start.commits", "", Json::object(), commits);
  figures.add("start.fsync", "ms", Json::object(), {fsyncs(agent.data_dir())});
}

support::AgentOptions options_with(const std::map<std::string, std::string>& services) {
  support::AgentOptions options;
  options.config = support::kAuthWithTestKey;
  options.services = services;
  return options;
}

void bench_cold(Figures& figures, const Plan& plan) {
  support::ensure_hello_image();
  support::AgentOptions options =
      options_with({{"bare.toml", service("bare", kHello, "probe = \"none\"\n")},
                    {"probed.toml", service("probed", kHello,
                                            "probe = { http = \"/\", interval = \"50ms\" }\n")}});
  {
    AgentProcess agent(options);
    for (const int at_once : {1, 8}) {
      const int times = std::max(plan.starts, at_once);
      compare(figures, agent, "bare", raw_hello(""), at_once, times, plan.rounds);
      compare(figures, agent, "probed", raw_hello("/"), at_once, times, plan.rounds);
    }
    report_fsyncs(figures, agent);
  }
  // What each of 8 costs where none waits until others are through.
  options.config += "[engine]\nconcurrent_starts = 8\n";
  const AgentProcess agent(options);
  Rounds added;
  for (int i = 0; i < plan.rounds; ++i) {
    added.push_back(through_agent(agent, "bare", 8, std::max(plan.starts, 8)).added);
  }
  figures.add("start.added", "ms", {{"service", "bare"}, {"at_once", 8}, {"slots", 8}}, added);
}

void bench_jupyter(Figures& figures, const Plan& plan) {
  support::ensure_jupyter_image();
  AgentProcess agent(options_with({{"notebook.toml", service("notebook", kJupyter)}}));
  compare(figures, agent, "notebook", raw_jupyter(), plan.starts, plan.starts, plan.rounds);
}

// The service's pool of containers that run before anybody asks; null: this agent knows none.
Json pool_of(const RestClient& client, const std::string& name) {
  const Json host = client.get(wire::kHost).json;
  for (const Json& pool : array_at(host, "pools")) {
    if (string_or(pool, "service") == name) return pool;
  }
  return nullptr;
}

// Until as many are ready as the pool is to hold; how long that took, in seconds.
double await_full(const RestClient& client, const std::string& name) {
  constexpr double kLongestSeconds = 300;
  const auto begin = SteadyClock::now();
  for (;;) {
    const Json pool = pool_of(client, name);
    if (integer_or(pool, "ready", 0) >= integer_or(pool, "wanted", 1)) return seconds_since(begin);
    if (seconds_since(begin) > kLongestSeconds) throw std::runtime_error("the pool is never full");
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

// As many starts as asked for, one every `gap` seconds, however long each takes.
std::vector<double> paced_starts(const RestClient& client, const std::string& name, int times,
                                 double gap) {
  std::vector<double> taken;
  std::mutex mutex;
  std::vector<std::thread> crew;
  for (int i = 0; i < times; ++i) {
    crew.emplace_back([&] {
      const auto begin = SteadyClock::now();
      start(client, name);
      const double millis = millis_since(begin);
      const std::lock_guard lock(mutex);
      taken.push_back(millis);
    });
    std::this_thread::sleep_for(std::chrono::duration<double>(gap));
  }
  for (auto& thread : crew) thread.join();
  return taken;
}

void bench_warm(Figures& figures, const Plan& plan) {
  constexpr int kPool = 10;
  support::ensure_jupyter_image();
  AgentProcess agent(
      options_with({{"notebook.toml",
                     service("notebook", kJupyter, "warm = " + std::to_string(kPool) + "\n")}}));
  const RestClient client = agent.over_socket();
  if (pool_of(client, "notebook").is_null()) {
    std::printf("this agent has no warm services\n");
    return;
  }
  Rounds bursts;
  double refilling = 0;
  for (int i = 0; i < plan.rounds; ++i) {
    await_full(client, "notebook");
    bursts.push_back(measure(kPool, kPool, [&] { start(client, "notebook"); }));
    refilling += await_full(client, "notebook");
    stop_all(agent);
  }
  const double rate = kPool * plan.rounds / refilling;
  figures.add("warm.burst", "ms", {{"at_once", kPool}}, bursts);
  figures.add("warm.refill", "/s", Json::object(), rate);
  await_full(client, "notebook");
  const Json before = pool_of(client, "notebook");
  const int times = std::max(2 * kPool, plan.starts);
  figures.add("warm.paced", "ms", Json::object(),
              {paced_starts(client, "notebook", times, 2 / rate)});
  const Json after = pool_of(client, "notebook");
  const auto grown = [&](const char* name) {
    return static_cast<double>(integer_or(after, name, 0) - integer_or(before, name, 0));
  };
  figures.add("warm.hit_rate", "", Json::object(),
              grown("hits") / std::max(1.0, grown("hits") + grown("misses")));
  stop_all(agent);
}

void run(int argc, char** argv) {
  const Options given(argc, argv, {"--only", "--rounds", "--starts", "--json"});
  Figures figures(given.text("--json", ""));
  Plan plan;
  plan.only = given.text("--only", "cold");
  plan.rounds = given.integer("--rounds", 4);
  plan.starts = given.integer("--starts", plan.only == "jupyter" ? 20 : 8);
  if (plan.only == "cold") {
    bench_cold(figures, plan);
  } else if (plan.only == "jupyter") {
    bench_jupyter(figures, plan);
  } else if (plan.only == "warm") {
    bench_warm(figures, plan);
  } else {
    throw std::runtime_error("cannot measure '" + plan.only + "': it is not known");
  }
}

}  // namespace
}  // namespace resmgr::bench

int main(int argc, char** argv) {
  return resmgr::bench::run_bench("start_bench", [&] { resmgr::bench::run(argc, argv); });
}
