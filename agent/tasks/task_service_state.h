// What a task service is made of; private to it.
#ifndef RESMGR_AGENT_TASKS_TASK_SERVICE_STATE_H_
#define RESMGR_AGENT_TASKS_TASK_SERVICE_STATE_H_

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "agent/tasks/engine_session.h"
#include "agent/tasks/heartbeats.h"
#include "agent/tasks/idle_watch.h"
#include "agent/tasks/images.h"
#include "agent/tasks/lanes.h"
#include "agent/tasks/lifecycle.h"
#include "agent/tasks/reconciler.h"
#include "agent/tasks/refusals.h"
#include "agent/tasks/sampler.h"
#include "agent/tasks/slot_lanes.h"
#include "agent/tasks/task_service.h"
#include "agent/tasks/waiters.h"
#include "agent/tasks/warm_pool.h"
#include "agent/tasks/watcher.h"
#include "agent/tasks/whereabouts.h"
#include "common/guarded.h"

namespace resmgr::tasks {

LaneOptions lane_options(const TaskOptions& options);

struct TaskService::State {
  State(TaskOptions o, journal::Journal& j, engine::Engine& e,
        std::shared_ptr<const catalog::Catalog> c, const Clock& k)
      : options(std::move(o)),
        journal(j),
        engine(e),
        clock(k),
        catalog(std::move(c)),
        limits(options.limits),
        session(options.agent_id, engine, journal),
        heartbeats(options, journal, engine, session, clock),
        pool({options, journal, engine, clock, session, [this] { return current_catalog(); },
              [this] { return current_limits(); },
              [this](const std::string& slot_id) { lanes.wake_background(slot_id); }}),
        lifecycle({options, journal, engine, clock, session, heartbeats, waiters,
                   [this] { return current_catalog(); }, pool}),
        slot_lanes({options, journal, engine, clock, session, lifecycle.puller(), pool,
                    [this] { return current_catalog(); },
                    [this](const std::string& task_id) { look_at(task_id); }}),
        images(engine, lifecycle.puller()),
        lanes(lane_options(options),
              [this](Lanes::Turn& turn) {
                return turn.background ? slot_lanes.step(turn) : lifecycle.step(turn);
              }),
        watcher(options.agent_id, engine, journal, session, lifecycle, lanes),
        idle_watch({journal, clock, options.sample_interval, [this] { return current_catalog(); },
                    [this](const std::string& task_id, const std::string& user_id) {
                      lanes.wake(task_id, user_id);
                    }}),
        whereabouts({options, clock, session, lifecycle, [this] { return current_catalog(); }}),
        sampler({options.sample_interval, journal, engine, clock, session, idle_watch,
                 [this](const Task& task, std::stop_token stop) {
                   return whereabouts.ask_jupyter(task, std::move(stop));
                 }}),
        reconciler(options.agent_id, engine, journal, session, lifecycle, lanes) {
    lifecycle.set_lanes(lanes);
  }

  ~State() {
    sampler.stop();
    pool.stop();
    watcher.stop();
    heartbeats.stop();
    lifecycle.stop_pulls();
    lanes.stop();
  }

  std::shared_ptr<const catalog::Catalog> current_catalog() const {
    return catalog.with([](const auto& current) { return current; });
  }

  Limits current_limits() const {
    return limits.with([](const Limits& current) { return current; });
  }

  std::optional<journal::TaskRow> row(const std::string& task_id) const {
    return journal.reading([&](journal::Reader& reader) { return reader.task(task_id); });
  }

  // Something happened to its container.
  void look_at(const std::string& task_id) {
    const auto known = row(task_id);
    lifecycle.hint(task_id, [](Hints& hints) { hints.look = true; });
    lanes.wake(task_id, known ? known->task.user_id : "");
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
  mutable Guarded<Limits> limits;
  EngineSession session;
  Heartbeats heartbeats;
  Waiters waiters;
  WarmPool pool;
  Lifecycle lifecycle;
  SlotLanes slot_lanes;
  Images images;
  Lanes lanes;
  Watcher watcher;
  IdleWatch idle_watch;
  Whereabouts whereabouts;
  Sampler sampler;
  Reconciler reconciler;
};

}  // namespace resmgr::tasks

#endif  // RESMGR_AGENT_TASKS_TASK_SERVICE_STATE_H_
