#include "agent/tasks/plan.h"

namespace resmgr::tasks {
namespace {

using engine::ContainerStatus;
using journal::Phase;
using journal::TaskRow;
using Kind = Observation::Kind;

bool ran(const engine::ContainerState& container) {
  return container.alive() || container.started_at.has_value();
}

// A StartedAt that is not the one on record: somebody restarted the container, which ended the
// task. The engine's times of the first run are gone but for its finish.
bool restarted(const TaskRow& row, const engine::ContainerState& container) {
  const auto& known = row.container_started_at();
  return known && container.started_at && *container.started_at != *known;
}

Act plan_admitted(const Observation& seen) {
  switch (seen.kind) {
    case Kind::unknown:
      return Act::ask_again;
    case Kind::absent:
      return Act::create;
    case Kind::foreign:
      return Act::refuse_name;
    case Kind::present:
      return ran(seen.container) ? Act::record_started : Act::start;
  }
  return Act::ask_again;
}

// `seen` is the warm container that it claimed.
Act plan_claiming(const TaskRow& row, const Observation& seen) {
  if (row.phase != Phase::admitted) return Act::release;
  if (seen.kind == Kind::unknown) return Act::ask_again;
  const bool usable =
      seen.kind == Kind::present && seen.container.alive() && !restarted(row, seen.container);
  return usable ? Act::take_over : Act::release;
}

Act plan_live(const TaskRow& row, const Observation& seen) {
  if (seen.kind == Kind::unknown) return Act::ask_again;
  if (seen.kind != Kind::present) return Act::record_ended;
  if (!seen.container.alive() || restarted(row, seen.container)) return Act::record_ended;
  return row.phase == Phase::started ? Act::probe : Act::none;
}

Act plan_stopping(const TaskRow& row, const Observation& seen, bool create_in_doubt) {
  if (seen.kind == Kind::unknown) return Act::ask_again;
  if (seen.kind != Kind::present) {
    if (row.task.start_time) return Act::record_ended;
    return create_in_doubt && seen.kind == Kind::absent ? Act::settle_create
                                                        : Act::record_unstarted;
  }
  if (restarted(row, seen.container)) return Act::record_ended;
  if (seen.container.alive()) return Act::stop;
  return ran(seen.container) ? Act::record_ended : Act::discard;
}

Act plan_leftover(const Observation& seen) {
  switch (seen.kind) {
    case Kind::unknown:
      return Act::ask_again;
    case Kind::absent:
    case Kind::foreign:
      return Act::record_removed;
    case Kind::present:
      return seen.container.alive() ? Act::stop : Act::clear;
  }
  return Act::ask_again;
}

}  // namespace

std::string_view to_string(Act act) {
  switch (act) {
    case Act::none:
      return "none";
    case Act::ask_again:
      return "ask_again";
    case Act::create:
      return "create";
    case Act::start:
      return "start";
    case Act::take_over:
      return "take_over";
    case Act::release:
      return "release";
    case Act::record_started:
      return "record_started";
    case Act::probe:
      return "probe";
    case Act::stop:
      return "stop";
    case Act::record_ended:
      return "record_ended";
    case Act::settle_create:
      return "settle_create";
    case Act::discard:
      return "discard";
    case Act::record_unstarted:
      return "record_unstarted";
    case Act::refuse_name:
      return "refuse_name";
    case Act::clear:
      return "clear";
    case Act::record_removed:
      return "record_removed";
    case Act::adopt:
      return "adopt";
  }
  return "none";
}

Act plan(const std::optional<TaskRow>& row, const Observation& seen, bool create_in_doubt) {
  if (seen.kind == Kind::present && seen.container.status == ContainerStatus::removing) {
    return Act::ask_again;
  }
  if (!row) {
    if (seen.kind == Kind::unknown) return Act::ask_again;
    if (seen.kind != Kind::present) return Act::none;
    return ran(seen.container) ? Act::adopt : Act::discard;
  }
  if (row->is_claiming()) return plan_claiming(*row, seen);
  switch (row->phase) {
    case Phase::admitted:
      return plan_admitted(seen);
    case Phase::started:
    case Phase::ready:
      return plan_live(*row, seen);
    case Phase::stopping:
      return plan_stopping(*row, seen, create_in_doubt);
    case Phase::ended:
      return plan_leftover(seen);
    case Phase::removed: {
      // A container of a task that is over: somebody made it run again, or it appeared late.
      const Act act = plan_leftover(seen);
      return act == Act::record_removed ? Act::none : act;
    }
  }
  return Act::none;
}

}  // namespace resmgr::tasks
