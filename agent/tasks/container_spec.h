// From a service of the catalog to the container that is made for one task.
#ifndef RESMGR_AGENT_TASKS_CONTAINER_SPEC_H_
#define RESMGR_AGENT_TASKS_CONTAINER_SPEC_H_

#include <string>

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

// Names of the volumes that a task of this service has, with whether they outlive it.
std::vector<catalog::Volume> task_volumes(const catalog::Service& service, const Task& task);

}  // namespace resmgr::tasks

#endif  // RESMGR_AGENT_TASKS_CONTAINER_SPEC_H_
