// Warns and stops running tasks that nobody uses, or that are too old; knows what puts that off.
#ifndef RESMGR_AGENT_TASKS_IDLE_WATCH_H_
#define RESMGR_AGENT_TASKS_IDLE_WATCH_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>

#include "agent/catalog/catalog.h"
#include "agent/engine/engine.h"
#include "agent/journal/journal.h"
#include "agent/tasks/idle_policy.h"
#include "agent/tasks/jupyter_probe.h"
#include "agent/tasks/task_use.h"
#include "common/clock.h"
#include "common/error.h"
#include "common/guarded.h"

namespace resmgr::tasks {

// What is known of a running task's use at one moment, and what follows from it.
struct IdleReport {
  IdleRules rules;
  IdleFacts facts;
  IdleVerdict verdict;
};

// Thread-safe, but for watch(): that is called for one task at a time.
class IdleWatch {
 public:
  struct Parts {
    journal::Journal& journal;
    const Clock& clock;
    Millis sample_interval;
    std::function<std::shared_ptr<const catalog::Catalog>()> catalog;
    // Called once an intent to stop is on record.
    std::function<void(const std::string& task_id, const std::string& user_id)> wake;
  };
  explicit IdleWatch(Parts parts) : parts_(std::move(parts)) {}

  // What a look at a running task showed; empty: the engine did not say.
  void note_sample(const Task& task, const std::optional<engine::Stats>& stats);
  bool wants_probe(const Task& task);
  void note_probe(const Task& task, const JupyterLook& look);
  // Forgets the tasks that are not among these.
  void keep_only(const std::set<std::string>& task_ids);

  // Judges the task, and puts on record what follows: a warning, one that holds no longer, or the
  // intent to stop. That last one waits while `engine_known` is false. Throws unavailable if the
  // journal does not take it: the next call tries again.
  void watch(const std::string& task_id, bool engine_known);

  // These throw not_found, and conflict with problem "not-running" for a task that does not run.

  // The task was used just now. It is remembered in this process only.
  void touch(const std::string& task_id);
  IdleReport report(const std::string& task_id);
  // Puts both limits off by so much, above 0, from where they stand. On disk when it returns.
  // Throws conflict with problem "nothing-to-extend" if there is none.
  void extend(const std::string& task_id, Millis by, std::string_view requested_by);

 private:
  struct Judged {
    journal::TaskRow row;
    journal::Activity activity;
    std::uint64_t touches = 0;
    IdleReport report;
  };

  // `verb` is for the error of a task that does not run.
  Judged judge(const std::string& task_id, const char* verb);
  std::optional<journal::TaskRow> unless_changed(journal::Transaction& transaction,
                                                 const Judged& judged);
  void record(journal::Transaction& transaction, journal::TaskRow& row, const Judged& judged,
              bool stops) const;
  template <typename Fn>
  auto with_use(const Task& task, Fn&& fn);

  const Parts parts_;
  Guarded<std::unordered_map<std::string, TaskUse>> uses_;
};

}  // namespace resmgr::tasks

#endif  // RESMGR_AGENT_TASKS_IDLE_WATCH_H_
