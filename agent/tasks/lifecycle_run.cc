#include "agent/tasks/lifecycle_run.h"

#include <algorithm>

#include "agent/tasks/container_spec.h"
#include "agent/tasks/observation.h"
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
  Known known =
      parts_.journal.reading([&](journal::Reader& reader) { return known_of(reader, task_id_); });
  row_ = std::move(known.row);
  slot_ = std::move(known.slot);
  take_hints();
  if (row_ && row_->task.start_time) memory_.create_in_doubt = false;
  if (!memory_.seen || memory_.seen->kind == Observation::Kind::unknown ||
      steady_clock::now() - memory_.seen_at > kObservationAge) {
    memory_.seen = observe();
    memory_.seen_at = steady_clock::now();
  }
  const Next next = perform(plan(row_, *memory_.seen, memory_.create_in_doubt));
  if (!is_starting()) lifecycle_.starts_.drop(task_id_);
  return next;
}

bool Lifecycle::Run::is_starting() const {
  return row_ && (row_->phase == Phase::admitted || row_->phase == Phase::started);
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
  const bool is_news = hints.started && !lifecycle_.was_seen_since(task_id_, *hints.started);
  if (hints.look || is_news) memory_.seen.reset();
  if (!hints.container_id.empty()) memory_.container_id = hints.container_id;
  if (hints.oom && row_ && is_active(row_->task.status)) record_oom();
  // The first death is the task's; what was started again by hand is not.
  if (hints.death && !memory_.death) memory_.death = hints.death;
  if (!hints.pulled) return;
  memory_.pulled = true;
  memory_.pulled_at = hints.pulled_at;
  if (!hints.pull_error || !row_ || row_->phase != Phase::admitted) return;
  fail_start(ErrorKind::rejected, hints.pull_error->message());
}

Observation Lifecycle::Run::observe() const {
  using Kind = Observation::Kind;
  if (!parts_.session.trusted()) return {Kind::unknown, {}};
  const std::uint64_t epoch = parts_.session.epoch();
  const Known known{row_, slot_, memory_.container_id};
  const auto found = timed([&] { return find_container(parts_.engine, task_id_, known); });
  // An answer of an engine that went away meanwhile may be another engine's.
  if (!parts_.session.trusted() || parts_.session.epoch() != epoch) return {Kind::unknown, {}};
  Observation seen = judge(task_id_, known, found, parts_.options.agent_id);
  if (seen.kind != Kind::present) return seen;
  if (found->alive() && row_ && row_->task.start_time &&
      found->started_at == row_->container_started_at()) {
    const Sighting sighting{epoch, parts_.clock.now(), parts_.clock.since_boot(), found->host_port,
                            secret_id(*row_)};
    lifecycle_.sightings_.with([&](auto& sightings) { sightings[task_id_] = sighting; });
  }
  return seen;
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
    case Act::take_over:
      return take_over();
    case Act::release:
      return release();
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
      return row_ ? discard() : adopt();
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

bool Lifecycle::Run::change(journal::Purpose purpose, const Change& change) {
  bool current = false;
  TaskRow row;
  parts_.journal.transact(purpose, [&](journal::Transaction& transaction) {
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

Witness Lifecycle::Run::witness() const {
  const Instant start = row_->task.start_time.value_or(row_->task.created_at);
  const std::string& boot_id = parts_.options.boot_id;
  Witness witness;
  witness.last_alive = start;
  witness.booted_at = parts_.clock.now() - parts_.clock.since_boot();
  witness.engine_started = parts_.session.engine_started();
  const auto beat = parts_.heartbeats.last_seen(task_id_);
  const auto sighting = lifecycle_.sighting(task_id_);
  const bool this_boot = beat && !boot_id.empty() && beat->boot_id == boot_id;
  // The boot-time clock says which is the later one: the wall clock may have stepped between.
  if (sighting && (!this_boot || sighting->since_boot >= beat->since_boot)) {
    witness.last_alive = std::max(start, sighting->time);
    return witness;
  }
  if (beat) witness.last_alive = std::max(start, beat->time);
  const bool another_boot = beat && !beat->boot_id.empty() && !boot_id.empty() && !this_boot;
  // Where one of the boots has no name, or there was no heartbeat yet, the times have to tell.
  witness.rebooted =
      !this_boot && (start < witness.booted_at || (another_boot && start <= beat->time));
  return witness;
}

}  // namespace resmgr::tasks
