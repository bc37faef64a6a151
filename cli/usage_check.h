// Whether a usage record, what was posted of it and what was answered belong together.
#ifndef RESMGR_CLI_USAGE_CHECK_H_
#define RESMGR_CLI_USAGE_CHECK_H_

#include <string>
#include <vector>

#include "common/json.h"

namespace resmgr::cli {

struct UsageVerdict {
  std::string task_id;
  std::string hash;   // that the agent names
  std::string state;  // "posted", "adopted", "unanswered", "set aside" or "not posted"
  std::string tx_hash;
  std::string block_number;
  std::string reason;               // why it was set aside, or what was adopted
  std::vector<std::string> faults;  // empty: all agrees

  bool good() const { return faults.empty(); }
};

// Of what GET /api/tasks/{id}/usage-record answers. The hash is computed here, of the record as it
// is there. Pure.
UsageVerdict check_usage(const Json& trace);

}  // namespace resmgr::cli

#endif  // RESMGR_CLI_USAGE_CHECK_H_
