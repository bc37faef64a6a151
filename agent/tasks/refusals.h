// What callers are told who ask for what there is not.
#ifndef RESMGR_AGENT_TASKS_REFUSALS_H_
#define RESMGR_AGENT_TASKS_REFUSALS_H_

#include <string>

#include "agent/catalog/catalog.h"
#include "common/error.h"

namespace resmgr::tasks {

Error no_such_task(const std::string& task_id);
// Names the services that there are.
Error unknown_service(const std::string& name, const catalog::Catalog& catalog);

// `reason` is what went wrong with it last.
Error engine_is_away(const std::string& reason);

}  // namespace resmgr::tasks

#endif  // RESMGR_AGENT_TASKS_REFUSALS_H_
