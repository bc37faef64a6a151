// The agent's REST API: its routes behind an HTTP server.
#ifndef RESMGR_AGENT_API_SERVER_H_
#define RESMGR_AGENT_API_SERVER_H_

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "agent/api/metrics.h"
#include "agent/api/server_options.h"
#include "agent/identity/authenticator.h"
#include "agent/journal/journal.h"
#include "agent/sinks/status.h"
#include "agent/tasks/task_service.h"
#include "common/clock.h"
#include "common/json.h"

namespace resmgr::identity {
class UserDirectory;
}  // namespace resmgr::identity

namespace resmgr::api {

struct Route;

// The rooms that the routes lead to. All must outlive the server.
struct Parts {
  journal::Journal& journal;
  tasks::TaskService& tasks;
  identity::Authenticator& authenticator;
  const Clock& clock;
  std::string agent_id;
  std::string name;  // of the host, for people
  // What /api/host/checks answers; may block for a while. Empty: there are no checks.
  std::function<Json()> checks;
  sinks::Pumps* sinks = nullptr;             // null: there are none
  identity::UserDirectory* users = nullptr;  // null: users have no names
  Metrics* metrics = nullptr;                // null: nothing is counted, no /metrics
  std::string secret_key;  // the data directory's, for the gateway's cookies; empty without one
};

class Server {
 public:
  // Throws Error(config) for options that it can't serve.
  Server(const ServerOptions& options, Parts parts);
  ~Server();  // as stop()
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Returns once it listens everywhere. Throws Error(config) naming the address that it can't
  // listen on (in use, not ours, refused without allow_plaintext).
  void start();

  // The real addresses, "127.0.0.1:41234"; without the unix socket.
  const std::vector<std::string>& listening() const;

  // All that it serves; they live as long as it does.
  std::vector<const Route*> routes() const;

  // Whether its I/O threads get to something new within that time. Between start() and stop().
  bool turns(std::chrono::milliseconds patience) const;

  // Takes no more requests, gives answers under way a little time (Deadlines::stop), ends every
  // connection and thread, and removes the unix socket. Idempotent.
  void stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace resmgr::api

#endif  // RESMGR_AGENT_API_SERVER_H_
