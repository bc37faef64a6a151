#include <CLI/CLI.hpp>

#include "cli/commands/commands.h"
#include "cli/exit_code.h"
#include "common/version.h"

namespace resmgr::cli {

void add_version(CLI::App& root, Invocation& invocation) {
  root.add_subcommand("version", "Print this command's version")->callback([&invocation] {
    invocation.run = [](Session& session) {
      session.out().write("resmgr " + std::string(kVersion) + "\n");
      return kDone;
    };
  });
}

}  // namespace resmgr::cli
