// Where a running task is found just now: by browsers, by the gateway, and by the agent's own
// probe.
#ifndef RESMGR_AGENT_TASKS_WHEREABOUTS_H_
#define RESMGR_AGENT_TASKS_WHEREABOUTS_H_

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "agent/catalog/catalog.h"
#include "agent/tasks/engine_session.h"
#include "agent/tasks/jupyter_probe.h"
#include "agent/tasks/lifecycle.h"
#include "agent/tasks/task_service.h"
#include "common/clock.h"

namespace resmgr::tasks {

// What a gateway needs to know to bring a visitor to a task.
struct Door {
  std::string upstream;       // "127.0.0.1:32768"
  std::string authorization;  // value of the header that the service asks of visitors; may be empty
  bool keeps_base_path = false;  // it wants to see the base path in requests
  std::vector<std::string> frame_ancestors;
};

// Thread-safe.
class Whereabouts {
 public:
  struct Parts {
    const TaskOptions& options;
    const Clock& clock;
    const EngineSession& session;
    Lifecycle& lifecycle;
    std::function<std::shared_ptr<const catalog::Catalog>()> catalog;
  };
  explicit Whereabouts(Parts parts) : parts_(std::move(parts)) {}

  // As TaskService has them.
  std::optional<std::string> url(const Task& task, bool may_block);
  std::optional<Door> door(const Task& task, bool may_block);
  std::string page(const Task& task) const;

  JupyterLook ask_jupyter(const Task& task, std::stop_token stop);

 private:
  enum class Known { yes, not_yet, no };
  struct Port {
    Known known = Known::no;
    int number = 0;
    std::string secret_id;  // see there; if known
  };
  Port port_of(const Task& task, bool may_block);
  std::string token(const std::string& secret_id) const;

  const Parts parts_;
};

}  // namespace resmgr::tasks

#endif  // RESMGR_AGENT_TASKS_WHEREABOUTS_H_
