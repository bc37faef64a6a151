#include "agent/tasks/waiters.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace resmgr::tasks {

using journal::Phase;

bool reached(const journal::TaskRow& row, Milestone milestone) {
  const bool ended = row.phase == Phase::ended || row.phase == Phase::removed;
  return ended || (milestone == Milestone::started && row.phase == Phase::ready);
}

void Waiters::add(const std::string& task_id, Milestone milestone, Call call) {
  waiters_.with([&](auto& waiters) { waiters[task_id].push_back({milestone, std::move(call)}); });
}

void Waiters::notify(const journal::TaskRow& row) {
  std::vector<Waiter> due;
  waiters_.with([&](auto& waiters) {
    const auto found = waiters.find(row.task.task_id);
    if (found == waiters.end()) return;
    auto& all = found->second;
    const auto first_due = std::stable_partition(
        all.begin(), all.end(), [&](const Waiter& w) { return !reached(row, w.milestone); });
    std::move(first_due, all.end(), std::back_inserter(due));
    all.erase(first_due, all.end());
    if (all.empty()) waiters.erase(found);
  });
  for (const auto& waiter : due) waiter.call(row);
}

}  // namespace resmgr::tasks
