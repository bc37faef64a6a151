// Where journal and engine differ, and what the plan would do about it: the plan's view of every
// task at one moment, in words for people. Pure.
#ifndef RESMGR_AGENT_TASKS_DIFFERENCE_H_
#define RESMGR_AGENT_TASKS_DIFFERENCE_H_

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/engine/engine.h"
#include "agent/journal/task_row.h"
#include "agent/tasks/plan.h"

namespace resmgr::tasks {

struct Difference {
  enum class Class {
    adopt,    // the engine has it, and the journal does not know it
    finish,   // an intent of the journal, a start or a stop, is not done yet
    close,    // the journal takes it for alive, and its container is over
    remove,   // the task is over (or never ran), and something is left of it
    foreign,  // it bears the agent's labels and is not the agent's: left alone
    unknown,  // the engine does not say, or is in the middle of something
  };
  enum class Outcome {
    planned,  // nothing was done: it was only looked
    done,     // journal and engine agree now
    pending,  // it is under way
    left,     // nothing is to be done
    unknown,  // nobody can say
  };
  Class kind = Class::unknown;
  std::string task_id;  // empty if foreign
  std::string container_id;
  std::string container_name;
  std::optional<journal::Phase> phase;  // empty: not in the journal
  std::optional<TaskStatus> status;
  std::optional<engine::ContainerStatus> state;  // empty: there is none, or nobody says
  Act act = Act::none;
  std::string reason;  // for people
  Outcome outcome = Outcome::planned;
};
inline constexpr std::array kDifferenceClasses = {
    Difference::Class::adopt,  Difference::Class::finish,  Difference::Class::close,
    Difference::Class::remove, Difference::Class::foreign, Difference::Class::unknown};

std::string_view to_string(engine::ContainerStatus status);
std::string_view to_string(Difference::Class kind);
std::string_view to_string(Difference::Outcome outcome);

// One task as journal and engine have it.
struct View {
  std::string task_id;
  std::optional<journal::TaskRow> row;
  Observation seen;
};

// Empty if they agree.
std::optional<Difference> difference(const View& view);

// Those of the listed containers that bear the agent's labels and are not its own: of another name,
// or not the container that the journal knows. `views` has every task that a container names.
std::vector<Difference> foreigners(const std::vector<engine::ContainerSummary>& listed,
                                   const std::vector<View>& views, std::string_view agent_id);

// What a look at all of it showed, or what was done about it.
struct Reconciliation {
  bool dry_run = true;
  bool engine_reachable = false;
  std::string engine_error;  // empty while it is reachable
  int agreeing = 0;          // tasks that are alive, and about which both say the same
  std::vector<Difference> differences;

  int count(Difference::Class kind) const;
};

}  // namespace resmgr::tasks

#endif  // RESMGR_AGENT_TASKS_DIFFERENCE_H_
