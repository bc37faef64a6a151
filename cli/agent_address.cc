#include "cli/agent_address.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

namespace resmgr::cli {
namespace {

constexpr std::string_view kUnix = "unix://";
constexpr char kStartAgent[] =
    "systemctl status resmgr-agent, or name another agent with --agent or RESMGR_AGENT";
constexpr char kJoinGroup[] =
    "join the group of the socket (sudo usermod -aG resmgr \"$USER\") and sign in again";

std::string in_quotes(const std::string& text) { return "'" + text + "'"; }

// The client's message repeats the address in its own form.
std::string bare_cause(const Error& error) {
  const std::size_t colon = error.message().find("': ");
  return colon == std::string::npos ? error.message() : error.message().substr(colon + 3);
}

AgentUnreachable explain(const AgentAddress& address, const Error& cause,
                         const Surroundings& surroundings) {
  const std::string what = "cannot reach agent " + in_quotes(address.shown) +
                           (address.origin.empty() ? "" : " (" + address.origin + ")");
  if (!address.is_socket()) {
    const bool tls = address.url.starts_with("https://");
    return AgentUnreachable(what + ": " + bare_cause(cause),
                            tls ? "check the address, and --ca-file if its certificate is signed "
                                  "by an authority of your own"
                                : "check the address, and whether the agent listens there");
  }
  switch (surroundings.look_at(address.shown)) {
    case PathState::missing:
      return AgentUnreachable(what + ": there is no such socket", kStartAgent);
    case PathState::forbidden:
      return AgentUnreachable(what + ": permission denied", kJoinGroup);
    case PathState::other:
      return AgentUnreachable(what + ": it is no socket", kStartAgent);
    case PathState::socket:
      break;
  }
  return AgentUnreachable(what + ": " + bare_cause(cause), kStartAgent);
}

}  // namespace

AgentAddress parse_agent_address(std::string_view text, std::string origin) {
  const std::string value(text);
  if (text.starts_with("http://") || text.starts_with("https://")) {
    return {value, value, std::move(origin)};
  }
  std::string path(text.starts_with(kUnix) ? text.substr(kUnix.size()) : text);
  if (path.find("://") != std::string::npos || path.find('/') == std::string::npos) {
    throw Error(ErrorKind::usage,
                "cannot use agent " + in_quotes(value) + " (" + origin +
                    "): it is neither a URL nor the path of a socket",
                "https://HOST:PORT, http://127.0.0.1:7070 or /run/resmgr/agent.sock");
  }
  std::error_code ignored;
  if (path.front() != '/') path = std::filesystem::absolute(path, ignored).string();
  return {std::string(kUnix) + path, path, std::move(origin)};
}

std::vector<std::string> usual_sockets(const Surroundings& surroundings) {
  std::vector<std::string> paths = {"/run/resmgr/agent.sock"};
  if (const auto runtime = surroundings.variable("XDG_RUNTIME_DIR")) {
    paths.push_back(*runtime + "/resmgr/agent.sock");
  }
  const std::string own = "/run/user/" + std::to_string(surroundings.uid) + "/resmgr/agent.sock";
  if (std::find(paths.begin(), paths.end(), own) == paths.end()) paths.push_back(own);
  return paths;
}

AgentAddress find_agent(const Surroundings& surroundings) {
  const auto paths = usual_sockets(surroundings);
  std::string tried;
  std::string forbidden;
  for (const std::string& path : paths) {
    switch (surroundings.look_at(path)) {
      case PathState::socket:
        return {std::string(kUnix) + path, path, {}};
      case PathState::forbidden:
        if (forbidden.empty()) forbidden = path;
        break;
      case PathState::missing:
      case PathState::other:
        break;
    }
    tried += (tried.empty() ? "" : ", ") + in_quotes(path);
  }
  if (!forbidden.empty()) {
    throw AgentUnreachable("cannot reach agent " + in_quotes(forbidden) + ": permission denied",
                           kJoinGroup);
  }
  throw AgentUnreachable("cannot find the agent: there is no socket at " + tried, kStartAgent);
}

AgentUnreachable unreachable(const AgentAddress& address, const Error& cause,
                             const Surroundings& surroundings) {
  AgentUnreachable error = explain(address, cause, surroundings);
  error.may_have_been_sent = dynamic_cast<const NotConnected*>(&cause) == nullptr;
  return error;
}

}  // namespace resmgr::cli
