#include "agent/tasks/task_service.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "agent/tasks/admission.h"
#include "agent/tasks/container_spec.h"
#include "agent/tasks/engine_session.h"
#include "agent/tasks/lanes.h"
#include "agent/tasks/lifecycle.h"
#include "agent/tasks/waiters.h"
#include "agent/tasks/watcher.h"
#include "common/error.h"
#include "common/event.h"
#include "common/failpoint.h"
#include "common/guarded.h"
#include "common/json.h"

namespace resmgr::tasks {
namespace {

LaneOptions lane_options(const TaskOptions& options) {
  LaneOptions lanes;
  // The engine is CPU-bound: more starts at once than two a core only wait for each other.
  const int two_a_core = 2 * static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  lanes.start_slots = options.concurrent_starts > 0 ? options.concurrent_starts : two_a_core;
  lanes.max_threads = options.lane_threads;
  return lanes;
}

Error no_such_task(const std::string& task_id) {
  return {ErrorKind::not_found, "cannot find task '" + task_id + "': there is none"};
}

Error unknown_service(const std::string& name, const catalog::Catalog& catalog) {
  std::string known;
  for (const auto& service : catalog.services()) {
    known += (known.empty() ? "" : ", ") + service.name;
  }
  Error error(ErrorKind::usage, "cannot start service '" + name + "': it is not in the catalog",
              known.empty() ? "ask the operator: the catalog is empty" : "one of: " + known);
  error.problem = "unknown-service";
  error.fields = {{"/serviceType", "no such service"}};
  return error;
}

}  // namespace

struct TaskService::State {
  State(TaskOptions o, journal::Journal& j, engine::Engine& e,
        std::shared_ptr<const catalog::Catalog> c, const Clock& k)
      : options(std::move(o)),
        journal(j),
        engine(e),
        clock(k),
        catalog(std::move(c)),
        session(options.agent_id, engine, journal),
        lifecycle({options, journal, engine, clock, session, waiters,
                   [this] { return current_catalog(); }}),
        lanes(lane_options(options), [this](Lanes::Turn& turn) { return lifecycle.step(turn); }),
        watcher(options.agent_id, engine, journal, session, lifecycle, lanes) {
    lifecycle.set_wake([this](const std::string& task_id, const std::string& user_id) {
      lanes.wake(task_id, user_id);
    });
  }

  ~State() {
    watcher.stop();
    lifecycle.stop_pulls();
    lanes.stop();
  }

  std::shared_ptr<const catalog::Catalog> current_catalog() const {
    return catalog.with([](const auto& current) { return current; });
  }

  std::optional<journal::TaskRow> row(const std::string& task_id) const {
    return journal.reading([&](journal::Reader& reader) { return reader.task(task_id); });
  }

  // Adds first and looks then, so that no milestone is missed in between.
  void when(const std::string& task_id, Milestone milestone, Settled settled) {
    if (!row(task_id)) throw no_such_task(task_id);
    waiters.add(task_id, milestone, std::move(settled));
    if (const auto now = row(task_id)) waiters.notify(*now);
  }

  const TaskOptions options;
  journal::Journal& journal;
  engine::Engine& engine;
  const Clock& clock;
  mutable Guarded<std::shared_ptr<const catalog::Catalog>> catalog;
  EngineSession session;
  Waiters waiters;
  Lifecycle lifecycle;
  Lanes lanes;
  Watcher watcher;
};

TaskService::TaskService(TaskOptions options, journal::Journal& journal, engine::Engine& engine,
                         std::shared_ptr<const catalog::Catalog> catalog, const Clock& clock)
    : state_(std::make_unique<State>(std::move(options), journal, engine, std::move(catalog),
                                     clock)) {}

TaskService::~TaskService() = default;

void TaskService::run() {
  state_->watcher.run();
  state_->watcher.wait_for_first_try();
}

Admission TaskService::start(const StartIntent& intent) {
  const auto catalog = state_->current_catalog();
  const catalog::Service* service = catalog->find(intent.service_type);
  if (service == nullptr) throw unknown_service(intent.service_type, *catalog);
  if (!state_->session.trusted()) {
    Error error(
        ErrorKind::unavailable,
        "cannot start a task: the container engine is away: " + state_->session.health().last_error,
        "see that the engine runs, and ask again");
    error.problem = "engine-unavailable";
    throw error;
  }
  check_free_disk(state_->options, state_->session.engine_root());

  const Instant now = state_->clock.now();
  failpoint("admission.before_commit");
  const Admission admission = state_->journal.writing([&](journal::Transaction& transaction) {
    return admit(transaction, state_->options, intent, *service, now);
  });
  failpoint("admission.after_commit");
  if (admission.replayed) return admission;
  state_->lifecycle.hint(admission.task_id, [](Hints& hints) { hints.fresh = true; });
  state_->lanes.wake(admission.task_id, intent.user_id);
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
  failpoint("stop.before_commit");
  state_->journal.transact([&](journal::Transaction& transaction) {
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

std::optional<std::string> TaskService::iframe_url(const Task& task, bool may_block) {
  if (task.status != TaskStatus::running || task.container_port == 0) return std::string();
  const auto catalog = state_->current_catalog();
  const catalog::Service* service = catalog->find(task.service_type);
  if (service == nullptr) return std::string();
  auto sighting = state_->lifecycle.sighting(task.task_id);
  const bool fresh =
      sighting && state_->session.trusted() && sighting->epoch == state_->session.epoch();
  if (!fresh) {
    if (!may_block) return std::nullopt;
    try {
      sighting = state_->lifecycle.look_again(task);
    } catch (const Error&) {
      return std::string();  // nobody can say where it is now
    }
    if (!sighting) return std::string();
  }
  return task_url(state_->options, *service, task, sighting->host_port);
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

std::shared_ptr<const catalog::Catalog> TaskService::catalog() const {
  return state_->current_catalog();
}

void TaskService::set_catalog(std::shared_ptr<const catalog::Catalog> catalog) {
  state_->catalog.with([&](auto& current) { current = std::move(catalog); });
}

EngineHealth TaskService::engine_health() const { return state_->session.health(); }

bool TaskSteps::lane(const std::function<std::size_t(std::size_t)>& choose) {
  return state_.lanes.run_one(choose);
}

bool TaskSteps::watch() { return state_.watcher.turn(std::stop_token{}); }

void TaskSteps::tick() { state_.watcher.tick(); }

}  // namespace resmgr::tasks
