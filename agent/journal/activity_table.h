// The table `task_activity`.
#ifndef RESMGR_AGENT_JOURNAL_ACTIVITY_TABLE_H_
#define RESMGR_AGENT_JOURNAL_ACTIVITY_TABLE_H_

#include <string_view>

#include "agent/journal/activity.h"
#include "agent/journal/database.h"

namespace resmgr::journal {

// Empty members where nothing is known.
Activity find_activity(Database& database, std::string_view task_id);

// Whether there is such a task and its end is not on record; else nothing is written. A counter
// never goes back: of two samples the greater value stays.
bool write_sample(Database& database, std::string_view task_id, const UsageSample& sample);

// As above; replaces both limits.
bool write_extension(Database& database, std::string_view task_id, const Activity& activity);

}  // namespace resmgr::journal

#endif  // RESMGR_AGENT_JOURNAL_ACTIVITY_TABLE_H_
