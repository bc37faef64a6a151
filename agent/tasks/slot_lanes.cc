#include "agent/tasks/slot_lanes.h"

#include <chrono>
#include <utility>

#include "agent/engine/labels.h"
#include "agent/tasks/container_spec.h"
#include "agent/tasks/container_start.h"
#include "agent/tasks/slot_plan.h"
#include "common/backoff.h"
#include "common/failpoint.h"
#include "common/log.h"

namespace resmgr::tasks {
namespace {

using journal::Purpose;
using journal::SlotPhase;
using journal::SlotRow;
using journal::Transaction;
using Kind = Observation::Kind;
using std::chrono::steady_clock;

// What was seen of a container that is being probed holds for so long.
constexpr Millis kSlotObservationAge{2'000};
constexpr Millis kDefaultPatience{10'000};

}  // namespace

struct SlotLanes::Memory final : LaneMemory {
  std::optional<Observation> seen;
  steady_clock::time_point seen_at;
  bool create_in_doubt = true;
  bool pulled = false;
  ContainerStart start;
  ProbePace probing;
  Backoff retry{Millis{100}, Millis{5'000}};
};

class SlotLanes::Run {
 public:
  Run(SlotLanes& lanes, Lanes::Turn& turn, Memory& memory)
      : lanes_(lanes), parts_(lanes.parts_), turn_(turn), slot_id_(turn.task_id), memory_(memory) {}

  Next step();

 private:
  Observation observe() const;
  bool is_taken(const engine::Belonging& whose, const std::string& container_id) const;
  const catalog::Service* service();
  Next perform(SlotAct act);

  Next hand_over();
  Next create();
  Next start();
  Next record_started();
  Next probe();
  Next drain();
  Next stop();
  Next settle_create();
  Next remove();
  Next forget();

  // No container can be made of it as things are.
  Next fail(const std::string& reason);
  // Changes the row in a transaction, if it is still the one that this step read; returns whether
  // it was.
  bool change(const std::function<void(SlotRow&)>& change);
  Next look_again() {
    memory_.seen.reset();
    return Next::again();
  }
  Next retry_later() {
    memory_.seen.reset();
    return Next::after(memory_.retry.next());
  }

  SlotLanes& lanes_;
  Parts& parts_;
  Lanes::Turn& turn_;
  const std::string& slot_id_;
  Memory& memory_;
  std::optional<SlotRow> row_;
  std::shared_ptr<const catalog::Catalog> catalog_;  // keeps service()'s answer alive
};

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
  return found != nullptr && found->spec_hash == row_->spec_hash ? found : nullptr;
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
  parts_.journal.transact(Purpose::ending, [&](Transaction& transaction) {
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

// Its task sees to it, if there is one that still wants it.
Next SlotLanes::Run::hand_over() {
  const auto task =
      parts_.journal.reading([&](journal::Reader& reader) { return reader.task(row_->task_id); });
  if (!task || !task->is_claiming() || task->warm.slot_id != slot_id_) return drain();
  parts_.wake_task(row_->task_id);
  return Next::done();
}

Next SlotLanes::Run::create() {
  const catalog::Service* wanted = service();
  if (wanted == nullptr) return drain();
  if (!turn_.has_start_slot) return Next::start_slot();
  const auto pull = lanes_.pulled_.with([&](Pulled& pulled) { return pulled.extract(slot_id_); });
  if (!pull.empty()) {
    memory_.pulled = true;
    if (pull.mapped()) return fail(pull.mapped()->message());
  }
  memory_.create_in_doubt = true;
  try {
    failpoint("engine.before_create");
    const std::string id = parts_.engine.create(warm_spec(parts_.options, *wanted, *row_));
    failpoint("engine.after_create");
    memory_.create_in_doubt = false;
    Observation made{Kind::present, {}};
    made.container.id = id;
    memory_.seen = made;
    return start();
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::unavailable) throw;
    memory_.create_in_doubt = false;
    if (error.kind() == ErrorKind::conflict) return look_again();
    if (error.kind() != ErrorKind::not_found || memory_.pulled ||
        wanted->pull == catalog::PullPolicy::never) {
      return fail(error.message());
    }
  }
  parts_.puller.pull(wanted->image,
                     [&lanes = lanes_, slot_id = slot_id_](const std::optional<Error>& error) {
                       lanes.pulled_.with([&](Pulled& pulled) { pulled[slot_id] = error; });
                       lanes.parts_.pool.wake(slot_id);
                     });
  return Next::parked();
}

Next SlotLanes::Run::start() {
  if (!turn_.has_start_slot) return Next::start_slot();
  const auto came = memory_.start.attempt(parts_.engine, parts_.session, memory_.seen->container.id,
                                          parts_.options.port_range);
  if (came == ContainerStart::Came::to_nothing) return fail(memory_.start.reason());
  return look_again();
}

Next SlotLanes::Run::record_started() {
  const engine::ContainerState& seen = memory_.seen->container;
  const bool done = change([&](SlotRow& row) {
    row.phase = SlotPhase::warming;
    row.container_id = seen.id;
    row.image_id = seen.image_id;
    row.started_at = seen.started_at;
  });
  return done ? Next::again() : look_again();
}

Next SlotLanes::Run::probe() {
  const catalog::Service* wanted = service();
  if (wanted == nullptr) return drain();
  memory_.probing.begin();
  if (is_ready(parts_.options, *wanted, slot_id_, memory_.seen->container.host_port)) {
    if (!change([](SlotRow& row) { row.phase = SlotPhase::ready; })) return look_again();
    parts_.pool.note_ready(*row_);
    return Next::done();
  }
  if (memory_.probing.lasted() >= wanted->start_timeout) return fail(no_answer(*wanted));
  return Next::after(memory_.probing.next(wanted->probe.interval));
}

Next SlotLanes::Run::fail(const std::string& reason) {
  parts_.pool.note_failure(*row_, reason);
  return drain();
}

Next SlotLanes::Run::drain() {
  const bool was_ready = row_->phase == SlotPhase::ready;
  if (change([](SlotRow& row) { row.phase = SlotPhase::draining; }) && was_ready) {
    log::info("A warm container of {Service} is not what it was, and goes",
              {{"Service", row_->service_type}});
  }
  parts_.pool.nudge();
  return look_again();
}

Next SlotLanes::Run::stop() {
  const auto catalog = parts_.catalog();
  const catalog::Service* known = row_ ? catalog->find(row_->service_type) : nullptr;
  try {
    failpoint("engine.before_stop");
    parts_.engine.stop(memory_.seen->container.id,
                       known != nullptr ? known->stop_timeout : kDefaultPatience);
    failpoint("engine.after_stop");
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::not_found) throw;
  }
  return look_again();
}

// As for a task's: issued again under the same name, a create that may still come true does so
// before this one is answered, or is answered by this one.
Next SlotLanes::Run::settle_create() {
  if (const catalog::Service* wanted = service()) {
    try {
      failpoint("engine.before_settle");
      parts_.engine.create(warm_spec(parts_.options, *wanted, *row_));
      failpoint("engine.after_settle");
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::unavailable) throw;
    }
  }
  memory_.create_in_doubt = false;
  return look_again();
}

Next SlotLanes::Run::remove() {
  try {
    failpoint("engine.before_discard");
    parts_.engine.remove(memory_.seen->container.id);
    failpoint("engine.after_discard");
  } catch (const Error& error) {
    // A start that was under way has come true.
    if (error.kind() == ErrorKind::conflict) return look_again();
    throw;
  }
  memory_.create_in_doubt = false;
  memory_.seen = Observation{Kind::absent, {}};
  return Next::again();
}

Next SlotLanes::Run::forget() {
  failpoint("slot.before_commit");
  parts_.journal.transact(Purpose::ending, [&](Transaction& transaction) {
    const auto stored = transaction.slot(slot_id_);
    if (stored && stored->version == row_->version) transaction.erase_slot(*stored);
  });
  failpoint("slot.after_commit");
  parts_.pool.nudge();
  return Next::done();
}

}  // namespace resmgr::tasks
