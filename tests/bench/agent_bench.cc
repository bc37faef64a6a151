// What the agent costs beside what it stands on, as ratios of one run: the engine itself, over the
// same socket and with the same container; the docker command; and what memory it takes.
//
// Usage: agent_bench [containers]   (100 unless said otherwise)

#include <sys/wait.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <mutex>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "agent/engine/docker_engine.h"
#include "agent/engine/labels.h"
#include "common/ids.h"
#include "common/wire.h"
#include "tests/support/agent_process.h"
#include "tests/support/docker_cli.h"
#include "tests/support/subprocess.h"
#include "tests/support/tokens.h"

namespace resmgr {
namespace {

using support::AgentProcess;
using support::RestClient;
using Clock = std::chrono::steady_clock;

constexpr char kService[] = R"(
name = "bench"
title = "Bench"
image = "resmgr/hello:latest"
container_port = 8080
probe = "none"
stop_timeout = "1s"
[resources]
cpus = 0.25
memory = "32MiB"
pids = 32
[security]
read_only = true
)";

double millis_since(Clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

double quantile(std::vector<double> values, double q) {
  std::sort(values.begin(), values.end());
  const auto at = static_cast<std::size_t>(q * static_cast<double>(values.size() - 1) + 0.5);
  return values[at];
}
double median(const std::vector<double>& values) { return quantile(values, 0.5); }

// Runs `act` `times` times on `threads` threads; what each took, in milliseconds.
std::vector<double> measure(int threads, int times, const std::function<void()>& act) {
  std::vector<double> taken;
  std::mutex mutex;
  std::atomic<int> left{times};
  std::vector<std::thread> crew;
  for (int i = 0; i < threads; ++i) {
    crew.emplace_back([&] {
      while (left.fetch_sub(1) > 0) {
        const auto begin = Clock::now();
        act();
        const double millis = millis_since(begin);
        const std::lock_guard lock(mutex);
        taken.push_back(millis);
      }
    });
  }
  for (auto& thread : crew) thread.join();
  return taken;
}

// Create, start and inspect as the agent asks for them, without the agent.
class RawEngine {
 public:
  explicit RawEngine(const std::string& agent_id) : agent_id_(agent_id), engine_({}) {}

  void start_one() {
    engine::ContainerSpec spec;
    spec.name = "resmgr-bench-" + random_hex(8);
    spec.image = "resmgr/hello:latest";
    spec.labels = engine::ours(agent_id_);
    spec.container_port = 8080;
    spec.network = engine::network_name(agent_id_);
    spec.cpus = 0.25;
    spec.memory_bytes = 32 << 20;
    spec.pids = 32;
    spec.shm_bytes = 64 << 20;
    spec.log_max_bytes = 10 << 20;
    spec.read_only = true;
    const std::string id = engine_.create(spec);
    engine_.start(id);
    engine_.inspect(id);
    const std::lock_guard lock(mutex_);
    made_.push_back(id);
  }

  void clear() {
    for (const auto& id : made_) {
      engine_.stop(id, Millis{1'000});
      engine_.remove(id);
    }
    made_.clear();
  }

 private:
  const std::string agent_id_;
  engine::DockerEngine engine_;
  std::mutex mutex_;
  std::vector<std::string> made_;
};

// What the journal says the engine took inside one start.
double engine_millis(const RestClient& client, const std::string& task_id) {
  const auto answer = client.get(wire::task_path(task_id));
  for (const auto& event : answer.json.at("events")) {
    if (event.at("type") == event_type::kStarted) return event.at("details").at("engineMs");
  }
  return 0;
}

struct Starts {
  std::vector<double> wall;
  std::vector<double> added;  // wall less what the engine took
};

Starts start_through_agent(const RestClient& client, int threads, int times) {
  Starts starts;
  std::mutex mutex;
  measure(threads, times, [&] {
    const auto begin = Clock::now();
    const auto answer = client.start("bench");
    const double wall = millis_since(begin);
    if (answer.status != 201) {
      std::fprintf(stderr, "agent_bench: a start was answered %d: %s\n", answer.status,
                   answer.response.body.c_str());
      std::exit(EXIT_FAILURE);
    }
    const double engine = engine_millis(client, answer.text("taskId"));
    const std::lock_guard lock(mutex);
    starts.wall.push_back(wall);
    starts.added.push_back(wall - engine);
  });
  return starts;
}

void report_starts(const AgentProcess& agent, int threads, int times) {
  const RestClient client = agent.over_socket();
  RawEngine raw(agent.agent_id());
  // Half of each before and after the other, so that what else the machine does hits both.
  std::vector<double> raw_wall = measure(threads, times / 2, [&] { raw.start_one(); });
  raw.clear();
  const Starts starts = start_through_agent(client, threads, times);
  agent.cli({"stop", "--all", "--quiet"});
  const auto second = measure(threads, times / 2, [&] { raw.start_one(); });
  raw.clear();
  raw_wall.insert(raw_wall.end(), second.begin(), second.end());
  std::printf("start, %2d at once: POST %.1f ms, raw create+start+inspect %.1f ms, ratio %.3f",
              threads, median(starts.wall), median(raw_wall),
              median(starts.wall) / median(raw_wall));
  if (threads == 1) std::printf("; added by the agent %.2f ms", median(starts.added));
  std::printf("\n");
}

std::string word_after(const std::string& text, const std::string& label) {
  const auto at = text.find(label);
  if (at == std::string::npos) return {};
  std::istringstream rest(text.substr(at + label.size()));
  std::string word;
  rest >> word;
  return word;
}

void report_reads(const AgentProcess& agent) {
  const std::string token = support::user_token(support::kAlice);
  const auto started = agent.as(token).start("bench");
  const auto result = support::run({"wrk", "-t1", "-c32", "-d5s", "--latency", "-H",
                                    "Authorization: Bearer " + token,
                                    agent.url() + wire::task_path(started.text("taskId"))});
  const std::string rate = word_after(result.out, "Requests/sec:");
  const std::string tail = word_after(result.out, "99%");
  if (rate.empty() || tail.empty() || result.out.find("Non-2xx") != std::string::npos) {
    std::fprintf(stderr, "agent_bench: wrk said: %s%s\n", result.out.c_str(), result.err.c_str());
    std::exit(EXIT_FAILURE);
  }
  std::printf("GET /api/tasks/{id}, 32 clients, token verified: %s requests/s, p99 %s\n",
              rate.c_str(), tail.c_str());
}

// From fork to the end of the child, with its output thrown away.
double run_command(const std::vector<std::string>& argv, const std::string& socket) {
  std::vector<char*> arguments;
  for (const auto& argument : argv) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  const auto begin = Clock::now();
  const pid_t child = fork();
  if (child == 0) {
    setenv("RESMGR_AGENT", socket.c_str(), 1);
    if (std::freopen("/dev/null", "w", stdout) == nullptr) _exit(126);
    execvp(arguments[0], arguments.data());
    _exit(127);
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (status != 0) {
    std::fprintf(stderr, "agent_bench: %s failed\n", argv[0].c_str());
    std::exit(EXIT_FAILURE);
  }
  return millis_since(begin);
}

void report_list(const AgentProcess& agent, int running) {
  std::vector<double> ours;
  std::vector<double> dockers;
  const std::string filter = "label=" + std::string(engine::kLabelAgentId) + "=" + agent.agent_id();
  for (int i = 0; i < 30; ++i) {
    ours.push_back(run_command({RESMGR_CLI_PROGRAM, "list"}, agent.socket_url()));
    dockers.push_back(run_command({"docker", "ps", "--filter", filter}, agent.socket_url()));
  }
  std::printf("resmgr list, %d running: %.1f ms, docker ps %.1f ms, ratio %.2f\n", running,
              median(ours), median(dockers), median(ours) / median(dockers));
}

void report_memory(const AgentProcess& agent, const std::string& when) {
  std::ifstream status("/proc/" + std::to_string(agent.pid()) + "/status");
  std::string anonymous;
  std::string all;
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("RssAnon:")) anonymous = line.substr(8);
    if (line.starts_with("VmRSS:")) all = line.substr(6);
  }
  std::printf("memory %s: RssAnon%s, RSS%s\n", when.c_str(), anonymous.c_str(), all.c_str());
}

int run(int containers) {
  support::ensure_hello_image();
  support::AgentOptions options;
  options.config = support::kAuthWithTestKey;
  options.services["bench.toml"] = kService;
  AgentProcess agent(options);
  std::this_thread::sleep_for(std::chrono::seconds(2));
  report_memory(agent, "idle");
  report_list(agent, 0);
  report_starts(agent, 1, 20);
  report_starts(agent, 16, 48);
  report_reads(agent);
  const RestClient client = agent.over_socket();
  start_through_agent(client, 8, containers);
  report_list(agent, containers);
  report_memory(agent, "with " + std::to_string(containers) + " containers");
  agent.cli({"stop", "--all", "--quiet"});
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace resmgr

int main(int argc, char** argv) {
  try {
    return resmgr::run(argc > 1 ? std::atoi(argv[1]) : 100);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "agent_bench: %s\n", error.what());
    return EXIT_FAILURE;
  }
}
