#include "agent/api/progress_board.h"

#include <unordered_set>
#include <utility>
#include <vector>

#include "agent/api/task_json.h"
#include "common/json.h"

namespace resmgr::api {

bool ProgressBoard::refresh() {
  std::vector<tasks::TaskStart> starts = sources_.starts.all();
  if (starts.empty()) {
    clear();
    return false;
  }
  std::unordered_set<std::string> under_way;
  std::vector<tasks::TaskStart> news;
  for (tasks::TaskStart& start : starts) {
    under_way.insert(start.task_id);
    const auto place = places_.find(start.task_id);
    if (place == places_.end() || told_.at(place->second).progress != start.progress) {
      news.push_back(std::move(start));
    }
  }
  std::erase_if(told_, [&](const auto& entry) {
    return !under_way.contains(entry.second.task_id) && places_.erase(entry.second.task_id) > 0;
  });
  if (news.empty()) return false;

  const std::uint64_t before = last_;
  sources_.journal.read([&](journal::Reader& reader) {
    for (const tasks::TaskStart& start : news) {
      const auto row = reader.task(start.task_id);
      // Its end may be on record before the followers have the event.
      if (row && row->task.status == TaskStatus::starting) tell(row->task, start.progress);
    }
  });
  return last_ > before;
}

void ProgressBoard::tell(const Task& task, const tasks::StartProgress& progress) {
  erase(task.task_id);
  std::string text;
  append_progress_message(text, sources_.clock.now(), task, progress);
  places_[task.task_id] = ++last_;
  told_.emplace(last_, Told{task.task_id, task.user_id, progress,
                            std::make_shared<const std::string>(std::move(text))});
}

void ProgressBoard::erase(const std::string& task_id) {
  const auto place = places_.find(task_id);
  if (place == places_.end()) return;
  told_.erase(place->second);
  places_.erase(place);
}

void ProgressBoard::note(const Event& event) {
  if (places_.empty() || !places_.contains(event.task_id) || event.task.empty()) return;
  const Json task = parse_json(event.task, "event");
  if (string_or(task, "status") != to_string(TaskStatus::starting)) erase(event.task_id);
}

void ProgressBoard::clear() {
  told_.clear();
  places_.clear();
}

ProgressBoard::Message ProgressBoard::next(std::uint64_t& seen, const std::string& user_id) const {
  for (auto entry = told_.upper_bound(seen); entry != told_.end(); ++entry) {
    seen = entry->first;
    if (user_id.empty() || user_id == entry->second.user_id) return entry->second.text;
  }
  return nullptr;
}

}  // namespace resmgr::api
