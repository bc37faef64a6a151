// From a service of the catalog to the container that is made for one task.
#ifndef RESMGR_AGENT_TASKS_CONTAINER_SPEC_H_
#define RESMGR_AGENT_TASKS_CONTAINER_SPEC_H_

#include <string>
#include <string_view>
#include <vector>

#include "agent/catalog/catalog.h"
#include "agent/engine/engine.h"
#include "agent/journal/slot_row.h"
#include "agent/journal/task_row.h"
#include "agent/tasks/task_service.h"

namespace resmgr::tasks {

// The secret that a container's service asks of its visitors, {token}: lower-case hex HMAC-SHA-256
// of `id` with the agent's secret key. It is computed whenever it is wanted, and stored nowhere.
std::string secret_of(const TaskOptions& options, const std::string& id);
// From which a task's is made: that of its slot where it has a warm container, else its own id.
const std::string& secret_id(const journal::TaskRow& row);

// The container that is made for a task.
engine::ContainerSpec container_spec(const TaskOptions& options, const catalog::Service& service,
                                     const journal::TaskRow& row);
// One that is made before there is a task.
engine::ContainerSpec warm_spec(const TaskOptions& options, const catalog::Service& service,
                                const journal::SlotRow& slot);
// Hex SHA-256 of all that decides how that one is made: the definition, and the agent's settings.
std::string warm_hash(const TaskOptions& options, const catalog::Service& service);
// False: under the gateway that is configured its container has to know the task's own path.
bool can_be_warm(const TaskOptions& options, const catalog::Service& service);

// Where a browser finds the task, whose secret is `token`; empty if it publishes no port.
std::string task_url(const TaskOptions& options, const catalog::Service& service, const Task& task,
                     const std::string& token, int host_port);

// The path of a request as the container sees it: behind the gateway's base path where the service
// knows of that. `path` begins with '/'.
std::string path_in_container(const TaskOptions& options, const catalog::Service& service,
                              const std::string& task_id, std::string_view path);

// Where the gateway leads who comes in: path and query behind the base path, beginning with '/'.
std::string gateway_page(const TaskOptions& options, const catalog::Service& service,
                         const Task& task, const std::string& token);

// The Authorization header that the service asks of its visitors; may be empty.
std::string authorization_of(const catalog::Service& service, const Task& task,
                             const std::string& token);

// Names of the volumes that a task of this service has, with whether they outlive it.
std::vector<catalog::Volume> task_volumes(const catalog::Service& service, const Task& task);

}  // namespace resmgr::tasks

#endif  // RESMGR_AGENT_TASKS_CONTAINER_SPEC_H_
