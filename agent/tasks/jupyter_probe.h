// Asks a Jupyter server how it is used: notebook 6 and jupyter_server answer alike
// (https://jupyter-server.readthedocs.io/en/latest/developers/rest-api.html).
//
// What counts as use, and what does not:
//  - A kernel in any state but "idle" and "dead" is busy: a cell that computes for days is use,
//    whoever looks on. The states on the way ("starting", "restarting", …) count for 10 minutes
//    after the kernel's last activity only: a kernel that nobody ever connects to stays "starting".
//  - last_activity of the server, of each kernel and of each terminal. The server's own moves with
//    each request of its pages. Ours carry no_track_activity, or they would be its activity.
//  - Connections that come or go. One that merely stays open does not count: a forgotten tab holds
//    its connection for weeks. A page that is being looked at makes requests, which count.
#ifndef RESMGR_AGENT_TASKS_JUPYTER_PROBE_H_
#define RESMGR_AGENT_TASKS_JUPYTER_PROBE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "agent/tasks/idle_policy.h"
#include "common/clock.h"
#include "common/http.h"

namespace resmgr::tasks {

struct JupyterAccess {
  std::string token;     // sent as "Authorization: token …"; empty: none is sent
  std::string base_url;  // what stands before "/api", such as "/user/x"; empty: nothing
  Millis limit{5'000};   // for all requests together
};

// What one look showed.
struct JupyterLook {
  bool answered = false;
  std::string failure;  // why it did not; for people, without a secret or a word of the server's
  int kernels = 0;
  int busy_kernels = 0;
  int unsettled_kernels = 0;  // on the way to a state for a while
  int terminals = 0;
  std::int64_t connections = 0;
  std::optional<Instant> last_activity;  // on the civil clock of this host
  // About what the look itself moved over the container's network, with the frames' heads; rather
  // too much than too little. Also of one that failed.
  std::int64_t traffic_bytes = 0;
};

// For the published port; a wildcard address is asked through loopback. Connections are not kept.
std::unique_ptr<HttpClient> make_probe_client(const std::string& address, int port);

// Never throws. What answers there is the user's to change: it is given `access.limit` in all and
// 1 MiB an answer, and its words go nowhere. `now` is when the look begins.
JupyterLook look_at_jupyter(HttpClient& http, const JupyterAccess& access, Instant now,
                            std::stop_token stop = {});

// Makes the task's http_probe signal of one look after the other.
class JupyterActivity {
 public:
  // Activity up to `counts_from` is none of the task's: a container that was claimed warm has some
  // from before.
  explicit JupyterActivity(Instant counts_from) : counts_from_(counts_from) {}

  // `now` is when the look ended. Two looks tell what happened between them without a civil clock;
  // only the first one has to believe it.
  Signal observe(const JupyterLook& look, const Moment& now);

 private:
  struct Seen {
    Instant last_activity{};
    std::int64_t connections = 0;
    BootTime at{0};
  };
  std::optional<BootTime> use_shown_by(const JupyterLook& look, const Moment& now) const;

  Instant counts_from_;
  std::optional<Seen> seen_;
  std::optional<BootTime> last_busy_;
};

}  // namespace resmgr::tasks

#endif  // RESMGR_AGENT_TASKS_JUPYTER_PROBE_H_
