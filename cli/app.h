// The command line: what was typed, carried out.
#ifndef RESMGR_CLI_APP_H_
#define RESMGR_CLI_APP_H_

#include <string>
#include <vector>

#include "cli/surroundings.h"

namespace resmgr::cli {

// `arguments` without the program's name. Returns the exit code; prints every error itself.
int run(std::vector<std::string> arguments, const Surroundings& surroundings);

}  // namespace resmgr::cli

#endif  // RESMGR_CLI_APP_H_
