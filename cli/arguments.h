// Values of options, checked.
#ifndef RESMGR_CLI_ARGUMENTS_H_
#define RESMGR_CLI_ARGUMENTS_H_

#include <string>
#include <string_view>
#include <vector>

#include "common/clock.h"
#include "common/task.h"

namespace resmgr::cli {

// All throw Error(usage) naming the option.

// How long ago ("2h", "3d", "1h30m"), an RFC 3339 time, or a day (its beginning, UTC).
Instant parse_since(std::string_view text, std::string_view option, Instant now);
Millis parse_length(std::string_view text, std::string_view option);
// Empty text stays empty.
std::string parse_user(std::string_view text);
// Names as the task object has them, any case, and "active".
std::vector<TaskStatus> parse_statuses(const std::vector<std::string>& names);

// The statuses of a task that holds its quota slot.
std::vector<TaskStatus> active_statuses();

}  // namespace resmgr::cli

#endif  // RESMGR_CLI_ARGUMENTS_H_
