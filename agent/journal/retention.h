// Forgets what is old enough: events, and tasks of which nothing is left. Usage records stay.
#ifndef RESMGR_AGENT_JOURNAL_RETENTION_H_
#define RESMGR_AGENT_JOURNAL_RETENTION_H_

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "agent/journal/journal.h"
#include "common/clock.h"

namespace resmgr::journal {

struct RetentionRules {
  Millis events{0};  // how long an event is kept; 0 = for ever
  Millis tasks{0};   // how long a task is kept after its end; 0 = for ever
  // Events that are old enough, but that a destination has not got yet, are kept until the journal
  // holds so many bytes. Then they are pruned, and an event 'journal.gap' tells of it.
  std::int64_t pin_max_bytes = 10LL << 30;
};

class Retention {
 public:
  struct Parts {
    Journal& journal;
    const Clock& clock;
    // The number of the last event that every destination that pins has got; the journal's head if
    // none does. Called on the pruning thread.
    std::function<std::int64_t()> pinned_to;
    // Removes what is kept of a task beside the journal; called before the task is forgotten, so
    // that nothing is left whose task nobody knows. Must not throw; may be called twice.
    std::function<void(const std::string& task_id)> forget_output;
  };
  Retention(RetentionRules rules, Parts parts);
  ~Retention();  // as stop()
  Retention(const Retention&) = delete;
  Retention& operator=(const Retention&) = delete;

  // Starts the thread.
  void run();
  void stop();

  // One batch, small enough to hold up nobody: whether there may be more. Throws unavailable.
  //
  // After a step of the wall clock it does nothing until the clock went on evenly for a day: a
  // clock that is wrong for an hour must not cost the events of years.
  bool step();

 private:
  bool clock_is_even();
  bool prune_events(Instant cutoff, Instant now);
  bool prune_tasks(Instant cutoff);
  void loop(std::stop_token stop);

  const RetentionRules rules_;
  const Parts parts_;
  std::optional<Millis> clock_offset_;  // of the wall clock from the one that never steps
  Millis even_from_{0};                 // on the one that never steps
  bool gap_told_ = false;
  std::mutex mutex_;
  std::condition_variable_any woken_;
  std::jthread thread_;
};

}  // namespace resmgr::journal

#endif  // RESMGR_AGENT_JOURNAL_RETENTION_H_
