// The tree of commands and options.
#ifndef RESMGR_CLI_COMMAND_LINE_H_
#define RESMGR_CLI_COMMAND_LINE_H_

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/commands/commands.h"

namespace resmgr::cli {

// What is parsed goes into `invocation`, which must outlive the tree. Arguments that mean nothing
// are left in remaining(true).
std::unique_ptr<CLI::App> make_command_line(Invocation& invocation);

}  // namespace resmgr::cli

#endif  // RESMGR_CLI_COMMAND_LINE_H_
