#include "agent/tasks/engine_session.h"

#include <algorithm>
#include <utility>

#include "agent/engine/labels.h"
#include "common/error.h"
#include "common/failpoint.h"
#include "common/log.h"

namespace resmgr::tasks {
namespace {

// What an operator types to make it by hand as create_network() would.
std::string creation_of(const engine::NetworkSpec& spec) {
  std::string command = "docker network create";
  for (const auto& [key, value] : spec.labels) command += " --label " + key + "=" + value;
  if (spec.isolated) command += " --opt com.docker.network.bridge.enable_icc=false";
  if (!spec.bridge.empty()) command += " --opt com.docker.network.bridge.name=" + spec.bridge;
  return command + " " + spec.name;
}

}  // namespace

EngineSession::EngineSession(std::string agent_id, engine::Engine& engine,
                             const journal::Journal& journal)
    : agent_id_(std::move(agent_id)), engine_(engine), journal_(journal) {
  known_.with([](Known& known) { known.health.last_error = "not connected yet"; });
}

void EngineSession::establish() {
  const engine::EngineInfo info = engine_.info();
  if (!engine_.inspect_network(engine::network_name(agent_id_))) {
    const bool ours_are_here = !engine_.list(engine::ours(agent_id_)).empty();
    if (!ours_are_here && journal_has_containers()) {
      throw Error(ErrorKind::unavailable,
                  "cannot trust the engine: it has neither the agent's network nor any of the "
                  "containers that the journal knows; it may be another engine, or its data were "
                  "moved",
                  "point the agent to the engine that it had before; nothing was changed. If this "
                  "is that engine, and all of them were removed by hand, give it the network "
                  "again, and their tasks end: " +
                      creation_of(marker()));
    }
    create_marker();
  }
  const bool was_away = known_.with([&](Known& known) {
    const bool away = known.epoch > 0 && !known.trusted;
    if (!known.trusted) ++known.epoch;
    known.trusted = true;
    known.root_dir = info.root_dir;
    known.started_at = info.started_at;
    known.capacity = {info.memory_bytes, info.cpus};
    known.health = {true, info.version, info.api_version, {}};
    return away;
  });
  if (was_away) log::info("Engine is back ({Version})", {{"Version", info.version}});
}

void EngineSession::lose(const std::string& cause, const std::string& hint) {
  const std::string why = hint.empty() ? cause : cause + " (try: " + hint + ")";
  const bool news = known_.with([&](Known& known) {
    const bool changed = known.trusted || known.health.last_error != why;
    known.trusted = false;
    known.health.reachable = false;
    known.health.last_error = why;
    return changed;
  });
  if (news) {
    log::warning("Engine is away: {Reason}. Tasks are left as they are until it answers",
                 {{"Reason", why}});
  }
}

bool EngineSession::trusted() const {
  return known_.with([](const Known& known) { return known.trusted; });
}

std::uint64_t EngineSession::epoch() const {
  return known_.with([](const Known& known) { return known.epoch; });
}

EngineHealth EngineSession::health() const {
  return known_.with([](const Known& known) { return known.health; });
}

std::string EngineSession::engine_root() const {
  return known_.with([](const Known& known) { return known.root_dir; });
}

std::optional<Instant> EngineSession::engine_started() const {
  return known_.with([](const Known& known) { return known.started_at; });
}

HostCapacity EngineSession::capacity() const {
  return known_.with([](const Known& known) { return known.capacity; });
}

void EngineSession::restore_network() {
  if (!engine_.inspect_network(engine::network_name(agent_id_))) create_marker();
}

engine::NetworkSpec EngineSession::marker() const {
  engine::NetworkSpec spec;
  spec.name = engine::network_name(agent_id_);
  spec.labels = engine::ours(agent_id_);
  spec.bridge = engine::bridge_name(agent_id_);
  return spec;
}

void EngineSession::create_marker() {
  const engine::NetworkSpec spec = marker();
  failpoint("engine.before_create_network");
  engine_.create_network(spec);
  failpoint("engine.after_create_network");
  log::info("Made network {Network}", {{"Network", spec.name}});
}

bool EngineSession::journal_has_containers() const {
  return journal_.reading([](journal::Reader& reader) {
    const auto rows = reader.unsettled();
    const auto slots = reader.slots();
    return std::any_of(rows.begin(), rows.end(),
                       [](const journal::TaskRow& row) {
                         return row.phase != journal::Phase::ended &&
                                row.task.start_time.has_value();
                       }) ||
           std::any_of(slots.begin(), slots.end(),
                       [](const journal::SlotRow& slot) { return slot.started_at.has_value(); });
  });
}

}  // namespace resmgr::tasks
