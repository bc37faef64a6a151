// From a service of the catalog to the container that is made for one task.
#ifndef RESMGR_AGENT_TASKS_CONTAINER_SPEC_H_
#define RESMGR_AGENT_TASKS_CONTAINER_SPEC_H_

#include <string>
#include <string_view>
#include <vector>

#include "agent/catalog/catalog.h"
#include "agent/engine/engine.h"
#include "agent/journal/task_row.h"
#include "agent/tasks/task_service.h"

namespace resmgr::tasks {

// The secret that a task's service asks of its visitors: lower-case hex HMAC-SHA-256 of the task
// id with the agent's secret key. It is computed whenever it is wanted, and stored nowhere.
std::string task_secret(const TaskOptions& options, const std::string& task_id);

engine::ContainerSpec container_spec(const TaskOptions& options, const catalog::Service& service,
                                     const journal::TaskRow& row);

// Where a browser finds the task; empty if it publishes no port.
std::string task_url(const TaskOptions& options, const catalog::Service& service, const Task& task,
                     int host_port);

// The path of a request as the container sees it: behind the gateway's base path where the service
// knows of that. `path` begins with '/'.
std::string path_in_container(const TaskOptions& options, const catalog::Service& service,
                              const std::string& task_id, std::string_view path);

// Where the gateway leads who comes in: path and query behind the base path, beginning with '/'.
std::string gateway_page(const TaskOptions& options, const catalog::Service& service,
                         const Task& task);

// The Authorization header that the service asks of its visitors; may be empty.
std::string authorization_of(const TaskOptions& options, const catalog::Service& service,
                             const Task& task);

// Names of the volumes that a task of this service has, with whether they outlive it.
std::vector<catalog::Volume> task_volumes(const catalog::Service& service, const Task& task);

}  // namespace resmgr::tasks

#endif  // RESMGR_AGENT_TASKS_CONTAINER_SPEC_H_
