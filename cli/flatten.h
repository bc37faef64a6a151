// An answer's members one by one, for scripts.
#ifndef RESMGR_CLI_FLATTEN_H_
#define RESMGR_CLI_FLATTEN_H_

#include <functional>
#include <string>
#include <vector>

#include "common/json.h"

namespace resmgr::cli {

// A string as it is, nothing for null, anything else as JSON.
std::string plain_text(const Json& value);

// Calls `each` with path and value of every member that holds no others: "engine.reachable",
// "true". Members of arrays are named by their number from 0; `name` stands before all.
void flatten(const Json& value, const std::string& name,
             const std::function<void(const std::vector<std::string>&)>& each);

}  // namespace resmgr::cli

#endif  // RESMGR_CLI_FLATTEN_H_
