// The port to the container engine. Docker's Engine API (v1.41 and above) is behind the real one;
// tests/fakes has one that remembers. Both pass tests/contract.
//
// Every call blocks. Errors: unavailable (no answer: the act may or may not have happened, and what
// was asked is *unknown*), rejected (the engine refused; the message is in its own words),
// not_found, conflict (name in use; removing what runs). All calls are thread-safe.
#ifndef RESMGR_AGENT_ENGINE_ENGINE_H_
#define RESMGR_AGENT_ENGINE_ENGINE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/clock.h"

namespace resmgr::engine {

struct EngineInfo {
  std::string name;         // "docker"
  std::string version;      // of the daemon
  std::string api_version;  // negotiated
  std::string root_dir;     // where images and containers lie; may not be visible to us
  bool live_restore = false;
  // When it began, as far as that can be told; it may have begun earlier, by what it took to find
  // out what became of its containers.
  std::optional<Instant> started_at;
  int cpus = 0;
  std::int64_t memory_bytes = 0;
};

struct VolumeMount {
  std::string name;  // of an engine-managed volume; made where it is missing
  std::string path;  // absolute, in the container
};

struct ContainerSpec {
  std::string name;
  std::string image;
  std::vector<std::string> command;  // empty: the image's own
  std::vector<std::pair<std::string, std::string>> env;
  std::map<std::string, std::string> labels;
  int container_port = 0;  // TCP; 0 = none is published
  std::string publish_address = "127.0.0.1";
  std::string port_range;          // "30000-30999"; empty: the engine chooses freely
  std::string network;             // name of a network, or "none"
  double cpus = 0;                 // 0 = no limit
  std::int64_t memory_bytes = 0;   // 0 = no limit; swap is limited to the same (none beyond it)
  std::int64_t pids = 0;           // 0 = no limit
  std::int64_t shm_bytes = 0;      // 0 = the engine's default
  std::int64_t log_max_bytes = 0;  // 0 = the engine's default
  bool read_only = false;
  std::vector<std::string> capabilities;  // added back after all were dropped
  std::string user;                       // empty: the image's own
  std::vector<VolumeMount> volumes;
  Millis stop_timeout{10'000};
};

enum class ContainerStatus { created, running, paused, restarting, removing, exited, dead };

struct ContainerState {
  std::string id;
  std::string name;      // without the leading slash
  std::string image;     // as it was named when the container was made
  std::string image_id;  // what that meant then
  std::map<std::string, std::string> labels;
  ContainerStatus status = ContainerStatus::created;
  // The engine's own times, cut to milliseconds. `finished_at` is empty while it runs (there an
  // older one may stand, of an earlier run) and before the first start, and never before
  // `started_at`: of what ends at once the engine may say so by a moment.
  std::optional<Instant> started_at;
  std::optional<Instant> finished_at;
  // While it runs again: when its run before this one ended.
  std::optional<Instant> previous_finish;
  int exit_code = 0;
  bool oom_killed = false;
  std::string error;    // why the engine could not start it
  int host_port = 0;    // published for container_port; 0 = none (now)
  std::string address;  // in its network; empty while it does not run

  // Whether a process may be alive in it.
  bool alive() const {
    return status == ContainerStatus::running || status == ContainerStatus::paused ||
           status == ContainerStatus::restarting;
  }
};

// One row of a list: what the engine tells cheaply.
struct ContainerSummary {
  std::string id;
  std::string name;
  std::map<std::string, std::string> labels;
  ContainerStatus status = ContainerStatus::created;
};

struct EngineEvent {
  std::string action;  // "create", "start", "die", "oom", "destroy", …
  std::string container_id;
  std::string name;
  std::map<std::string, std::string> labels;
  std::optional<int> exit_code;
  Instant time{};
};

struct PullProgress {
  std::int64_t done_bytes = 0;
  std::int64_t total_bytes = 0;  // grows while layers become known; 0 = not known yet
  std::string status;            // the engine's own words
};

struct Stats {
  Millis cpu_time{0};  // since the container started
  std::int64_t memory_bytes = 0;
  std::int64_t peak_memory_bytes = 0;
  std::int64_t network_rx_bytes = 0;
  std::int64_t network_tx_bytes = 0;
};

struct LogOptions {
  bool follow = false;
  std::optional<int> tail;       // last lines; empty = all
  std::optional<Instant> since;  // from then on
};

// How far two peers on a network are kept apart.
struct NetworkSpec {
  std::string name;
  std::map<std::string, std::string> labels;
  bool isolated = true;     // containers on it can't reach each other
  std::string bridge = {};  // its interface's name on the host; empty: the engine chooses
};

struct NetworkState {
  std::string id;
  std::map<std::string, std::string> labels;
  std::vector<std::string> subnets;  // CIDR
};

class Engine {
 public:
  virtual ~Engine() = default;

  virtual EngineInfo info() = 0;

  // Returns the id. conflict: the name is in use. not_found: the image is not there, or, with
  // problem "network-missing", the network.
  virtual std::string create(const ContainerSpec& spec) = 0;

  // Starting what runs already is no error. A host port that is taken is Error(conflict) with
  // problem "port-in-use": the same container may be started again. So it may after not_found with
  // problem "network-missing", once its network is there; without that problem the container is
  // gone.
  virtual void start(const std::string& id) = 0;

  // By id or name; empty if there is none.
  virtual std::optional<ContainerState> inspect(const std::string& id_or_name) = 0;

  // conflict: another container bears that name; or this one does. not_found if it is gone.
  virtual void rename(const std::string& id, const std::string& name) = 0;

  // Asks it to end, waits `timeout`, then kills it. Returns when it has ended. Stopping what does
  // not run is no error; not_found if it is gone.
  virtual void stop(const std::string& id, Millis timeout) = 0;

  // Removes a container that has ended, and its anonymous volumes; one that is gone is no error.
  // conflict if it runs.
  virtual void remove(const std::string& id) = 0;

  // Every container, in whatever state, that bears all these labels.
  virtual std::vector<ContainerSummary> list(const std::map<std::string, std::string>& labels) = 0;

  // Calls `on_event` for container events from now on, until `stop` is requested or the stream
  // breaks (unavailable) or is silent for a while (returns). `on_subscribed` is called once the
  // subscription stands: list after that, and nothing is missed in between. Both are called on the
  // caller's thread and must be quick: engines drop what a slow reader leaves standing. A moment's
  // events from before may come too.
  virtual void events(const std::function<void()>& on_subscribed,
                      const std::function<void(const EngineEvent&)>& on_event,
                      std::stop_token stop) = 0;

  // Its output, stdout and stderr in order, without framing, up to now or, if followed, until it
  // ends. `on_bytes` returns false to end. not_found if it is gone.
  virtual void logs(const std::string& id, const LogOptions& options,
                    const std::function<bool(std::string_view)>& on_bytes,
                    std::stop_token stop) = 0;

  // Empty if it does not run, or is gone.
  virtual std::optional<Stats> stats(const std::string& id) = 0;

  // What the name stands for now; empty if the engine has no such image.
  virtual std::optional<std::string> image_id(const std::string& image) = 0;
  // Gets it from its registry, also a newer one than is there. not_found: the registry does not
  // have it, or not for us. rejected: the engine could not get it, for instance because the
  // registry is away. unavailable too if `stop` ended it.
  virtual void pull(const std::string& image,
                    const std::function<void(const PullProgress&)>& on_progress,
                    std::stop_token stop) = 0;

  virtual std::optional<NetworkState> inspect_network(const std::string& name) = 0;
  // A network of that name that is there already is no error.
  virtual void create_network(const NetworkSpec& spec) = 0;

  // Engine-managed volume; one that is gone is no error, one in use is conflict.
  virtual void remove_volume(const std::string& name) = 0;
};

}  // namespace resmgr::engine

#endif  // RESMGR_AGENT_ENGINE_ENGINE_H_
