// Pages of tasks, newest first, each a walk down one index (or two, merged) from where the page
// begins: a page costs what its rows cost, wherever it is and whatever else the table holds.
#ifndef RESMGR_AGENT_JOURNAL_TASK_LIST_H_
#define RESMGR_AGENT_JOURNAL_TASK_LIST_H_

#include <string>
#include <string_view>
#include <vector>

#include "agent/journal/database.h"
#include "agent/journal/journal.h"

namespace resmgr::journal {

// What the ids of that millisecond begin with: the first 48 bits of a UUIDv7 are its Unix time in
// milliseconds (RFC 9562, section 5.7). Before and beyond what fits there is no id.
std::string id_floor(Instant time);

// Reader::tasks().
std::vector<TaskRow> list_tasks(Database& database, const TaskFilter& filter, int limit,
                                std::string_view before);

}  // namespace resmgr::journal

#endif  // RESMGR_AGENT_JOURNAL_TASK_LIST_H_
