// Those who wait for a task to start or to end.
#ifndef RESMGR_AGENT_TASKS_WAITERS_H_
#define RESMGR_AGENT_TASKS_WAITERS_H_

#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "agent/journal/task_row.h"
#include "common/guarded.h"

namespace resmgr::tasks {

enum class Milestone { started, ended };

// Whether the row has come so far. A start that failed has come to its end, too.
bool reached(const journal::TaskRow& row, Milestone milestone);

// Thread-safe. Calls are made outside its lock.
class Waiters {
 public:
  using Call = std::function<void(const journal::TaskRow&)>;

  // `call` is made once, by the first notify() whose row has come so far.
  void add(const std::string& task_id, Milestone milestone, Call call);
  void notify(const journal::TaskRow& row);

 private:
  struct Waiter {
    Milestone milestone;
    Call call;
  };
  Guarded<std::unordered_map<std::string, std::vector<Waiter>>> waiters_;
};

}  // namespace resmgr::tasks

#endif  // RESMGR_AGENT_TASKS_WAITERS_H_
