#include "agent/tasks/task_service.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "agent/tasks/admission.h"
#include "agent/tasks/container_spec.h"
#include "agent/tasks/drain.h"
#include "agent/tasks/task_service_state.h"
#include "common/error.h"
#include "common/event.h"
#include "common/failpoint.h"
#include "common/json.h"
#include "common/log.h"

namespace resmgr::tasks {

LaneOptions lane_options(const TaskOptions& options) {
  // The engine is CPU-bound: more starts at once than two a core only wait for each other.
  const int two_a_core = 2 * static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  return {.start_slots = options.concurrent_starts > 0 ? options.concurrent_starts : two_a_core,
          .max_threads = options.lane_threads};
}

namespace {

// Of the warm containers that a start may claim; empty: there are none.
std::string warm_hash_for(const TaskOptions& options, const catalog::Service& service) {
  const bool keeps_any = service.warm > 0 && can_be_warm(options, service);
  return keeps_any ? warm_hash(options, service) : std::string();
}

}  // namespace

TaskService::TaskService(TaskOptions options, journal::Journal& journal, engine::Engine& engine,
                         std::shared_ptr<const catalog::Catalog> catalog, const Clock& clock)
    : state_(std::make_unique<State>(std::move(options), journal, engine, std::move(catalog),
                                     clock)) {}

TaskService::~TaskService() = default;

void TaskService::distrust_warm() { state_->pool.distrust(); }

void TaskService::begin() { state_->watcher.run(); }

void TaskService::run() {
  if (!state_->watcher.runs()) begin();
  state_->watcher.wait_for_first_try();
  state_->heartbeats.run();
  state_->sampler.run();
  state_->pool.run();
}

Admission TaskService::start(const StartIntent& intent) {
  state_->watcher.wait_for_first_try();
  const auto catalog = state_->current_catalog();
  const catalog::Service* service = catalog->find(intent.service_type);
  if (service == nullptr) throw unknown_service(intent.service_type, *catalog);
  if (!state_->session.trusted()) throw engine_is_away(state_->session.health().last_error);
  const AdmissionRules rules{
      state_->options.host_name, state_->current_limits(), state_->session.capacity(),
      state_->pool.trusted() ? warm_hash_for(state_->options, *service) : std::string()};
  check_free_disk(state_->options.data_dir, state_->session.engine_root(),
                  rules.limits.min_free_disk_bytes);

  const Instant now = state_->clock.now();
  failpoint("admission.before_commit");
  Admission admission = state_->journal.writing([&](journal::Transaction& transaction) {
    return admit(transaction, rules, intent, *service, now);
  });
  failpoint("admission.after_commit");
  if (admission.replayed) return admission;
  state_->lifecycle.admitted(admission.task_id, admission.warm);
  state_->lanes.wake(admission.task_id, intent.user_id);
  for (const std::string& slot_id : admission.gave_way) state_->pool.wake(slot_id);
  if (service->warm > 0 && !admission.warm) state_->pool.count_claim(service->name, false);
  return admission;
}

void TaskService::when_started(const std::string& task_id, Settled settled) {
  state_->when(task_id, Milestone::started, std::move(settled));
}

void TaskService::stop(const std::string& task_id, std::string_view by,
                       std::string_view requested_by) {
  const Instant now = state_->clock.now();
  std::string user_id;
  bool changed = false;
  state_->watcher.wait_for_first_try();
  failpoint("stop.before_commit");
  state_->journal.transact(journal::Purpose::ending, [&](journal::Transaction& transaction) {
    changed = false;
    auto row = transaction.task(task_id);
    if (!row) throw no_such_task(task_id);
    user_id = row->task.user_id;
    if (row->phase == journal::Phase::stopping || !is_active(row->task.status)) return;
    apply_stop_intent(*row, by, "", "");
    transaction.update(*row);
    transaction.append(
        event_type::kStopRequested, *row, now,
        dump_json({{"by", std::string(by)}, {"requestedBy", std::string(requested_by)}}));
    changed = true;
  });
  failpoint("stop.after_commit");
  if (changed) state_->lanes.wake(task_id, user_id);
}

void TaskService::when_ended(const std::string& task_id, Settled settled) {
  state_->when(task_id, Milestone::ended, std::move(settled));
}

const StartTracker& TaskService::starts() const { return state_->lifecycle.starts(); }

std::optional<std::string> TaskService::iframe_url(const Task& task, bool may_block) {
  return state_->whereabouts.url(task, may_block);
}

std::optional<Door> TaskService::door(const Task& task, bool may_block) {
  return state_->whereabouts.door(task, may_block);
}

std::string TaskService::gateway_page(const Task& task) const {
  return state_->options.gateway ? state_->whereabouts.page(task) : std::string();
}

void TaskService::logs(const std::string& task_id, const engine::LogOptions& options,
                       const std::function<bool(std::string_view)>& on_bytes,
                       std::stop_token stop) {
  const auto row = state_->row(task_id);
  if (!row) throw no_such_task(task_id);
  // What an ended task printed last is kept before its container is removed, so that it is here or
  // still there.
  const LogTails& kept = state_->lifecycle.log_tails();
  if (!is_active(row->task.status) && kept.has(task_id)) {
    return kept.read(task_id, options, on_bytes);
  }
  if (!row->task.container_id.empty() && row->phase != journal::Phase::removed) {
    try {
      return state_->engine.logs(row->task.container_id, options, on_bytes, std::move(stop));
    } catch (const Error&) {
      if (!kept.has(task_id)) throw;
    }
  }
  kept.read(task_id, options, on_bytes);
}

void TaskService::touch(const std::string& task_id) { state_->idle_watch.touch(task_id); }

void TaskService::extend(const std::string& task_id, Millis by, std::string_view requested_by) {
  state_->idle_watch.extend(task_id, by, requested_by);
}

IdleReport TaskService::why(const std::string& task_id) {
  return state_->idle_watch.report(task_id);
}

void TaskService::sample_now() { state_->sampler.step(); }

void TaskService::forget_output(const std::string& task_id) {
  state_->lifecycle.log_tails().forget(task_id);
}

std::shared_ptr<const catalog::Catalog> TaskService::catalog() const {
  return state_->current_catalog();
}

void TaskService::set_catalog(std::shared_ptr<const catalog::Catalog> catalog) {
  state_->catalog.with([&](auto& current) { current = std::move(catalog); });
  state_->pool.nudge();
}

void TaskService::set_limits(const Limits& limits) {
  state_->limits.with([&](Limits& current) { current = limits; });
  state_->pool.nudge();
}
Limits TaskService::limits() const { return state_->current_limits(); }

std::vector<ImageState> TaskService::images() const {
  return state_->images.look(*state_->current_catalog());
}

void TaskService::pull_image(const std::string& service) {
  const auto catalog = state_->current_catalog();
  const catalog::Service* its = catalog->find(service);
  if (its == nullptr) throw unknown_service(service, *catalog);
  state_->images.pull(its->image);
}

EngineHealth TaskService::engine_health() const { return state_->session.health(); }

std::vector<PoolState> TaskService::pools() const { return state_->pool.state(); }

Reconciliation TaskService::compare() { return state_->reconciler.look(); }

Reconciliation TaskService::reconcile(const Requester& by, Millis longest_wait,
                                      const std::stop_token& stop) {
  Reconciliation before = state_->reconciler.look();
  if (before.engine_reachable) {
    const Json details = {
        {"requestedBy", by.user_id}, {"name", by.name}, {"differences", before.differences.size()}};
    state_->journal.transact([&](journal::Transaction& transaction) {
      transaction.append(event_type::kReconcileRequested, state_->clock.now(), dump_json(details));
    });
  }
  return state_->reconciler.settle(std::move(before), longest_wait, stop);
}

Drain TaskService::drain(const std::string& reason, const Requester& by) {
  Drain drain = begin_drain(state_->journal, reason, by, state_->clock.now());
  log::info("Draining: starts are refused. {Reason}", {{"Reason", drain.reason}});
  state_->pool.nudge();
  return drain;
}

void TaskService::resume(const Requester& by) {
  end_drain(state_->journal, by, state_->clock.now());
  log::info("Starts are accepted");
  state_->pool.nudge();
}

std::optional<Drain> TaskService::draining() const {
  return state_->journal.reading([](journal::Reader& reader) { return current_drain(reader); });
}

bool TaskSteps::lane(const std::function<std::size_t(std::size_t)>& choose) {
  return state_.lanes.run_one(choose);
}

bool TaskSteps::watch() { return state_.watcher.turn(std::stop_token{}); }

void TaskSteps::tick() { state_.watcher.tick(); }
void TaskSteps::beat() { state_.heartbeats.step(); }
void TaskSteps::fill() { state_.pool.step(true); }

}  // namespace resmgr::tasks
