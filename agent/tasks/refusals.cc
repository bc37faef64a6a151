#include "agent/tasks/refusals.h"

namespace resmgr::tasks {

Error no_such_task(const std::string& task_id) {
  return {ErrorKind::not_found, "cannot find task '" + task_id + "': there is none"};
}

Error unknown_service(const std::string& name, const catalog::Catalog& catalog) {
  std::string known;
  for (const auto& service : catalog.services()) {
    known += (known.empty() ? "" : ", ") + service.name;
  }
  Error error(ErrorKind::usage, "cannot start service '" + name + "': it is not in the catalog",
              known.empty() ? "ask the operator: the catalog is empty" : "one of: " + known);
  error.problem = "unknown-service";
  error.fields = {{"/serviceType", "no such service"}};
  return error;
}

Error engine_is_away(const std::string& reason) {
  Error error(ErrorKind::unavailable,
              "cannot start a task: the container engine is away: " + reason,
              "see that the engine runs, and ask again");
  error.problem = "engine-unavailable";
  return error;
}

}  // namespace resmgr::tasks
