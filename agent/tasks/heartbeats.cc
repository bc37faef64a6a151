#include "agent/tasks/heartbeats.h"

#include <set>
#include <utility>

#include "agent/engine/labels.h"
#include "common/error.h"
#include "common/failpoint.h"
#include "common/log.h"

namespace resmgr::tasks {
namespace {

using journal::Heartbeat;
using journal::HostMoment;
using journal::Phase;
using journal::TaskRow;

constexpr Millis kInterval{10'000};

bool runs(const TaskRow& row) {
  return row.task.start_time && row.phase != Phase::ended && row.phase != Phase::removed;
}

bool alive(const engine::ContainerSummary& container) {
  engine::ContainerState state;
  state.status = container.status;
  return state.alive();
}

}  // namespace

Heartbeats::Heartbeats(const TaskOptions& options, journal::Journal& journal,
                       engine::Engine& engine, const EngineSession& session, const Clock& clock)
    : options_(options), journal_(journal), engine_(engine), session_(session), clock_(clock) {
  auto left = journal.reading([](journal::Reader& reader) { return reader.heartbeat(); });
  last_.with([&](auto& last) { last = std::move(left); });
}

Heartbeats::~Heartbeats() { stop(); }

void Heartbeats::run() {
  beat();
  thread_ = std::jthread([this](std::stop_token stop) { keep_time(std::move(stop)); });
}

void Heartbeats::stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void Heartbeats::step() {
  if (!session_.trusted()) return;
  const std::uint64_t epoch = session_.epoch();
  // Before the engine is asked: whoever lives after that lived then.
  const HostMoment now{options_.boot_id, clock_.now(), clock_.since_boot()};
  const auto rows = journal_.reading([](journal::Reader& reader) { return reader.unsettled(); });
  std::set<std::string> living;
  for (const auto& container : engine_.list(engine::ours(options_.agent_id))) {
    if (alive(container)) living.insert(container.id);
  }
  // An answer of an engine that went away meanwhile may be another engine's.
  if (!session_.trusted() || session_.epoch() != epoch) return;

  Heartbeat next{now, {}};
  bool any = false;
  for (const TaskRow& row : rows) {
    if (!runs(row)) continue;
    any = true;
    // Its lane will find out what became of it. Until then the older bound holds, also for a
    // process after this one.
    if (!living.contains(row.task.container_id)) {
      next.missed.emplace(row.task.task_id, missed(row));
    }
  }
  const bool first_of_boot =
      last_.with([&](const auto& last) { return !last || last->at.boot_id != options_.boot_id; });
  if (!any && !first_of_boot) return;
  failpoint("heartbeat.before_commit");
  journal_.transact([&](journal::Transaction& transaction) { transaction.put_heartbeat(next); });
  failpoint("heartbeat.after_commit");
  last_.with([&](auto& last) { last = std::move(next); });
}

HostMoment Heartbeats::missed(const TaskRow& row) const {
  const auto seen = last_seen(row.task.task_id);
  return seen ? *seen : HostMoment{{}, *row.task.start_time, Millis{0}};
}

std::optional<HostMoment> Heartbeats::last_seen(const std::string& task_id) const {
  return last_.with([&](const auto& last) -> std::optional<HostMoment> {
    if (!last) return std::nullopt;
    const auto missed = last->missed.find(task_id);
    return missed == last->missed.end() ? last->at : missed->second;
  });
}

void Heartbeats::beat() noexcept {
  try {
    step();
    failing_ = false;
  } catch (const std::exception& error) {
    // The first failure of a row is news; the tenth is not.
    if (!std::exchange(failing_, true)) {
      log::warning("No heartbeat could be written: {Reason}", {{"Reason", error.what()}});
    }
  }
}

void Heartbeats::keep_time(std::stop_token stop) {
  while (true) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, stop, kInterval, [] { return false; });
    }
    if (stop.stop_requested()) return;
    beat();
  }
}

}  // namespace resmgr::tasks
