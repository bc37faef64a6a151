#include "agent/tasks/reconciler.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
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

// Once the engine gave no answer, or the session was another one, nothing it said counts, and it is
// asked no more: each question could take as long as a timeout. An answer that is an error leaves
// one question open.
class Reconciler::Sight {
 public:
  explicit Sight(const EngineSession& session)
      : session_(session), epoch_(session.epoch()), good_(session.trusted()) {
    if (!good_) error_ = session.health().last_error;
  }

  bool good() {
    if (good_ && (!session_.trusted() || session_.epoch() != epoch_)) {
      const std::string why = session_.health().last_error;
      lose(why.empty() ? "the connection to the engine was lost meanwhile" : why);
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
      if (error.kind() == ErrorKind::unavailable) lose(error.message());
    }
    return std::nullopt;
  }

  void lose(const std::string& why) {
    if (std::exchange(good_, false)) error_ = why;
  }

 private:
  const EngineSession& session_;
  const std::uint64_t epoch_;
  bool good_;
  std::string error_;
};

// Row, container, row again: if it changed meanwhile, the two are of different moments.
View Reconciler::view_of(const std::string& task_id, const std::string& container_id,
                         Sight& sight) const {
  const auto read = [&] {
    auto known =
        journal_.reading([&](journal::Reader& reader) { return known_of(reader, task_id); });
    known.container_id = container_id;
    return known;
  };
  Known known = read();
  View view{task_id, {}, {}};
  for (int look = 0; look < kLooks; ++look) {
    const auto found = sight.asking([&] { return find_container(engine_, task_id, known); });
    view.seen = found ? judge(task_id, known, *found, agent_id_) : Observation{};
    view.row = std::move(known.row);
    known = read();
    const bool same = known.row.has_value() == view.row.has_value() &&
                      (!known.row || known.row->version == view.row->version);
    if (same) break;
    view.row = known.row;
  }
  return view;
}

std::vector<View> Reconciler::all_views(const std::vector<engine::ContainerSummary>& listed,
                                        Sight& sight) const {
  std::map<std::string, std::string> tasks;  // with the container that bears its id, if one does
  for (const auto& container : listed) {
    if (auto id = engine::task_of(container.labels, container.name, agent_id_)) {
      tasks.emplace(*std::move(id), container.id);
    }
  }
  const auto rows = journal_.reading([](journal::Reader& reader) { return reader.unsettled(); });
  for (const auto& row : rows) tasks.try_emplace(row.task.task_id);
  std::vector<View> views;
  views.reserve(tasks.size());
  for (const auto& [task_id, container_id] : tasks) {
    views.push_back(view_of(task_id, container_id, sight));
  }
  return views;
}

Reconciliation Reconciler::look() {
  Sight sight(session_);
  const auto list = sight.asking([this] { return engine_.list(engine::ours(agent_id_)); });
  if (!list) sight.lose("the engine refused to list its containers");
  const auto listed = list.value_or(std::vector<engine::ContainerSummary>());
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
  lifecycle_.hint(difference.task_id, [&](Hints& hints) {
    hints.look = true;
    hints.container_id = difference.container_id;
  });
  const auto row =
      journal_.reading([&](journal::Reader& reader) { return reader.task(difference.task_id); });
  lanes_.wake(difference.task_id, row ? row->task.user_id : "");
}

struct Reconciler::Pending {
  Difference* shown;
  std::optional<Difference> now;
};

bool Reconciler::has_settled(Pending& pending, Sight& sight) const {
  auto now = difference(view_of(pending.shown->task_id, pending.shown->container_id, sight));
  if (!sight.good()) return false;
  pending.now = std::move(now);
  return !pending.now;
}

Reconciliation Reconciler::settle(Reconciliation before, Millis longest_wait,
                                  const std::stop_token& stop) {
  Reconciliation result = std::move(before);
  result.dry_run = false;
  std::vector<Pending> pending;
  for (Difference& difference : result.differences) {
    const bool foreign = difference.kind == Difference::Class::foreign;
    difference.outcome = foreign ? Outcome::left : Outcome::unknown;
    if (foreign || !result.engine_reachable) continue;
    pending.push_back({&difference, std::nullopt});
    wake(difference);
  }
  Sight sight(session_);
  const auto deadline = steady_clock::now() + longest_wait;
  Millis next = kFirstPause;
  while (!pending.empty() && sight.good() && steady_clock::now() < deadline) {
    if (pause(next, stop)) break;
    next = std::min(next * 2, kLongestPause);
    std::erase_if(pending, [&](Pending& one) {
      if (!has_settled(one, sight)) return false;
      one.shown->outcome = Outcome::done;
      return true;
    });
  }
  if (!sight.good()) {
    result.engine_reachable = false;
    result.engine_error = sight.error();
    return result;
  }
  // What each waits for now is what people want to know of one that takes its time.
  for (const Pending& one : pending) {
    if (one.now) {
      one.shown->act = one.now->act;
      one.shown->reason = one.now->reason;
    }
    if (one.shown->act != Act::ask_again) one.shown->outcome = Outcome::pending;
  }
  return result;
}

}  // namespace resmgr::tasks
