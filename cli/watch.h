// `resmgr list --watch`.
#ifndef RESMGR_CLI_WATCH_H_
#define RESMGR_CLI_WATCH_H_

#include "cli/api_client.h"
#include "cli/records.h"
#include "cli/session.h"

namespace resmgr::cli {

// Runs until the output is closed or the process is ended. On a terminal the table is drawn again
// at each change and once a second; otherwise what there is is printed, and then a task for each
// change of it (its end too, whatever statuses are asked for). An agent that goes away is waited
// for; the first answer must come.
int watch_tasks(Session& session, const TaskQuery& query, Format format, bool ids_only);

}  // namespace resmgr::cli

#endif  // RESMGR_CLI_WATCH_H_
