// Puts on record, every ten seconds and for all tasks in one write, that their containers are
// alive. Where the engine can't tell when a container ended (it was removed while the agent was
// down, or the host lost power), that is the bound.
#ifndef RESMGR_AGENT_TASKS_HEARTBEATS_H_
#define RESMGR_AGENT_TASKS_HEARTBEATS_H_

#include <condition_variable>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "agent/engine/engine.h"
#include "agent/journal/journal.h"
#include "agent/tasks/engine_session.h"
#include "agent/tasks/task_service.h"
#include "common/clock.h"
#include "common/guarded.h"

namespace resmgr::tasks {

// Thread-safe.
class Heartbeats {
 public:
  // Begins with what an earlier process left. Throws as Journal::read().
  Heartbeats(const TaskOptions& options, journal::Journal& journal, engine::Engine& engine,
             const EngineSession& session, const Clock& clock);
  ~Heartbeats();  // as stop()

  // One beat at once, then one every ten seconds on a thread of its own.
  void run();
  void stop();

  // One beat. Nothing is written while the engine does not answer: nobody has seen anything then;
  // nor while no task runs, but for the first of a boot. Throws unavailable.
  void step();

  // When the task was last seen alive, at the earliest; it may have started after. Empty: nothing
  // is on record.
  std::optional<journal::HostMoment> last_seen(const std::string& task_id) const;

 private:
  void beat() noexcept;
  void keep_time(std::stop_token stop);
  journal::HostMoment missed(const journal::TaskRow& row) const;

  const TaskOptions& options_;
  journal::Journal& journal_;
  engine::Engine& engine_;
  const EngineSession& session_;
  const Clock& clock_;
  mutable Guarded<std::optional<journal::Heartbeat>> last_;
  bool failing_ = false;  // of the one thread that beats

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::jthread thread_;
};

}  // namespace resmgr::tasks

#endif  // RESMGR_AGENT_TASKS_HEARTBEATS_H_
