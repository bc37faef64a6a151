#include "agent/tasks/watcher.h"

#include <utility>

#include "agent/engine/labels.h"
#include "common/backoff.h"
#include "common/event.h"
#include "common/log.h"

namespace resmgr::tasks {
namespace {

constexpr Millis kReconcileInterval{60'000};
constexpr Millis kReconnectMin{50};
constexpr Millis kReconnectMax{2'000};

}  // namespace

Watcher::Watcher(std::string agent_id, engine::Engine& engine, journal::Journal& journal,
                 EngineSession& session, Lifecycle& lifecycle, Lanes& lanes)
    : agent_id_(std::move(agent_id)),
      engine_(engine),
      journal_(journal),
      session_(session),
      lifecycle_(lifecycle),
      lanes_(lanes) {}

Watcher::~Watcher() { stop(); }

void Watcher::run() {
  runs_ = true;
  watching_ = std::jthread([this](std::stop_token stop) { watch(std::move(stop)); });
  timer_ = std::jthread([this](std::stop_token stop) { keep_time(std::move(stop)); });
}

void Watcher::stop() {
  watching_.request_stop();
  timer_.request_stop();
  if (watching_.joinable()) watching_.join();
  if (timer_.joinable()) timer_.join();
}

bool Watcher::wait_for_first_try() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return tried_ || !runs(); });
  return session_.trusted();
}

void Watcher::first_try_over() {
  const std::lock_guard lock(mutex_);
  tried_ = true;
  changed_.notify_all();
}

void Watcher::watch(std::stop_token stop) {
  Backoff backoff(kReconnectMin, kReconnectMax);
  while (!stop.stop_requested()) {
    if (turn(stop)) {
      backoff.reset();
      continue;
    }
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, stop, backoff.next(), [] { return false; });
  }
}

bool Watcher::turn(const std::stop_token& stop) {
  try {
    watch_once(stop);
    return true;
  } catch (const Error& error) {
    if (!stop.stop_requested()) session_.lose(error.message(), error.hint());
  } catch (const std::exception& error) {
    session_.lose(error.what());
  }
  first_try_over();
  return false;
}

void Watcher::watch_once(std::stop_token stop) {
  engine_.events(
      [this] {
        session_.establish();
        reconcile();
        first_try_over();
      },
      [this](const engine::EngineEvent& event) { on_event(event); }, std::move(stop));
}

void Watcher::reconcile() {
  for (const auto& container : engine_.list(engine::ours(agent_id_))) {
    const auto whose = engine::belonging_of(container.labels, container.name, agent_id_);
    if (!whose) continue;
    wake(*whose, [&](Hints& hints) {
      hints.look = true;
      hints.container_id = container.id;
    });
  }
  const auto rows = journal_.reading([](journal::Reader& reader) { return reader.unsettled(); });
  for (const auto& row : rows) {
    lifecycle_.hint(row.task.task_id, [](Hints& hints) { hints.look = true; });
    lanes_.wake(row.task.task_id, row.task.user_id);
  }
  const auto slots = journal_.reading([](journal::Reader& reader) { return reader.slots(); });
  for (const auto& slot : slots) lanes_.wake_background(slot.slot_id);
}

void Watcher::wake(const engine::Belonging& whose, const std::function<void(Hints&)>& hint) {
  if (whose.task_id.empty()) return lanes_.wake_background(whose.slot_id);
  lifecycle_.hint(whose.task_id, hint);
  lanes_.wake(whose.task_id, whose.user_id);
}

void Watcher::tick() {
  if (session_.trusted()) reconcile();
}

void Watcher::keep_time(std::stop_token stop) {
  while (true) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, stop, kReconcileInterval, [] { return false; });
    }
    if (stop.stop_requested()) return;
    try {
      tick();
    } catch (const Error& error) {
      log::warning("Could not reconcile: {Reason}", {{"Reason", error.message()}});
    } catch (const std::exception& error) {
      log::error("Could not reconcile: {Reason}", {{"Reason", error.what()}});
    }
  }
}

void Watcher::on_event(const engine::EngineEvent& event) {
  const auto whose = engine::belonging_of(event.labels, event.name, agent_id_);
  if (!whose) return;
  const bool started = event.action == "start";
  const bool died = event.action == "die";
  if (!started && !died && event.action != "destroy" && event.action != "oom") return;
  // Of a start of ours the engine tells after it has come true; a start by hand follows an end, of
  // which it tells, too.
  if (started && lifecycle_.was_seen_since(whose->task_id, event.time)) return;
  wake(*whose, [&](Hints& hints) {
    if (started) {
      hints.started = event.time;
    } else {
      hints.look = true;
    }
    if (event.action == "oom") hints.oom = true;
    if (died && !hints.death) {
      hints.death = Death{event.container_id, event.time, event.exit_code.value_or(-1)};
    }
  });
}

}  // namespace resmgr::tasks
