// The steps of a task's lane: asks the plan what to do, does it, and puts the outcome in the
// journal. Whatever changes the world was an intent in the journal before.
#ifndef RESMGR_AGENT_TASKS_LIFECYCLE_H_
#define RESMGR_AGENT_TASKS_LIFECYCLE_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "agent/catalog/catalog.h"
#include "agent/engine/engine.h"
#include "agent/journal/journal.h"
#include "agent/tasks/engine_session.h"
#include "agent/tasks/heartbeats.h"
#include "agent/tasks/lanes.h"
#include "agent/tasks/log_tail.h"
#include "agent/tasks/outcome.h"
#include "agent/tasks/plan.h"
#include "agent/tasks/puller.h"
#include "agent/tasks/start_progress.h"
#include "agent/tasks/task_service.h"
#include "agent/tasks/waiters.h"
#include "agent/tasks/warm_pool.h"
#include "common/backoff.h"
#include "common/clock.h"
#include "common/guarded.h"

namespace resmgr::tasks {

// What others tell a lane between its steps.
struct Hints {
  bool fresh = false;              // admitted just now by this process: there is no container yet
  bool look = false;               // something happened to the container
  std::optional<Instant> started;  // the engine's word that it started, lastly
  std::string container_id = {};   // that the engine told of; empty: it did not
  bool oom = false;                // the kernel killed a process in it at its memory limit
  std::optional<Death> death;
  bool pulled = false;  // the pull that it waits for has ended
  std::optional<Error> pull_error;
  Instant pulled_at{};
};

// When a task's container was last seen alive, in which connection to the engine.
struct Sighting {
  std::uint64_t epoch = 0;
  Instant time{};
  Millis since_boot{0};
  int host_port = 0;
  std::string secret_id;  // as container_spec.h has it
};

class Lifecycle {
 public:
  struct Parts {
    const TaskOptions& options;
    journal::Journal& journal;
    engine::Engine& engine;
    const Clock& clock;
    EngineSession& session;
    const Heartbeats& heartbeats;
    Waiters& waiters;
    std::function<std::shared_ptr<const catalog::Catalog>()> catalog;
    WarmPool& pool;
  };
  explicit Lifecycle(Parts parts);

  // One step of a lane; for Lanes. Never throws.
  Next step(Lanes::Turn& turn);

  // A start was admitted by this process, and has claimed a warm container, perhaps; wake the lane
  // after.
  void admitted(const std::string& task_id, bool claims);

  // Puts a hint where the lane's next step finds it; wake the lane after.
  void hint(const std::string& task_id, const std::function<void(Hints&)>& change);

  // Its lanes, which pulls wake when they end. Set once, before the first step.
  void set_lanes(Lanes& lanes) { lanes_ = &lanes; }

  const StartTracker& starts() const { return starts_; }

  std::optional<Sighting> sighting(const std::string& task_id) const;
  // Whether the run of its container that is on record was seen alive at `time` or later, in this
  // connection: what the engine tells of a start at that time is then no news.
  bool was_seen_since(const std::string& task_id, Instant time) const;
  // Asks the engine; empty if the container does not run, or nobody can say.
  std::optional<Sighting> look_again(const Task& task);

  // As container_spec.h has it, of a task that has begun to run.
  std::string secret_id_of(const std::string& task_id) const;

  const LogTails& log_tails() const { return log_tails_; }
  Puller& puller() { return puller_; }
  void stop_pulls() { puller_.stop(); }

 private:
  struct Memory;
  class Run;

  Parts parts_;
  LogTails log_tails_;
  StartTracker starts_;  // before what tells it of pulls
  Puller puller_;
  Lanes* lanes_ = nullptr;
  mutable Guarded<std::unordered_map<std::string, Hints>> hints_;
  mutable Guarded<std::unordered_map<std::string, Sighting>> sightings_;
};

}  // namespace resmgr::tasks

#endif  // RESMGR_AGENT_TASKS_LIFECYCLE_H_
