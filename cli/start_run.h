// A start followed to its end, so that an interrupt at any point leaves nothing half-done.
//
// The start is asked for with an idempotency key and answered at once; then the task is looked at
// until it is ready. So its id is known while it starts, and where the answer is lost the same
// request, repeated, tells it.
#ifndef RESMGR_CLI_START_RUN_H_
#define RESMGR_CLI_START_RUN_H_

#include <optional>
#include <string>

#include "cli/api_client.h"
#include "cli/interrupts.h"
#include "cli/progress.h"
#include "cli/session.h"

namespace resmgr::cli {

struct StartPlan {
  wire::StartRequest request;
  std::string idempotency_key;
  bool wait = true;
  std::optional<Millis> timeout;  // of the waiting
};

class StartRun {
 public:
  StartRun(Session& session, StartPlan plan, Interrupts& interrupts, ProgressLine& progress);

  // The task once it is ready, or at once if the plan does not wait. Throws
  // - Interrupted, after the task was stopped,
  // - Error(not_ready) when the time is up (the task was stopped), or the agent's was,
  // - Error otherwise; where the task's fate is not known its hint says how to learn it.
  TaskAnswer run();

  // Follows a task that was there before: an interrupt or the timeout only ends the waiting.
  TaskAnswer join(TaskAnswer task);

 private:
  TaskAnswer admit();
  TaskAnswer await_ready(TaskAnswer answer, bool ours);
  std::optional<TaskAnswer> look(const std::string& task_id);
  [[noreturn]] void give_up(const Task& task, bool ours, bool interrupted);
  [[noreturn]] void report_failure(const TaskAnswer& answer, bool ours);

  Session& session_;
  const Clock& clock_;
  StartPlan plan_;
  Interrupts& interrupts_;
  ProgressLine& progress_;
  Millis begin_;
  std::optional<Millis> silent_since_;
};

}  // namespace resmgr::cli

#endif  // RESMGR_CLI_START_RUN_H_
