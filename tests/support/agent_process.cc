#include "tests/support/agent_process.h"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <stdexcept>
#include <utility>

#include "common/json.h"
#include "tests/support/docker_cli.h"
#include "tests/support/eventually.h"
#include "tests/support/tokens.h"

namespace resmgr::support {
namespace {

constexpr char kShippedServices[] = RESMGR_SOURCE_DIR "/packaging/services.d";

std::string with_dir(std::string text, const std::string& dir) {
  for (auto at = text.find("{dir}"); at != std::string::npos; at = text.find("{dir}")) {
    text.replace(at, 5, dir);
  }
  return text;
}

}  // namespace

AgentProcess::AgentProcess(AgentOptions options) : options_(std::move(options)) {
  dir_.write("key", kTestKey);
  dir_.write("resmgr.toml", with_dir(options_.config, dir()));
  std::filesystem::create_directories(dir() / "services.d");
  for (const auto& [name, text] : options_.services) dir_.write("services.d/" + name, text);
  if (options_.start_at_once) start();
}

AgentProcess::~AgentProcess() {
  try {
    if (running()) {
      process_->signal(SIGTERM);
      if (!process_->wait(std::chrono::seconds(30))) kill9();
    }
    if (!agent_id_.empty()) remove_all_of(agent_id_);
  } catch (const std::exception& failure) {
    std::cerr << "while a test's agent was cleared away: " << failure.what() << '\n';
  }
}

void AgentProcess::kill9() {
  process_->signal(SIGKILL);
  process_->wait(std::chrono::seconds(30));
}

int AgentProcess::stop() {
  process_->signal(SIGTERM);
  const auto code = process_->wait(std::chrono::seconds(60));
  if (!code) throw std::runtime_error("the agent does not stop; its log:\n" + log());
  return *code;
}

void AgentProcess::start() {
  launch({}, {});
  if (await_ready()) return;
  throw std::runtime_error("the agent does not get ready; its log:\n" + log());
}

void AgentProcess::start_after_boot() {
  const std::string boot_id = dir_.write("boot_id", "00000000-0000-4000-8000-000000000b00\n");
  // In a mount namespace of its own; `exec` throughout, so that it is still our child.
  launch({"unshare", "--mount", "sh", "-c",
          "mount --bind '" + boot_id + "' /proc/sys/kernel/random/boot_id && exec \"$@\"", "sh"},
         {});
  if (await_ready()) return;
  throw std::runtime_error("the agent does not get ready; its log:\n" + log());
}

bool AgentProcess::try_start(const std::map<std::string, std::string>& env) {
  launch({}, env);
  return await_ready();
}

std::filesystem::path AgentProcess::data_dir() const {
  return options_.data_dir.empty() ? dir() / "data" : std::filesystem::path(options_.data_dir);
}

std::vector<std::string> AgentProcess::command_line(std::vector<std::string> arguments) const {
  const std::pair<const char*, std::string> defaults[] = {{"--config", dir() / "resmgr.toml"},
                                                          {"--data-dir", data_dir()},
                                                          {"--run-dir", dir() / "run"}};
  for (const auto& [option, value] : defaults) {
    if (std::find(arguments.begin(), arguments.end(), option) != arguments.end()) continue;
    arguments.insert(arguments.begin(), {option, value});
  }
  arguments.insert(arguments.begin(), RESMGR_AGENT_PROGRAM);
  return arguments;
}

SpawnOptions AgentProcess::agent_environment() const {
  SpawnOptions spawn;
  spawn.env = options_.env;
  spawn.env.try_emplace("RESMGR_AGENT_SERVICES_DIRS",
                        kShippedServices + std::string(",") + (dir() / "services.d").string());
  return spawn;
}

void AgentProcess::launch(std::vector<std::string> prefix,
                          const std::map<std::string, std::string>& env) {
  std::vector<std::string> arguments;
  for (const auto& address : options_.listen) {
    arguments.insert(arguments.end(), {"--listen", address});
  }
  std::vector<std::string> argv = std::move(prefix);
  for (auto& word : command_line(std::move(arguments))) argv.push_back(std::move(word));
  SpawnOptions spawn = agent_environment();
  for (const auto& [name, value] : env) spawn.env[name] = value;
  process_ = std::make_unique<Subprocess>(std::move(argv), spawn);
}

Finished AgentProcess::agent_command(const std::vector<std::string>& arguments) const {
  return run(command_line(arguments), agent_environment());
}

bool AgentProcess::await_ready() {
  Json ready;
  // An earlier process that was killed leaves its file: only one with our pid counts.
  eventually([&] {
    ready = Json::parse(read_file(dir() / "run" / "agent.json"), nullptr, false);
    return integer_or(ready, "pid", 0) == process_->pid() || !process_->running();
  });
  agent_id_ = read_file(data_dir() / "agent-id");
  while (!agent_id_.empty() && agent_id_.back() == '\n') agent_id_.pop_back();
  if (!process_->running()) return false;
  if (integer_or(ready, "pid", 0) != process_->pid() || array_at(ready, "listen").empty()) {
    throw std::runtime_error("the agent does not get ready; its log:\n" + log());
  }
  listening_ = ready["listen"].get<std::vector<std::string>>();
  url_ = "http://" + listening_.front();
  if (agent_id_.empty()) throw std::runtime_error("the agent has no id in its data directory");
  if (std::getenv("RESMGR_TEST_THROUGH_PRISM") != nullptr) {
    prism_ = std::make_unique<Prism>(kDescription, url_);
  }
  return true;
}

RestClient AgentProcess::as(const std::string& token) const {
  return prism_ ? RestClient(prism_->url(), token, require_described) : RestClient(url_, token);
}

std::string AgentProcess::socket() const { return dir() / "run" / "agent.sock"; }

SpawnOptions AgentProcess::cli_environment() const {
  const std::filesystem::path program = RESMGR_CLI_PROGRAM;
  const char* path = std::getenv("PATH");
  SpawnOptions spawn;
  spawn.env = {{"RESMGR_AGENT", socket()},
               {"HOME", dir()},  // where no settings of anybody's lie
               {"PATH", program.parent_path().string() + ":" + (path == nullptr ? "" : path)}};
  return spawn;
}

std::unique_ptr<Subprocess> AgentProcess::spawn_cli(std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(), RESMGR_CLI_PROGRAM);
  return std::make_unique<Subprocess>(std::move(arguments), cli_environment());
}

Finished AgentProcess::cli(const std::vector<std::string>& arguments) const {
  std::vector<std::string> argv = {RESMGR_CLI_PROGRAM};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return run(argv, cli_environment());
}

Finished AgentProcess::script(const std::string& text) const {
  return run({"bash", "-uo", "pipefail", "-c", text}, cli_environment(), std::chrono::minutes(5));
}

}  // namespace resmgr::support
