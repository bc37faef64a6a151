// A real agent, as a process of its own, on the machine's engine.
#ifndef RESMGR_TESTS_SUPPORT_AGENT_PROCESS_H_
#define RESMGR_TESTS_SUPPORT_AGENT_PROCESS_H_

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/prism.h"
#include "tests/support/rest_client.h"
#include "tests/support/subprocess.h"
#include "tests/support/temp_dir.h"

namespace resmgr::support {

struct AgentOptions {
  std::string config;                           // resmgr.toml, whole
  std::map<std::string, std::string> services;  // file name -> TOML, beside the shipped ones
  std::map<std::string, std::string> env;
  std::vector<std::string> listen = {"127.0.0.1:0"};
  std::string data_dir;       // empty: in the temporary directory
  bool start_at_once = true;  // else the test calls start() or try_start()
};

// `[auth]` with kTestKey, in the directory of the tests' agent.
inline constexpr char kAuthWithTestKey[] = "[auth]\nhmac_key_file = \"{dir}/key\"\n";

// Data, run directory and configuration are its own, in a temporary directory; {dir} in the
// configuration stands for that. It listens on a free port of 127.0.0.1 and on a socket. At the end
// it is ended, and its containers and network are removed.
class AgentProcess {
 public:
  // Returns once the agent is ready. Throws std::runtime_error with its log if it never is.
  explicit AgentProcess(AgentOptions options = {});
  ~AgentProcess();
  AgentProcess(const AgentProcess&) = delete;
  AgentProcess& operator=(const AgentProcess&) = delete;

  // kill -9, and wait until it is gone.
  void kill9();
  // SIGTERM; its exit code.
  int stop();
  // After kill9() or stop(): again, on the same directories.
  void start();
  // As above, as if the host had booted in between.
  void start_after_boot();
  // As start(), with more environment, for an agent that may end by itself before it is ready:
  // whether it got ready.
  bool try_start(const std::map<std::string, std::string>& env);

  pid_t pid() const { return process_->pid(); }
  bool running() { return process_ && process_->running(); }
  // Its exit code once it ended, as Subprocess::wait(); empty if it still runs after `bound`.
  std::optional<int> wait(std::chrono::milliseconds bound) { return process_->wait(bound); }
  const std::filesystem::path& dir() const { return dir_.path(); }
  std::filesystem::path data_dir() const;
  std::string socket() const;
  std::string socket_url() const { return "unix://" + socket(); }
  // http://127.0.0.1:port, the first that it listens on
  const std::string& url() const { return url_; }
  // The real addresses, in the order of AgentOptions::listen.
  const std::vector<std::string>& listening() const { return listening_; }
  const std::string& agent_id() const { return agent_id_; }
  std::string log() const { return process_->err(); }  // since the last start

  RestClient over_socket() const { return RestClient(socket_url()); }
  // Through Prism where the environment says RESMGR_TEST_THROUGH_PRISM: a call whose answer is not
  // as agent/api/openapi.json has it then throws std::runtime_error.
  RestClient as(const std::string& token) const;
  // The environment in which `resmgr` talks to it over the socket.
  SpawnOptions cli_environment() const;
  // Runs `resmgr` so, to its end or in the background.
  std::unique_ptr<Subprocess> spawn_cli(std::vector<std::string> arguments) const;
  Finished cli(const std::vector<std::string>& arguments) const;
  // Runs `resmgr-agent` to its end with this agent's configuration and directories, unless the
  // arguments name others.
  Finished agent_command(const std::vector<std::string>& arguments) const;
  // Runs a bash script so, with `resmgr` in PATH, `pipefail` and nounset.
  Finished script(const std::string& text) const;

 private:
  std::vector<std::string> command_line(std::vector<std::string> arguments) const;
  SpawnOptions agent_environment() const;
  // `prefix` stands before its command line, `env` beside its environment.
  void launch(std::vector<std::string> prefix, const std::map<std::string, std::string>& env);
  // False: it ended instead. Throws std::runtime_error if it does neither.
  bool await_ready();

  AgentOptions options_;
  TempDir dir_;
  std::unique_ptr<Subprocess> process_;
  std::string url_;
  std::vector<std::string> listening_;
  std::string agent_id_;
  std::unique_ptr<Prism> prism_;
};

}  // namespace resmgr::support

#endif  // RESMGR_TESTS_SUPPORT_AGENT_PROCESS_H_
