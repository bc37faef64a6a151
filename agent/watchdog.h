// Tells a service manager that the agent is alive, and only as long as it is.
#ifndef RESMGR_AGENT_WATCHDOG_H_
#define RESMGR_AGENT_WATCHDOG_H_

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>

#include "common/clock.h"

namespace resmgr {

class Watchdog {
 public:
  // Whether what the agent lives by still turns; may take that long, and longer where it does not.
  using Alive = std::function<bool(Millis patience)>;

  // How long the service manager bears not to hear of this process; empty: it does not watch it.
  static std::optional<Millis> time_limit();

  // A step every quarter of `limit`, so that a slow one and a late one still come in time.
  Watchdog(Millis limit, Alive alive);
  ~Watchdog();  // as stop()
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  // One step at once, the others on a thread of its own.
  void run();
  void stop();

  // Asks, and tells the manager if the answer is yes. An agent that hangs hangs this too: then
  // nobody is told anything, and the manager ends it.
  void step();

 private:
  void loop(std::stop_token stop);

  const Millis interval_;
  const Alive alive_;
  bool failing_ = false;  // of the one thread that steps
  std::mutex mutex_;
  std::condition_variable_any woken_;
  std::jthread thread_;
};

}  // namespace resmgr

#endif  // RESMGR_AGENT_WATCHDOG_H_
