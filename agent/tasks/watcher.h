// Listens to the engine and keeps journal and engine together: after every (re)connection, on a
// timer, and on each event of a container of ours, the lanes that it may concern are woken. They
// look for themselves: what a list said is only a reason to look.
#ifndef RESMGR_AGENT_TASKS_WATCHER_H_
#define RESMGR_AGENT_TASKS_WATCHER_H_

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>

#include "agent/engine/engine.h"
#include "agent/engine/labels.h"
#include "agent/journal/journal.h"
#include "agent/tasks/engine_session.h"
#include "agent/tasks/lanes.h"
#include "agent/tasks/lifecycle.h"

namespace resmgr::tasks {

class Watcher {
 public:
  Watcher(std::string agent_id, engine::Engine& engine, journal::Journal& journal,
          EngineSession& session, Lifecycle& lifecycle, Lanes& lanes);
  ~Watcher();  // as stop()

  // Starts the threads.
  void run();
  bool runs() const { return runs_; }
  void stop();

  // Waits until the engine was reached once, or the first try failed, if it runs; whether it was
  // reached.
  bool wait_for_first_try();

  // Wakes every lane of which journal or engine knows something that is not settled, and of every
  // running task. Throws unavailable.
  void reconcile();

  // One turn of the watching thread: subscribes, reconciles, and follows events until the stream
  // ends. Throws unavailable.
  void watch_once(std::stop_token stop);

  // watch_once() as the watching thread does it: what goes wrong is noted. False: it went wrong.
  bool turn(const std::stop_token& stop);

  // One turn of the timer: reconciles, unless the engine is away.
  void tick();

 private:
  void watch(std::stop_token stop);
  void keep_time(std::stop_token stop);
  void on_event(const engine::EngineEvent& event);
  // Whoever it belongs to looks.
  void wake(const engine::Belonging& whose, const std::function<void(Hints&)>& hint);
  void first_try_over();

  const std::string agent_id_;
  engine::Engine& engine_;
  journal::Journal& journal_;
  EngineSession& session_;
  Lifecycle& lifecycle_;
  Lanes& lanes_;

  std::mutex mutex_;
  std::condition_variable_any changed_;
  bool tried_ = false;
  std::atomic<bool> runs_{false};
  std::jthread watching_;
  std::jthread timer_;
};

}  // namespace resmgr::tasks

#endif  // RESMGR_AGENT_TASKS_WATCHER_H_
