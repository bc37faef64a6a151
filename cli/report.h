// How errors look on standard error.
#ifndef RESMGR_CLI_REPORT_H_
#define RESMGR_CLI_REPORT_H_

#include "cli/terminal.h"
#include "common/error.h"

namespace resmgr::cli {

//   resmgr: cannot start 'jupyter': 2 tasks are the most that a user may have
//     /serviceType: …                    one line a fault of the request
//     task 0193…                         one line a task that is meant
//   Try: …
void print_error(TextStream& err, const Error& error);

}  // namespace resmgr::cli

#endif  // RESMGR_CLI_REPORT_H_
