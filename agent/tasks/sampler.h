// Looks at every running task again and again: what it used so far, for its usage record, and
// whether it is in use, for the idle watch.
//
// A look at one task may take seconds (an engine that has to be asked, a service that does not
// answer), so that looks run beside each other, one at a time for each task. What they found of all
// tasks goes to the journal in one transaction a turn, without an event: after a kill -9 the last
// sample on record is about an interval old.
#ifndef RESMGR_AGENT_TASKS_SAMPLER_H_
#define RESMGR_AGENT_TASKS_SAMPLER_H_

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <unordered_map>

#include "agent/engine/engine.h"
#include "agent/journal/journal.h"
#include "agent/tasks/engine_session.h"
#include "agent/tasks/idle_watch.h"
#include "agent/tasks/jupyter_probe.h"
#include "agent/tasks/lanes.h"
#include "common/clock.h"

namespace resmgr::tasks {

class Sampler {
 public:
  // Asks a running task's service how it is used; in at most about 5 s, or soon after `stop` is
  // requested. May throw Error.
  using Ask = std::function<JupyterLook(const Task& task, std::stop_token stop)>;

  struct Parts {
    Millis interval;  // between two turns; above 0
    journal::Journal& journal;
    engine::Engine& engine;
    const Clock& clock;
    const EngineSession& session;
    IdleWatch& watch;
    Ask ask;
  };
  explicit Sampler(Parts parts);
  ~Sampler();  // as stop()

  // Starts the thread.
  void run();
  // Ends the looks that are under way, and returns.
  void stop();

  // One turn. Looks that take longer than a moment go on when it returns, and are not begun anew
  // before they end. Throws unavailable if the journal does not answer.
  void step();

 private:
  void keep_time(const std::stop_token& stop);
  void look(const std::string& task_id);
  std::optional<engine::Stats> measure(const Task& task) const;
  JupyterLook ask(const Task& task) const;
  bool begin_look(const std::string& task_id);
  void end_look(const std::string& task_id);
  void await_looks();
  void write_samples();

  Parts parts_;
  std::stop_source stopping_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::set<std::string> looking_;  // ids of the tasks whose look has not ended
  std::unordered_map<std::string, journal::UsageSample> unwritten_;  // by task id
  BootTime written_at_{0};                                           // the turn's own
  bool journal_failed_ = false;
  Lanes looks_;
  std::jthread timer_;
};

}  // namespace resmgr::tasks

#endif  // RESMGR_AGENT_TASKS_SAMPLER_H_
