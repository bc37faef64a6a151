// What to do next for one task, from what the journal says and what the engine says. Pure: the
// same two answers always give the same act, whether the agent has run all the time, was killed a
// moment ago, or has never seen this container.
#ifndef RESMGR_AGENT_TASKS_PLAN_H_
#define RESMGR_AGENT_TASKS_PLAN_H_

#include <optional>
#include <string_view>

#include "agent/engine/engine.h"
#include "agent/journal/task_row.h"

namespace resmgr::tasks {

// The engine's answer about a task's container. Unknown is never 'gone'.
struct Observation {
  enum class Kind {
    unknown,  // it did not answer, or it may be another engine
    absent,
    present,  // and ours
    foreign,  // the task's name is borne by a container that is not ours
  };
  Kind kind = Kind::unknown;
  engine::ContainerState container;  // if present
};

enum class Act {
  none,              // settled: nothing to do until something happens
  ask_again,         // the engine does not say, or is in the middle of something
  create,            // make the container and start it
  start,             // it is made: start it
  take_over,         // it claimed a warm container that is as it was: make that its own
  release,           // … that is not, or it is to stop: let it go, and start cold if at all
  record_started,    // it runs, or ran: journal that
  probe,             // it runs: see whether it is ready
  stop,              // it runs, and is to end
  record_ended,      // it ran, and ended
  settle_create,     // a create may still be under way at the engine: issue it again to know
  discard,           // it never ran: remove it
  record_unstarted,  // nothing ever ran, and nothing is left
  refuse_name,       // a foreign container bears the name: the start can't be
  clear,             // the end is on record: keep its last output, remove it
  record_removed,    // nothing is left at the engine
  adopt,             // ours, and it ran, but the journal does not know it
};

std::string_view to_string(Act act);

// `create_in_doubt`: a create was sent whose answer nobody has, so that 'absent' may change by
// itself.
Act plan(const std::optional<journal::TaskRow>& row, const Observation& seen, bool create_in_doubt);

}  // namespace resmgr::tasks

#endif  // RESMGR_AGENT_TASKS_PLAN_H_
