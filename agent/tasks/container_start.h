// Starting a container that is made, and waiting until its service answers: the same for a task's
// and for a warm one.
#ifndef RESMGR_AGENT_TASKS_CONTAINER_START_H_
#define RESMGR_AGENT_TASKS_CONTAINER_START_H_

#include <chrono>
#include <optional>
#include <string>

#include "agent/catalog/catalog.h"
#include "agent/engine/engine.h"
#include "agent/tasks/engine_session.h"
#include "agent/tasks/readiness.h"
#include "agent/tasks/task_service.h"
#include "common/clock.h"

namespace resmgr::tasks {

// One container's, over all its tries.
class ContainerStart {
 public:
  enum class Came {
    to_a_look,   // it runs, or it is gone: the engine knows
    to_nothing,  // it can't be started, see reason()
  };
  // Where other programs take its port the same container is started again, for the engine takes
  // another one each time: up to 64 times, or as often as the range has ports. A network that was
  // pruned is made again. Throws unavailable.
  Came attempt(engine::Engine& engine, EngineSession& session, const std::string& container_id,
               const std::string& port_range);

  int failed_tries() const { return failed_tries_; }
  const std::string& reason() const { return reason_; }

 private:
  int failed_tries_ = 0;
  std::string reason_;
};

// When to ask a service next whether it is ready: soon at first, for what is quick; then as seldom
// as it wants.
class ProbePace {
 public:
  // The first call is when it began.
  void begin();
  Millis lasted() const;
  Millis next(Millis interval);

 private:
  std::optional<std::chrono::steady_clock::time_point> since_;
  Millis delay_{0};
};

// Whether the service answers at its published port; true where there is nothing to ask. `id` is
// the task's or the slot's; `patience` as for answers().
bool is_ready(const TaskOptions& options, const catalog::Service& service, const std::string& id,
              int host_port, Millis patience = kUsualPatience);
// Why a start fails whose service did not.
std::string no_answer(const catalog::Service& service);

}  // namespace resmgr::tasks

#endif  // RESMGR_AGENT_TASKS_CONTAINER_START_H_
