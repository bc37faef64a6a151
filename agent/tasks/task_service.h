// The only door for changes to tasks.
//
// A start or a stop is first an intent in the journal; the task's lane (executor.h) then does what
// the plan (plan.h) says until the task is settled. A caller that goes away cancels nothing.
#ifndef RESMGR_AGENT_TASKS_TASK_SERVICE_H_
#define RESMGR_AGENT_TASKS_TASK_SERVICE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "agent/catalog/catalog.h"
#include "agent/engine/engine.h"
#include "agent/journal/journal.h"
#include "common/clock.h"
#include "common/gateway_address.h"

namespace resmgr::tasks {

struct Door;         // whereabouts.h
struct IdleReport;   // idle_watch.h
struct ImageState;   // images.h
class StartTracker;  // start_progress.h

// 0 = no limit.
struct Limits {
  int tasks_per_user = 0;
  int tasks_per_user_and_service = 0;
  int tasks_per_service = 0;
  int tasks_per_host = 0;
  int starts_per_user_per_minute = 0;  // that were admitted, in any 60 seconds
  // How many times the host's memory and cores may be promised to the active tasks.
  double memory_overcommit = 0;
  double cpu_overcommit = 0;
  std::int64_t min_free_disk_bytes = 1LL << 30;
};

// As the engine tells it; 0 = it does not.
struct HostCapacity {
  std::int64_t memory_bytes = 0;
  int cpus = 0;
};

struct TaskOptions {
  std::string agent_id;    // UUID in a file of the data directory
  std::string host_name;   // [agent] name
  std::string data_dir;    // log tails lie in <data_dir>/logs
  std::string secret_key;  // per-task secrets are an HMAC with it
  std::string boot_id;     // of the host's present boot; empty: not known
  std::string publish_address = "127.0.0.1";
  std::string port_range;
  std::int64_t log_max_bytes = 10LL << 20;
  int concurrent_starts = 0;  // 0 = two a core
  int lane_threads = 128;     // at most; 0: a test takes the steps itself, see TaskSteps
  Millis sample_interval{10'000};
  Limits limits;                          // at first, see set_limits()
  std::optional<GatewayAddress> gateway;  // where tasks are reached; empty: at their ports
  // Told of each start that succeeded, from any thread: how long it took from its admission to the
  // start of the container, and from there until it was ready. May be empty; must not throw.
  std::function<void(Millis to_container, Millis to_readiness)> on_ready;
};

struct StartIntent {
  std::string user_id;  // whose task it is to be
  std::string service_type;
  std::string requested_by;     // for the audit: principal's user id
  std::string idempotency_key;  // empty: none; it belongs to `requested_by`
  std::string body_hash;        // of the request that bore the key
  bool sees_all = true;         // whether a refusal may name other users' tasks
};

struct Admission {
  std::string task_id;
  bool replayed = false;                   // the key had admitted it before
  bool warm = false;                       // it claimed a warm container
  std::vector<std::string> gave_way = {};  // slots whose containers are to go for it
};

// The warm containers of a service.
struct PoolState {
  std::string service;
  int wanted = 0;   // by the catalog; 0 also while the host is drained
  int ready = 0;    // for who asks next
  int filling = 0;  // being made
  // Starts of that service since this process began that got one at once, and that got none.
  std::int64_t hits = 0;
  std::int64_t misses = 0;
  // From the decision to make one until it was ready, the mean of late; empty: none was made yet.
  std::optional<Millis> refill_time;
  std::string problem;  // why there are not more; empty: there are enough, or they are being made
};

struct EngineHealth {
  bool reachable = false;
  std::string version;
  std::string api_version;
  std::string last_error;  // empty while reachable
};

struct Drain;
struct Requester;
struct Reconciliation;

class TaskService {
 public:
  using Settled = std::function<void(const journal::TaskRow&)>;

  TaskService(TaskOptions options, journal::Journal& journal, engine::Engine& engine,
              std::shared_ptr<const catalog::Catalog> catalog, const Clock& clock);
  ~TaskService();  // stops lanes after their present step; containers go on

  // The journal may be of before what it says nothing of: warm containers that it takes for
  // nobody's are let go, for somebody may have been given one of them. Before begin().
  void distrust_warm();
  // Begins to watch the engine and to settle what an earlier process left, and returns at once. A
  // start or a stop that comes before the engine answered, or failed to, waits for that. Call once.
  void begin();
  // begin(), unless that was called; waits until the engine answered or failed to, and does from
  // then on all that goes by the clock. Call once.
  void run();

  // Admits a start; on disk when it returns. Throws usage (unknown service, with pointer), limit
  // (problem and task_ids say which and who), unavailable (engine away, disk, draining), conflict
  // with problem "idempotency-key-reused" (same key, other body).
  Admission start(const StartIntent& intent);

  // Calls `settled` once: at the end of the start (Running, or ended), or at once if it has
  // ended. It may be called before this returns, and on any thread; it must be quick.
  void when_started(const std::string& task_id, Settled settled);

  // How far the starts have come that are under way.
  const StartTracker& starts() const;

  // Records the intent to stop, and returns. `by` is "user" or "admin". not_found: no such task.
  // A task that ended, or that is stopping, is no error. The engine being away is none here: ask
  // engine_health().
  void stop(const std::string& task_id, std::string_view by, std::string_view requested_by);

  // Calls `settled` once, when the end is on record.
  void when_ended(const std::string& task_id, Settled settled);

  // The URL at which a browser finds a running task, from a port that was read since the engine
  // was last connected; empty where the task does not run or publishes nothing. Where that must be
  // asked of the engine first: asks if `may_block`, else returns an empty optional.
  std::optional<std::string> iframe_url(const Task& task, bool may_block);

  // What a gateway needs to know of it. Empty and `may_block`: as above. Throws forbidden where it
  // does not run or publishes nothing, and unavailable where nobody knows where it is now.
  std::optional<Door> door(const Task& task, bool may_block);
  // Where the gateway leads who comes in, behind the base path; empty where there is nothing.
  std::string gateway_page(const Task& task) const;

  // The container's output; of an ended task, what it printed last. Blocks until the end, `stop`
  // or `on_bytes` returning false. Throws not_found if nothing is kept.
  void logs(const std::string& task_id, const engine::LogOptions& options,
            const std::function<bool(std::string_view)>& on_bytes, std::stop_token stop);

  // Of a running task; of one that doesn't run they throw conflict (problem "not-running"), and
  // not_found where there is none.
  //
  // Somebody used it just now. Remembered until this process ends: idleness counts from its start
  // at the earliest.
  void touch(const std::string& task_id);
  // Puts the limits of idleness and age off by `by`, above 0, from where they stand; on disk when
  // it returns. Throws conflict (problem "nothing-to-extend") if its service has neither.
  void extend(const std::string& task_id, Millis by, std::string_view requested_by);
  // What is known of its use, and when it is to be warned and stopped.
  IdleReport why(const std::string& task_id);

  // One turn of the sampler beside its timer's, for tests.
  void sample_now();

  // Removes what is kept of the output of a task that is about to be forgotten.
  void forget_output(const std::string& task_id);

  std::shared_ptr<const catalog::Catalog> catalog() const;
  void set_catalog(std::shared_ptr<const catalog::Catalog> catalog);

  // For starts from now on; what runs goes on.
  void set_limits(const Limits& limits);
  Limits limits() const;

  // Those of the catalog, by name. Blocks. Throws unavailable where the engine is away.
  std::vector<ImageState> images() const;
  // Begins to pull a service's image, also a newer one than is there; images() tells how far it is.
  // Throws usage (unknown service).
  void pull_image(const std::string& service);

  EngineHealth engine_health() const;

  // By name of service: each that has warm containers, or wants some.
  std::vector<PoolState> pools() const;

  // Where journal and engine differ (difference.h); nothing is done about it.
  Reconciliation compare();
  // Does something about it, as is done at every start, too, and waits for it up to `longest_wait`.
  // With the engine away nothing is done.
  Reconciliation reconcile(const Requester& by, Millis longest_wait, const std::stop_token& stop);

  // Refuses starts from now on, also after a restart, until resume(); on disk when it returns.
  Drain drain(const std::string& reason, const Requester& by);
  void resume(const Requester& by);
  std::optional<Drain> draining() const;

 private:
  friend class TaskSteps;
  struct State;
  std::unique_ptr<State> state_;
};

// What the threads of a service do, a step at a time and on the caller's: for a test that is the
// scheduler. The service has no lane_threads, and run() is not called.
class TaskSteps {
 public:
  explicit TaskSteps(TaskService& service) : state_(*service.state_) {}

  // A step of one lane, as Lanes::run_one() has it.
  bool lane(const std::function<std::size_t(std::size_t)>& choose);
  // A turn of the watching thread: until the stream of events ends. False: it broke, or there was
  // none.
  bool watch();
  // A turn of the timer.
  void tick();
  // A heartbeat. Throws Error.
  void beat();
  // A turn of the pool of warm containers. Throws Error.
  void fill();

 private:
  TaskService::State& state_;
};

}  // namespace resmgr::tasks

#endif  // RESMGR_AGENT_TASKS_TASK_SERVICE_H_
