// What a warm container's lane does.

#include <utility>

#include "agent/tasks/container_spec.h"
#include "agent/tasks/slot_run.h"
#include "common/failpoint.h"
#include "common/log.h"

namespace resmgr::tasks {
namespace {

using journal::Purpose;
using journal::SlotPhase;
using journal::SlotRow;
using journal::Transaction;
using Kind = Observation::Kind;

constexpr Millis kDefaultPatience{10'000};
// A rename keeps the engine busy: while users claim one after another it would hold them up.
constexpr Millis kCalmOfClaims{150};

}  // namespace

// Its task sees to it, if there is one that still wants it; once that has it, the engine is told.
Next SlotLanes::Run::hand_over() {
  const auto task =
      parts_.journal.reading([&](journal::Reader& reader) { return reader.task(row_->task_id); });
  if (!task || task->warm.slot_id != slot_id_) return drain();
  if (!task->is_claiming())
    return turn_.is_due ? give_name(task->task) : Next::after(kCalmOfClaims);
  parts_.wake_task(row_->task_id);
  return Next::done();
}

// The name says whose it is to a journal that doesn't know. There is a slot until it has it, or is
// gone: what bears a slot's name alone, and has no slot, is taken for nobody's.
Next SlotLanes::Run::give_name(const Task& owner) {
  if (!parts_.session.trusted()) return retry_later();
  const std::string name = engine::claimed_name(slot_id_, owner.task_id, owner.user_id);
  try {
    const auto found = parts_.engine.inspect(row_->container_id);
    if (!parts_.session.trusted()) return retry_later();
    failpoint("engine.before_rename");
    if (found && found->name != name) parts_.engine.rename(found->id, name);
    failpoint("engine.after_rename");
  } catch (const Error& error) {
    // It is being removed, or another connection's rename came true.
    if (error.kind() != ErrorKind::not_found && error.kind() != ErrorKind::conflict) throw;
    return retry_later();
  }
  return forget();
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
  if (!turn_.has_start_slot) {
    // A start of before, whose answer got lost, may come true until then, and the container end.
    memory_.seen.reset();
    return Next::start_slot();
  }
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
