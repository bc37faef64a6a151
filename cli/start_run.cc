#include "cli/start_run.h"

#include <algorithm>
#include <utility>

#include "cli/exit_code.h"
#include "cli/text.h"
#include "common/ids.h"
#include "common/time_format.h"

namespace resmgr::cli {
namespace {

// How long an agent that fell silent is waited for: it may be restarting, and what it admitted it
// finishes after that.
constexpr Millis kPatience{30'000};
constexpr Millis kLastTries{5'000};  // after an interrupt, to learn what there is to undo
constexpr Millis kRetry{250};

// An eighth of the time that has passed: the waiting grows by that at most, and a slow start costs
// the agent few questions.
Millis until_next_look(Millis elapsed) { return std::clamp(elapsed / 8, Millis{4}, Millis{250}); }

std::string quoted_id(const Task& task) { return "'" + std::string(short_id(task.task_id)) + "'"; }

}  // namespace

StartRun::StartRun(Session& session, StartPlan plan, Interrupts& interrupts, ProgressLine& progress)
    : session_(session),
      clock_(session.surroundings().clock),
      plan_(std::move(plan)),
      interrupts_(interrupts),
      progress_(progress),
      begin_(clock_.since_boot()) {}

TaskAnswer StartRun::run() {
  if (interrupts_.wait_for(Millis{0})) {
    throw Interrupted("cannot start '" + plan_.request.service_type + "': interrupted");
  }
  TaskAnswer answer = admit();
  const std::string& id = answer.task.task_id;
  interrupts_.set_last_words("\nresmgr: task " + id + " may still run\nTry: resmgr stop " + id +
                             "\n");
  if (!plan_.wait) {
    if (interrupts_.wait_for(Millis{0})) give_up(answer.task, true, true);
    return answer;
  }
  return await_ready(std::move(answer), true);
}

TaskAnswer StartRun::join(TaskAnswer task) {
  interrupts_.set_last_words("\n");
  return plan_.wait ? await_ready(std::move(task), false) : task;
}

TaskAnswer StartRun::admit() {
  interrupts_.set_last_words("\nresmgr: the start may have been accepted\nTry: resmgr list\n");
  progress_.show(plan_.request.service_type + ": asking the agent");
  std::optional<Millis> lost_at;
  for (;;) {
    try {
      return session_.api().start(plan_.request, plan_.idempotency_key, Answer::at_once);
    } catch (const AgentUnreachable& lost) {
      // Without a connection nothing was asked for.
      if (!lost_at && !lost.may_have_been_sent) throw;
      const Millis now = clock_.since_boot();
      if (!lost_at) lost_at = now;
      const bool interrupted = interrupts_.wait_for(kRetry);
      if (now - *lost_at < (interrupted ? kLastTries : kPatience)) {
        if (interrupted) session_.surroundings().sleep(kRetry);
        continue;
      }
      const std::string message = lost.message() + "; the start may have been accepted";
      const std::string hint = "the same command with --idempotency-key " + plan_.idempotency_key +
                               ", which does not start a second one";
      if (interrupted) throw Interrupted(message, hint);
      throw AgentUnreachable(message, hint);
    }
  }
}

TaskAnswer StartRun::await_ready(TaskAnswer answer, bool ours) {
  for (;;) {
    const TaskStatus status = answer.task.status;
    if (status == TaskStatus::running) return answer;
    if (!is_active(status)) report_failure(answer, ours);
    progress_.show(answer.task.service_type + ": " + start_phase(answer.body));

    const Millis elapsed = clock_.since_boot() - begin_;
    Millis wait = until_next_look(elapsed);
    if (plan_.timeout) {
      if (elapsed >= *plan_.timeout) give_up(answer.task, ours, false);
      wait = std::min(wait, *plan_.timeout - elapsed);
    }
    if (interrupts_.wait_for(wait)) give_up(answer.task, ours, true);
    if (auto fresh = look(answer.task.task_id)) answer = *std::move(fresh);
  }
}

std::optional<TaskAnswer> StartRun::look(const std::string& task_id) {
  try {
    TaskAnswer answer = session_.api().task(task_id);
    silent_since_.reset();
    return answer;
  } catch (const AgentUnreachable& lost) {
    const Millis now = clock_.since_boot();
    if (!silent_since_) silent_since_ = now;
    if (now - *silent_since_ < kPatience) return std::nullopt;
    throw AgentUnreachable(lost.message() + "; it finishes the start when it is back",
                           "resmgr show " + task_id);
  }
}

void StartRun::give_up(const Task& task, bool ours, bool interrupted) {
  const std::string what = "cannot start '" + task.service_type + "': ";
  const std::string cause =
      interrupted ? "interrupted" : "not ready within " + format_duration(*plan_.timeout);
  std::string fate = "; task " + quoted_id(task) + " goes on";
  std::string hint = interrupted ? "" : "a longer --timeout";
  if (ours) {
    progress_.show(task.service_type + ": stopping (press Ctrl-C again to leave it)");
    try {
      session_.patient_api().stop(task.task_id);
      fate = "; task " + quoted_id(task) + " was stopped";
    } catch (const Error& error) {
      fate = "; task " + task.task_id + " may still run: " + error.message();
      hint = "resmgr stop " + task.task_id;
    }
  }
  progress_.clear();
  if (interrupted) throw Interrupted(what + cause + fate, hint);
  throw Error(ErrorKind::not_ready, what + cause + fate, hint);
}

void StartRun::report_failure(const TaskAnswer& answer, bool ours) {
  const Task& task = answer.task;
  const std::string hint = "resmgr logs " + std::string(short_id(task.task_id));
  if (ours && task.status == TaskStatus::error) {
    try {
      // The agent answers a repeated start with what became of the first.
      session_.api().start(plan_.request, plan_.idempotency_key, Answer::when_ready);
    } catch (const AgentUnreachable&) {
      throw;
    } catch (const Error& refusal) {
      throw Error(refusal.kind(), refusal.message(),
                  refusal.hint().empty() ? hint : refusal.hint());
    }
  }
  const std::string reason =
      task.status_reason.empty() ? "it was stopped before it was ready" : task.status_reason;
  throw Error(ErrorKind::rejected, "cannot start '" + task.service_type + "': " + printable(reason),
              hint);
}

}  // namespace resmgr::cli
