// Which route a request is for.
#ifndef RESMGR_AGENT_API_ROUTER_H_
#define RESMGR_AGENT_API_ROUTER_H_

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/api/message.h"
#include "agent/api/responder.h"

namespace resmgr::api {

enum class Access {
  open,   // anyone, without a token
  user,   // whoever is known
  admin,  // admins
};

enum class Runs {
  at_once,    // on the I/O thread: it must not block
  on_worker,  // on a thread of the pool: it may wait for disk, engine and others
};

// Returns the answer, or nothing where the responder (a copy of it) will give it later. May throw
// Error.
using Handler = std::function<std::optional<Response>(const Responder&)>;

struct Route {
  Method method = Method::get;
  std::string pattern;  // "/api/tasks/{id}": a {…} stands for one segment
  Access access = Access::user;
  Runs runs = Runs::at_once;
  bool takes_body = false;  // a JSON body
  // A browser can give no header to a WebSocket: the token may be an offered subprotocol.
  bool token_in_subprotocol = false;
  Handler handler;
};

class Router {
 public:
  // Routes are complete before the first match().
  void add(Route route);

  struct Match {
    const Route* route = nullptr;  // null: none for this path and method
    bool path_is_known = false;
  };
  // HEAD is served by GET's route. Fills request.captures.
  Match match(Request& request) const;

  // "GET, HEAD, OPTIONS": what may be asked of the path; empty if it is unknown. For "*": all.
  std::string allowed_methods(const Request& request) const;

  std::vector<const Route*> routes() const;

 private:
  struct Entry {
    Route route;
    std::vector<std::string> segments;
  };
  static bool fits(const Entry& entry, const Request& request);
  std::vector<Entry> entries_;
};

}  // namespace resmgr::api

#endif  // RESMGR_AGENT_API_ROUTER_H_
