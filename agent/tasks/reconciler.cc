#include "agent/tasks/reconciler.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <set>
#include <utility>

#include "agent/engine/labels.h"
#include "agent/tasks/observation.h"
#include "common/error.h"

namespace resmgr::tasks {
namespace {

using Outcome = Difference::Outcome;
using std::chrono::steady_clock;

// A row that changes while its container is looked at is looked at again, so often at most.
constexpr int kLooks = 3;
constexpr Millis kFirstPause{10};
constexpr Millis kLongestPause{500};

// Returns early, true, if `stop` is requested.
bool pause(Millis time, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any changed;
  std::unique_lock lock(mutex);
  changed.wait_for(lock, stop, time, [] { return false; });
  return stop.stop_requested();
}

}  // namespace

// Once the engine failed to answer, or the session was another one, nothing it said counts, and it
// is asked no more: each question could take as long as a timeout.
class Reconciler::Sight {
 public:
  explicit Sight(const EngineSession& session)
      : session_(session), epoch_(session.epoch()), good_(session.trusted()) {
    if (!good_) error_ = session.health().last_error;
  }

  bool good() {
    if (good_ && (!session_.trusted() || session_.epoch() != epoch_)) {
      good_ = false;
      error_ = session_.health().last_error;
      if (error_.empty()) error_ = "the connection to the engine was lost meanwhile";
    }
    return good_;
  }
  const std::string& error() const { return error_; }

  // What `ask` returns; empty if that can't be believed.
  template <typename Ask>
  auto asking(Ask&& ask) -> std::optional<decltype(ask())> {
    if (!good()) return std::nullopt;
    try {
      auto answer = std::forward<Ask>(ask)();
      if (good()) return answer;
    } catch (const Error& error) {
      good_ = false;
      error_ = error.message();
    }
    return std::nullopt;
  }

 private:
  const EngineSession& session_;
  const std::uint64_t epoch_;
  bool good_;
  std::string error_;
};

// Row, container, row again: if it changed meanwhile, the two are of different moments.
View Reconciler::view_of(const std::string& task_id, Sight& sight) const {
  const auto read = [&] {
    return journal_.reading([&](journal::Reader& reader) { return reader.task(task_id); });
  };
  View view{task_id, read(), {}};
  for (int look = 0; look < kLooks; ++look) {
    const auto found = sight.asking([&] { return find_container(engine_, task_id, view.row); });
    view.seen = found ? judge(task_id, view.row, *found, agent_id_) : Observation{};
    auto again = read();
    const bool same = again.has_value() == view.row.has_value() &&
                      (!again || again->version == view.row->version);
    if (same) break;
    view.row = std::move(again);
  }
  return view;
}

std::vector<View> Reconciler::all_views(const std::vector<engine::ContainerSummary>& listed,
                                        Sight& sight) const {
  std::set<std::string> task_ids;
  for (const auto& container : listed) {
    if (auto id = engine::task_of(container.labels, container.name, agent_id_)) {
      task_ids.insert(*std::move(id));
    }
  }
  const auto rows = journal_.reading([](journal::Reader& reader) { return reader.unsettled(); });
  for (const auto& row : rows) task_ids.insert(row.task.task_id);
  std::vector<View> views;
  views.reserve(task_ids.size());
  for (const auto& task_id : task_ids) views.push_back(view_of(task_id, sight));
  return views;
}

Reconciliation Reconciler::look() {
  Sight sight(session_);
  const auto listed = sight.asking([this] { return engine_.list(engine::ours(agent_id_)); })
                          .value_or(std::vector<engine::ContainerSummary>());
  std::vector<View> views = all_views(listed, sight);
  Reconciliation result;
  result.engine_reachable = sight.good();
  result.engine_error = sight.error();
  for (View& view : views) {
    // An answer from before the engine went away is as good as none.
    if (!result.engine_reachable) view.seen = Observation{};
    if (auto found = difference(view)) {
      result.differences.push_back(*std::move(found));
    } else if (view.row && is_active(view.row->task.status)) {
      ++result.agreeing;
    }
  }
  if (!result.engine_reachable) return result;
  for (auto& foreign : foreigners(listed, views, agent_id_)) {
    result.differences.push_back(std::move(foreign));
  }
  return result;
}

void Reconciler::wake(const Difference& difference) {
  lifecycle_.hint(difference.task_id, [](Hints& hints) { hints.look = true; });
  const auto row =
      journal_.reading([&](journal::Reader& reader) { return reader.task(difference.task_id); });
  lanes_.wake(difference.task_id, row ? row->task.user_id : "");
}

// What it waits for now is what people want to know of one that takes its time.
bool Reconciler::has_settled(Difference& pending, Sight& sight) const {
  const auto now = difference(view_of(pending.task_id, sight));
  if (!sight.good()) return false;
  if (now) {
    pending.act = now->act;
    pending.reason = now->reason;
  }
  return !now;
}

Reconciliation Reconciler::settle(Reconciliation before, Millis longest_wait,
                                  const std::stop_token& stop) {
  Reconciliation result = std::move(before);
  result.dry_run = false;
  std::vector<Difference*> pending;
  for (Difference& difference : result.differences) {
    if (difference.kind == Difference::Class::foreign) {
      difference.outcome = Outcome::left;
      continue;
    }
    difference.outcome = result.engine_reachable ? Outcome::pending : Outcome::unknown;
    if (!result.engine_reachable) continue;
    pending.push_back(&difference);
    wake(difference);
  }
  Sight sight(session_);
  const auto deadline = steady_clock::now() + longest_wait;
  Millis next = kFirstPause;
  while (!pending.empty() && sight.good() && steady_clock::now() < deadline) {
    if (pause(next, stop)) break;
    next = std::min(next * 2, kLongestPause);
    std::erase_if(pending, [&](Difference* difference) {
      if (!has_settled(*difference, sight)) return false;
      difference->outcome = Outcome::done;
      return true;
    });
  }
  if (sight.good()) {
    for (Difference* difference : pending) {
      if (difference->act == Act::ask_again) difference->outcome = Outcome::unknown;
    }
    return result;
  }
  result.engine_reachable = false;
  result.engine_error = sight.error();
  for (Difference* difference : pending) difference->outcome = Outcome::unknown;
  return result;
}

}  // namespace resmgr::tasks
