// Which agent the command talks to, and what to say when it can't be reached.
#ifndef RESMGR_CLI_AGENT_ADDRESS_H_
#define RESMGR_CLI_AGENT_ADDRESS_H_

#include <string>
#include <string_view>
#include <vector>

#include "cli/exit_code.h"
#include "cli/surroundings.h"

namespace resmgr::cli {

struct AgentAddress {
  std::string url;     // as HttpEndpoint takes it: unix://…, http://…, https://…
  std::string shown;   // for messages: the socket's path, or the URL
  std::string origin;  // who named it: "--agent", "RESMGR_AGENT", a file; empty: it was found

  bool is_socket() const { return url.starts_with("unix://"); }
};

// A URL, unix://PATH, or the path of a socket (it has a '/'). Throws Error(usage).
AgentAddress parse_agent_address(std::string_view text, std::string origin);

// Where an agent on this host puts its socket, best first: the system's, and the caller's own
// (cron has no XDG_RUNTIME_DIR).
std::vector<std::string> usual_sockets(const Surroundings& surroundings);

// The first of the usual sockets that exists. Throws AgentUnreachable with what to do.
AgentAddress find_agent(const Surroundings& surroundings);

// `cause` made into what a person can act upon.
AgentUnreachable unreachable(const AgentAddress& address, const Error& cause,
                             const Surroundings& surroundings);

}  // namespace resmgr::cli

#endif  // RESMGR_CLI_AGENT_ADDRESS_H_
