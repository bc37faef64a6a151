#include "agent/tasks/start_progress.h"

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
  starts_.with([&](auto& starts) {
    const auto [entry, is_new] = starts.try_emplace(task_id);
    StartProgress& progress = entry->second;
    if (is_new || progress.step != step) progress.since = now;
    progress.step = step;
    progress.image = image;
  });
}

void StartTracker::drop(const std::string& task_id) {
  starts_.with([&](auto& starts) { starts.erase(task_id); });
}

std::optional<StartProgress> StartTracker::find(const std::string& task_id) const {
  return starts_.with([&](const auto& starts) -> std::optional<StartProgress> {
    const auto found = starts.find(task_id);
    if (found == starts.end()) return std::nullopt;
    return found->second;
  });
}

}  // namespace resmgr::tasks
