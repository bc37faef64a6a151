// Pages of tasks, newest first, each a walk down one index (or two, merged) from where the page
// begins: a page costs what its rows cost, wherever it is and whatever else the table holds.
#ifndef RESMGR_AGENT_JOURNAL_TASK_LIST_H_
#define RESMGR_AGENT_JOURNAL_TASK_LIST_H_

#include <string_view>
#include <vector>

#include "agent/journal/database.h"
#include "agent/journal/journal.h"

namespace resmgr::journal {

// Reader::tasks().
std::vector<TaskRow> list_tasks(Database& database, const TaskFilter& filter, int limit,
                                std::string_view before);

}  // namespace resmgr::journal

#endif  // RESMGR_AGENT_JOURNAL_TASK_LIST_H_
