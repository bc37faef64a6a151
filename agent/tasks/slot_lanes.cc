#include "agent/tasks/slot_lanes.h"

#include <utility>

#include "agent/tasks/container_spec.h"
#include "agent/tasks/slot_run.h"
#include "common/failpoint.h"
#include "common/log.h"

namespace resmgr::tasks {
namespace {

using journal::SlotPhase;
using journal::SlotRow;
using Kind = Observation::Kind;
using std::chrono::steady_clock;

// What was seen of a container that is being probed holds for so long.
constexpr Millis kSlotObservationAge{2'000};

}  // namespace

Next SlotLanes::step(Lanes::Turn& turn) {
  if (!turn.memory) turn.memory = std::make_unique<Memory>();
  auto& memory = static_cast<Memory&>(*turn.memory);
  try {
    return Run(*this, turn, memory).step();
  } catch (const Error& error) {
    if (memory.retry.failures() == 0) {
      log::warning("Warm container {SlotId} has to wait: {Reason}",
                   {{"SlotId", turn.task_id}, {"Reason", error.message()}});
    }
  } catch (const std::exception& error) {
    log::error("Warm container {SlotId} could not be carried on: {Reason}",
               {{"SlotId", turn.task_id}, {"Reason", error.what()}});
  }
  memory.seen.reset();
  return Next::after(memory.retry.next());
}

Next SlotLanes::Run::step() {
  row_ = parts_.journal.reading([&](journal::Reader& reader) { return reader.slot(slot_id_); });
  if (row_ && row_->phase == SlotPhase::claimed) return hand_over();
  if (!memory_.seen || memory_.seen->kind == Kind::unknown ||
      steady_clock::now() - memory_.seen_at > kSlotObservationAge) {
    memory_.seen = observe();
    memory_.seen_at = steady_clock::now();
  }
  return perform(plan_slot(row_, *memory_.seen, memory_.create_in_doubt));
}

Observation SlotLanes::Run::observe() const {
  if (!parts_.session.trusted()) return {Kind::unknown, {}};
  const std::uint64_t epoch = parts_.session.epoch();
  const bool known = row_ && !row_->container_id.empty();
  const auto found =
      parts_.engine.inspect(known ? row_->container_id : engine::container_name(slot_id_));
  // An answer of an engine that went away meanwhile may be another engine's.
  if (!parts_.session.trusted() || parts_.session.epoch() != epoch) return {Kind::unknown, {}};
  if (!found) return {Kind::absent, {}};
  const auto whose = engine::belonging_of(found->labels, found->name, parts_.options.agent_id);
  const bool its = whose && whose->slot_id == slot_id_ && !is_taken(*whose, found->id);
  return its ? Observation{Kind::present, *found} : Observation{Kind::foreign, {}};
}

// A task's name on it means that it is that task's, unless the task let it go; one that the journal
// does not know is still to be adopted.
bool SlotLanes::Run::is_taken(const engine::Belonging& whose,
                              const std::string& container_id) const {
  if (whose.task_id.empty()) return false;
  const auto task =
      parts_.journal.reading([&](journal::Reader& reader) { return reader.task(whose.task_id); });
  return !task || task->task.container_id == container_id || task->warm.slot_id == slot_id_;
}

const catalog::Service* SlotLanes::Run::service() {
  if (!catalog_) catalog_ = parts_.catalog();
  const catalog::Service* found = catalog_->find(row_->service_type);
  return found != nullptr && warm_hash(parts_.options, *found) == row_->spec_hash ? found : nullptr;
}

Next SlotLanes::Run::perform(SlotAct act) {
  switch (act) {
    case SlotAct::none:
      return Next::done();
    case SlotAct::ask_again:
      return retry_later();
    case SlotAct::create:
      return create();
    case SlotAct::start:
      return start();
    case SlotAct::record_started:
      return record_started();
    case SlotAct::probe:
      return probe();
    case SlotAct::drain:
      return drain();
    case SlotAct::stop:
      return stop();
    case SlotAct::settle_create:
      return settle_create();
    case SlotAct::remove:
      return remove();
    case SlotAct::forget:
      return forget();
  }
  return Next::done();
}

bool SlotLanes::Run::change(const std::function<void(SlotRow&)>& change) {
  bool current = false;
  SlotRow row;
  failpoint("slot.before_commit");
  parts_.journal.transact(journal::Purpose::ending, [&](journal::Transaction& transaction) {
    const auto stored = transaction.slot(slot_id_);
    current = stored && stored->version == row_->version;
    if (!current) return;
    row = *stored;
    change(row);
    transaction.update_slot(row);
  });
  failpoint("slot.after_commit");
  if (!current) return false;
  row_ = row;
  memory_.retry.reset();
  return true;
}

}  // namespace resmgr::tasks
