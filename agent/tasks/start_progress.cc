#include "agent/tasks/start_progress.h"

#include <utility>

namespace resmgr::tasks {

std::string_view to_string(StartStep step) {
  switch (step) {
    case StartStep::queued:
      return "queued";
    case StartStep::pulling:
      return "pulling";
    case StartStep::creating:
      return "creating";
    case StartStep::starting:
      return "starting";
    case StartStep::probing:
      return "probing";
  }
  return "queued";
}

void StartTracker::enter(const std::string& task_id, StartStep step, std::string_view image) {
  const Instant now = clock_.now();
  const bool changed = starts_.with([&](auto& starts) {
    const auto [entry, is_new] = starts.try_emplace(task_id);
    StartProgress& progress = entry->second;
    const bool is_other = is_new || progress.step != step;
    if (is_other) progress.since = now;
    progress.step = step;
    progress.image = image;
    return is_other;
  });
  if (changed) told();
}

void StartTracker::drop(const std::string& task_id) {
  starts_.with([&](auto& starts) { starts.erase(task_id); });
}

StartProgress StartTracker::completed(const std::string& task_id, StartProgress progress) const {
  if (progress.step == StartStep::pulling) progress.pull = sources_.pull_of(progress.image);
  if (progress.step == StartStep::queued) progress.place = sources_.place_of(task_id);
  return progress;
}

std::optional<StartProgress> StartTracker::find(const std::string& task_id) const {
  auto progress = starts_.with([&](const auto& starts) -> std::optional<StartProgress> {
    const auto found = starts.find(task_id);
    if (found == starts.end()) return std::nullopt;
    return found->second;
  });
  if (progress) progress = completed(task_id, *std::move(progress));
  return progress;
}

std::vector<TaskStart> StartTracker::all() const {
  auto all = starts_.with([](const auto& starts) {
    std::vector<TaskStart> copies;
    copies.reserve(starts.size());
    for (const auto& [task_id, progress] : starts) copies.push_back({task_id, progress});
    return copies;
  });
  for (TaskStart& start : all) {
    start.progress = completed(start.task_id, std::move(start.progress));
  }
  return all;
}

int StartTracker::subscribe(std::function<void()> listener) const {
  return listeners_.with([&](Listeners& listeners) {
    listeners.all.emplace(++listeners.last, std::move(listener));
    return listeners.last;
  });
}

void StartTracker::unsubscribe(int subscription) const {
  listeners_.with([&](Listeners& listeners) { listeners.all.erase(subscription); });
}

void StartTracker::told() const {
  listeners_.with([](const Listeners& listeners) {
    for (const auto& [number, listener] : listeners.all) listener();
  });
}

}  // namespace resmgr::tasks
