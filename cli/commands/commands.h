// The commands. Each add_…() hangs one into the tree; parsing it sets what is to be run.
#ifndef RESMGR_CLI_COMMANDS_COMMANDS_H_
#define RESMGR_CLI_COMMANDS_COMMANDS_H_

#include <functional>

#include "cli/session.h"

namespace CLI {
class App;
}

namespace resmgr::cli {

struct Invocation {
  GlobalOptions globals;
  // Returns the exit code, or throws.
  std::function<int(Session&)> run;
};

void add_start(CLI::App& root, Invocation& invocation);
void add_stop(CLI::App& root, Invocation& invocation);
void add_list(CLI::App& root, Invocation& invocation);
void add_show(CLI::App& root, Invocation& invocation);
void add_logs(CLI::App& root, Invocation& invocation);
void add_extend(CLI::App& root, Invocation& invocation);
void add_why(CLI::App& root, Invocation& invocation);
void add_services(CLI::App& root, Invocation& invocation);
void add_status(CLI::App& root, Invocation& invocation);
void add_doctor(CLI::App& root, Invocation& invocation);
void add_images(CLI::App& root, Invocation& invocation);
void add_usage(CLI::App& root, Invocation& invocation);
void add_sync(CLI::App& root, Invocation& invocation);
void add_reconcile(CLI::App& root, Invocation& invocation);
void add_drain(CLI::App& root, Invocation& invocation);
void add_resume(CLI::App& root, Invocation& invocation);
void add_events(CLI::App& root, Invocation& invocation);
void add_token(CLI::App& root, Invocation& invocation);
void add_version(CLI::App& root, Invocation& invocation);

}  // namespace resmgr::cli

#endif  // RESMGR_CLI_COMMANDS_COMMANDS_H_
