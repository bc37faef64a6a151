// What holds for every command: global options, then the environment, then the user's file.
#ifndef RESMGR_CLI_SESSION_H_
#define RESMGR_CLI_SESSION_H_

#include <memory>
#include <string>

#include "cli/agent_address.h"
#include "cli/api_client.h"
#include "cli/records.h"
#include "cli/surroundings.h"

namespace resmgr::cli {

struct GlobalOptions {
  std::string agent;
  std::string token_file;
  std::string ca_file;
  std::string output;
};

// One run of the command. Nothing is read or connected before it is asked for.
class Session {
 public:
  Session(GlobalOptions options, const Surroundings& surroundings);

  const Surroundings& surroundings() const { return surroundings_; }
  TextStream& out() const { return surroundings_.out; }
  TextStream& err() const { return surroundings_.err; }

  // --output, the file's, or by what standard output is: table on a terminal, else TSV. Throws
  // Error(config) for a file that is wrong.
  Format format();

  // Gives up when the agent is silent for 30 s. Throws Error(usage, config), AgentUnreachable.
  ApiClient& api();
  // For a stop, which answers when the container has ended: waits up to an hour.
  ApiClient& patient_api();

 private:
  struct Connection {
    std::unique_ptr<HttpClient> http;
    std::unique_ptr<ApiClient> api;
  };
  const GlobalOptions& options();  // completed from environment and file
  AgentAddress address();
  std::string token();
  ApiClient& connect(Connection& connection, Millis read_timeout);

  GlobalOptions options_;
  const Surroundings& surroundings_;
  bool completed_ = false;
  std::string agent_origin_;
  Connection quick_;
  Connection patient_;
};

}  // namespace resmgr::cli

#endif  // RESMGR_CLI_SESSION_H_
