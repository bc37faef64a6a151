// What was used, summed up by the agent and shown here.
#ifndef RESMGR_CLI_USAGE_REPORT_H_
#define RESMGR_CLI_USAGE_REPORT_H_

#include <optional>
#include <string>
#include <vector>

#include "cli/session.h"
#include "common/clock.h"

namespace resmgr::cli {

struct UsageReportOptions {
  std::vector<std::string> by;  // of user, service, day and host, in the order of the columns
  std::string user;             // empty: all that the caller may see; "me": the caller's own
  std::optional<Instant> since;
  std::optional<Instant> until;
};

// Returns the exit code. Throws Error(usage) for a name in `by` that is none of those.
int report_usage(Session& session, const UsageReportOptions& options);

}  // namespace resmgr::cli

#endif  // RESMGR_CLI_USAGE_REPORT_H_
