// Several stops at once.
#ifndef RESMGR_CLI_STOP_ALL_H_
#define RESMGR_CLI_STOP_ALL_H_

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cli/session.h"
#include "common/error.h"
#include "common/json.h"

namespace resmgr::cli {

struct Stopped {
  std::string id;                  // whole, or as it was given where it could not be found
  std::optional<Error> error;      // why it was not stopped
  std::optional<Millis> duration;  // how long it ran; empty: it never did
  Json answer;                     // the agent's
};

// Stops each of `ids` (whole or shortened), up to 8 at once. `on_end` is called for each as it
// ends, by one thread at a time. Returns the exit code of the first in `ids` that failed, or 0.
int stop_all(Session& session, const std::vector<std::string>& ids,
             const std::function<void(const Stopped&)>& on_end);

}  // namespace resmgr::cli

#endif  // RESMGR_CLI_STOP_ALL_H_
