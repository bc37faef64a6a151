#include "agent/tasks/lifecycle.h"

#include <utility>

#include "agent/tasks/container_spec.h"
#include "agent/tasks/lifecycle_run.h"
#include "common/log.h"

namespace resmgr::tasks {

Lifecycle::Lifecycle(Parts parts)
    : parts_(std::move(parts)),
      log_tails_(parts_.options.data_dir + "/logs"),
      starts_(parts_.clock,
              {[this](const std::string& image) { return puller_.progress(image); },
               [this](const std::string& task_id) { return lanes_->place(task_id); }}),
      puller_(parts_.engine, [this] { starts_.told(); }) {}

Next Lifecycle::step(Lanes::Turn& turn) {
  if (!turn.memory) turn.memory = std::make_unique<Memory>();
  auto& memory = static_cast<Memory&>(*turn.memory);
  try {
    return Run(*this, turn, memory).step();
  } catch (const Error& error) {
    // The first failure of a row is news; the tenth is not.
    if (memory.retry.failures() == 0) {
      log::warning("Task {TaskId} has to wait: {Reason}",
                   {{"TaskId", turn.task_id}, {"Reason", error.message()}});
    }
  } catch (const std::exception& error) {
    log::error("Task {TaskId} could not be carried on: {Reason}",
               {{"TaskId", turn.task_id}, {"Reason", error.what()}});
  }
  memory.seen.reset();
  return Next::after(memory.retry.next());
}

void Lifecycle::admitted(const std::string& task_id, bool claims) {
  starts_.enter(task_id, claims ? StartStep::starting : StartStep::queued);
  if (claims) return;
  hint(task_id, [](Hints& hints) { hints.fresh = true; });
}

void Lifecycle::hint(const std::string& task_id, const std::function<void(Hints&)>& change) {
  hints_.with([&](auto& hints) { change(hints[task_id]); });
}

std::optional<Sighting> Lifecycle::sighting(const std::string& task_id) const {
  return sightings_.with([&](const auto& sightings) -> std::optional<Sighting> {
    const auto found = sightings.find(task_id);
    if (found == sightings.end()) return std::nullopt;
    return found->second;
  });
}

bool Lifecycle::was_seen_since(const std::string& task_id, Instant time) const {
  const auto seen = sighting(task_id);
  return seen && seen->epoch == parts_.session.epoch() && seen->time >= time;
}

std::optional<Sighting> Lifecycle::look_again(const Task& task) {
  if (!parts_.session.trusted() || task.container_id.empty()) return std::nullopt;
  const auto row =
      parts_.journal.reading([&](journal::Reader& reader) { return reader.task(task.task_id); });
  if (!row) return std::nullopt;
  const std::uint64_t epoch = parts_.session.epoch();
  const auto container = parts_.engine.inspect(task.container_id);
  if (!container || !container->alive() || container->started_at != row->container_started_at()) {
    return std::nullopt;
  }
  const Sighting sighting{epoch, parts_.clock.now(), parts_.clock.since_boot(),
                          container->host_port, secret_id(*row)};
  sightings_.with([&](auto& sightings) { sightings[task.task_id] = sighting; });
  return sighting;
}

std::string Lifecycle::secret_id_of(const std::string& task_id) const {
  if (const auto known = sighting(task_id)) return known->secret_id;
  const auto row =
      parts_.journal.reading([&](journal::Reader& reader) { return reader.task(task_id); });
  return row ? secret_id(*row) : task_id;
}

}  // namespace resmgr::tasks
