#include "agent/tasks/lifecycle_run.h"

#include <algorithm>

#include "agent/engine/labels.h"
#include "common/failpoint.h"
#include "common/log.h"

namespace resmgr::tasks {
namespace {

using journal::Phase;
using journal::TaskRow;
using std::chrono::steady_clock;

// An observation of a container that is being probed is looked at again after this long, for the
// case that its end was not told.
constexpr Millis kObservationAge{2'000};

struct TransitionNames {
  FailpointName before;
  FailpointName after;
};

TransitionNames transition_names(const TaskRow& from, const TaskRow& to) {
  if (from.phase == to.phase) {
    return {"transition.noted.before_commit", "transition.noted.after_commit"};
  }
  switch (to.phase) {
    case Phase::admitted:
      break;
    case Phase::started:
      return {"transition.started.before_commit", "transition.started.after_commit"};
    case Phase::ready:
      return {"transition.ready.before_commit", "transition.ready.after_commit"};
    case Phase::stopping:
      return {"transition.stopping.before_commit", "transition.stopping.after_commit"};
    case Phase::ended:
      return {"transition.ended.before_commit", "transition.ended.after_commit"};
    case Phase::removed:
      if (to.task.start_time) {
        return {"transition.removed.before_commit", "transition.removed.after_commit"};
      }
      return {"transition.unstarted.before_commit", "transition.unstarted.after_commit"};
  }
  return {"transition.noted.before_commit", "transition.noted.after_commit"};
}

}  // namespace

Next Lifecycle::Run::step() {
  row_ = parts_.journal.reading([&](journal::Reader& reader) { return reader.task(task_id_); });
  take_hints();
  if (row_ && row_->task.start_time) memory_.create_in_doubt = false;
  if (!memory_.seen || memory_.seen->kind == Observation::Kind::unknown ||
      steady_clock::now() - memory_.seen_at > kObservationAge) {
    memory_.seen = observe();
    memory_.seen_at = steady_clock::now();
  }
  const Next next = perform(plan(row_, *memory_.seen, memory_.create_in_doubt));
  return next;
}

void Lifecycle::Run::take_hints() {
  const Hints hints = lifecycle_.hints_.with([&](auto& all) {
    const auto found = all.extract(task_id_);
    return found.empty() ? Hints{} : found.mapped();
  });
  if (hints.fresh) {
    memory_.seen = Observation{Observation::Kind::absent, {}};
    memory_.seen_at = steady_clock::now();
    memory_.create_in_doubt = false;
  }
  if (hints.look) memory_.seen.reset();
  if (hints.oom && row_ && is_active(row_->task.status)) record_oom();
  // The first death is the task's; what was started again by hand is not.
  if (hints.death && !memory_.death) memory_.death = hints.death;
  if (!hints.pulled) return;
  memory_.pulled = true;
  if (!hints.pull_error || !row_ || row_->phase != Phase::admitted) return;
  fail_start(ErrorKind::rejected, hints.pull_error->message());
}

Observation Lifecycle::Run::observe() const {
  using Kind = Observation::Kind;
  if (!parts_.session.trusted()) return {Kind::unknown, {}};
  const std::uint64_t epoch = parts_.session.epoch();
  const auto found = timed([this] { return inspect(); });
  // An answer of an engine that went away meanwhile may be another engine's.
  if (!parts_.session.trusted() || parts_.session.epoch() != epoch) return {Kind::unknown, {}};
  if (!found) return {Kind::absent, {}};
  const bool known_by_id = row_ && found->id == row_->task.container_id;
  if (!known_by_id) {
    const auto task = engine::task_of(found->labels, found->name, parts_.options.agent_id);
    if (task != task_id_) return {Kind::foreign, {}};
    // Ours by name and labels, and yet not the container that the journal knows.
    if (row_ && !row_->task.container_id.empty()) return {Kind::absent, {}};
  }
  if (found->alive() && row_ && found->started_at == row_->task.start_time) {
    const Sighting sighting{epoch, parts_.clock.now(), found->host_port};
    lifecycle_.sightings_.with([&](auto& sightings) { sightings[task_id_] = sighting; });
  }
  return {Kind::present, *found};
}

std::optional<engine::ContainerState> Lifecycle::Run::inspect() const {
  if (row_ && !row_->task.container_id.empty()) {
    auto found = parts_.engine.inspect(row_->task.container_id);
    if (found || row_->phase != Phase::removed) return found;
  }
  return parts_.engine.inspect(engine::container_name(task_id_));
}

const catalog::Service* Lifecycle::Run::service() {
  if (!catalog_) catalog_ = parts_.catalog();
  return catalog_->find(row_->task.service_type);
}

Next Lifecycle::Run::perform(Act act) {
  switch (act) {
    case Act::none:
      if (row_) parts_.waiters.notify(*row_);
      return Next::done();
    case Act::ask_again:
      return retry_later();
    case Act::create:
      return create();
    case Act::start:
      return start();
    case Act::record_started:
      return record_started();
    case Act::probe:
      return probe();
    case Act::stop:
      return stop();
    case Act::record_ended:
      return record_ended();
    case Act::settle_create:
      return settle_create();
    case Act::discard:
      return discard();
    case Act::record_unstarted:
      return record_unstarted();
    case Act::refuse_name:
      return fail_start(ErrorKind::rejected,
                        "its container's name is borne by a container that is not the agent's");
    case Act::clear:
      return clear();
    case Act::record_removed:
      return record_removed();
    case Act::adopt:
      return adopt();
  }
  return Next::done();
}

bool Lifecycle::Run::change(const Change& change) {
  bool current = false;
  TaskRow row;
  parts_.journal.transact([&](journal::Transaction& transaction) {
    auto stored = transaction.task(task_id_);
    current = stored && stored->version == row_->version;
    if (!current) return;
    change(transaction, *stored);
    row = *stored;
    failpoint(transition_names(*row_, row).before);
  });
  if (!current) return false;
  failpoint(transition_names(*row_, row).after);
  row_ = row;
  memory_.retry.reset();
  return true;
}

Next Lifecycle::Run::look_again() {
  memory_.seen.reset();
  return Next::again();
}

Next Lifecycle::Run::retry_later() {
  memory_.seen.reset();
  return Next::after(memory_.retry.next());
}

std::optional<engine::ContainerState> Lifecycle::Run::container() const {
  if (!memory_.seen || memory_.seen->kind != Observation::Kind::present) return std::nullopt;
  return memory_.seen->container;
}

Instant Lifecycle::Run::last_alive() const {
  const Instant start = row_->task.start_time.value_or(row_->task.created_at);
  const auto sighting = lifecycle_.sighting(task_id_);
  return sighting ? std::max(sighting->time, start) : start;
}

}  // namespace resmgr::tasks
