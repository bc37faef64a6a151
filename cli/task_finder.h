// From what people type to a task.
#ifndef RESMGR_CLI_TASK_FINDER_H_
#define RESMGR_CLI_TASK_FINDER_H_

#include <string>
#include <string_view>
#include <vector>

#include "cli/api_client.h"
#include "cli/surroundings.h"

namespace resmgr::cli {

// The id of the task that `part` means: a whole id (taken as it is, the agent is not asked), or an
// unambiguous beginning or end of one, 4 digits or more. Throws Error(usage) for anything else,
// and with the candidates in task_ids where several fit; Error(not_found) where none does.
std::string find_task_id(ApiClient& api, std::string_view part);

// The ids among a command's arguments, as they were typed; for "-" those on standard input. The
// same one twice is one.
std::vector<std::string> named_tasks(const Surroundings& surroundings,
                                     const std::vector<std::string>& arguments);

}  // namespace resmgr::cli

#endif  // RESMGR_CLI_TASK_FINDER_H_
