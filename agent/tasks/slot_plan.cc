#include "agent/tasks/slot_plan.h"

namespace resmgr::tasks {
namespace {

using journal::SlotPhase;
using journal::SlotRow;
using Kind = Observation::Kind;

bool runs_on(const SlotRow& row, const Observation& seen) {
  return seen.kind == Kind::present && seen.container.alive() &&
         seen.container.started_at == row.started_at;
}

SlotAct plan_making(const Observation& seen) {
  switch (seen.kind) {
    case Kind::unknown:
      return SlotAct::ask_again;
    case Kind::absent:
      return SlotAct::create;
    case Kind::foreign:
      return SlotAct::forget;
    case Kind::present:
      break;
  }
  if (seen.container.alive()) return SlotAct::record_started;
  return seen.container.started_at ? SlotAct::drain : SlotAct::start;
}

SlotAct plan_leaving(const Observation& seen, bool create_in_doubt) {
  switch (seen.kind) {
    case Kind::unknown:
      return SlotAct::ask_again;
    case Kind::absent:
      return create_in_doubt ? SlotAct::settle_create : SlotAct::forget;
    case Kind::foreign:
      return SlotAct::forget;
    case Kind::present:
      return seen.container.alive() ? SlotAct::stop : SlotAct::remove;
  }
  return SlotAct::ask_again;
}

}  // namespace

SlotAct plan_slot(const std::optional<SlotRow>& row, const Observation& seen,
                  bool create_in_doubt) {
  if (seen.kind == Kind::present && seen.container.status == engine::ContainerStatus::removing) {
    return SlotAct::ask_again;
  }
  if (!row) {
    // The journal lost it, or is another one. Nobody has it, as its name says, or had it for more
    // than the moment between the answer and the name.
    const SlotAct act = plan_leaving(seen, false);
    return act == SlotAct::forget ? SlotAct::none : act;
  }
  switch (row->phase) {
    case SlotPhase::making:
      return plan_making(seen);
    case SlotPhase::warming:
    case SlotPhase::ready:
      if (seen.kind == Kind::unknown) return SlotAct::ask_again;
      if (!runs_on(*row, seen)) return SlotAct::drain;
      return row->phase == SlotPhase::warming ? SlotAct::probe : SlotAct::none;
    case SlotPhase::claimed:
      return SlotAct::none;
    case SlotPhase::draining:
      return plan_leaving(seen, create_in_doubt && row->container_id.empty());
  }
  return SlotAct::none;
}

}  // namespace resmgr::tasks
