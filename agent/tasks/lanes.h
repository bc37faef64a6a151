// One lane a task: its steps run one after another, those of different tasks side by side, so that
// a slow pull or a slow stop holds up nobody else.
//
// Threads are made while there is work and end when there is none. Starts at the engine are capped
// (it is CPU-bound: more at once buys latency only) and handed out round robin over users, so that
// one user's fifty don't hold up another's first. What nobody waits for (a warm container) gets a
// slot when nobody else wants it, and half of them at most.
#ifndef RESMGR_AGENT_TASKS_LANES_H_
#define RESMGR_AGENT_TASKS_LANES_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "agent/tasks/start_progress.h"
#include "common/clock.h"

namespace resmgr::tasks {

// What a lane wants after a step.
struct Next {
  enum class Kind {
    done,        // nothing more: the lane goes away (unless it was woken meanwhile)
    again,       // the next step at once
    after,       // … in `delay`, or when it is woken
    start_slot,  // … when a start slot is free
    parked,      // … when it is woken; its memory is kept
  };
  Kind kind = Kind::done;
  Millis delay{0};

  static Next done() { return {Kind::done, {}}; }
  static Next again() { return {Kind::again, {}}; }
  static Next after(Millis delay) { return {Kind::after, delay}; }
  static Next start_slot() { return {Kind::start_slot, {}}; }
  static Next parked() { return {Kind::parked, {}}; }
};

// What a lane remembers between its steps. It is lost with the process, and may be.
class LaneMemory {
 public:
  virtual ~LaneMemory() = default;
};

struct LaneOptions {
  int start_slots = 4;    // starts at the engine at once; at least 1
  int max_threads = 128;  // steps at once; 0: none run but by run_one()
  Millis idle_thread{5'000};
};

// Thread-safe.
class Lanes {
 public:
  struct Turn {
    const std::string& task_id;
    // Kept from step to step; empty in a lane's first one.
    std::unique_ptr<LaneMemory>& memory;
    // The step holds a start slot; it is given back when the step returns.
    bool has_start_slot = false;
    bool background = false;  // as wake_background() made it
    // It runs because the delay that the step before wanted has passed, and not because somebody
    // woke the lane.
    bool is_due = false;
  };
  using Step = std::function<Next(Turn& turn)>;

  // `step` must not throw.
  Lanes(LaneOptions options, Step step);
  ~Lanes();  // as stop()
  Lanes(const Lanes&) = delete;
  Lanes& operator=(const Lanes&) = delete;

  // Runs a step of that task's lane soon, making the lane if there is none. A lane that is in a
  // step has another one after it. `user_id` is for the round robin.
  void wake(const std::string& task_id, const std::string& user_id);
  // The same of a lane of something that nobody waits for; `id` is no task's.
  void wake_background(const std::string& id);

  // Runs one step on the caller's thread: of a lane that is ready, whose start slot is free, or
  // whose delay, which is not waited for, would come to its end. `choose` says which of so many (it
  // is given 1 or more, and returns less); their order is that in which the lanes were made. False:
  // there is none. For a test that is the scheduler, so that a history can be played again; it may
  // be called from inside a step, for a step of another lane.
  bool run_one(const std::function<std::size_t(std::size_t)>& choose);

  // Lets the steps that run come to their end, begins no other, and returns.
  void stop();

  // Where a lane is among those that wait for a start slot; empty: it does not wait. The time is
  // told by how long slots were held of late.
  std::optional<QueuePlace> place(const std::string& task_id) const;

  // How many lanes there are, and how many of them wait for a start slot.
  struct Load {
    int lanes = 0;
    int waiting_for_slot = 0;
  };
  Load load() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace resmgr::tasks

#endif  // RESMGR_AGENT_TASKS_LANES_H_
