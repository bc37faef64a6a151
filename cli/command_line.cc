#include "cli/command_line.h"

#include <string>
#include <utility>
#include <vector>

#include "cli/choices.h"
#include "common/version.h"

namespace resmgr::cli {
namespace {

constexpr char kDescription[] =
    "Starts containers for users through a resmgr agent, shows them and stops them.";

constexpr char kFooter[] = R"(
Output is a table on a terminal and TSV in a pipe. Ids may be shortened to any
unambiguous beginning or end of 4 digits or more.

The agent is the one that --agent, RESMGR_AGENT or the file of settings names,
else the socket in /run/resmgr, $XDG_RUNTIME_DIR/resmgr or /run/user/UID/resmgr.
A token, where one is needed, comes from --token-file, RESMGR_TOKEN,
RESMGR_TOKEN_FILE or the file of settings.

Exit codes:
  0  done                   4  not allowed             130  interrupted
  1  failed                 5  not found
  2  wrong usage            6  refused by a limit
  3  agent unreachable      7  not ready in time

Examples:
  resmgr services
  resmgr start jupyter
  resmgr list
  resmgr stop 4f3a9c0d1e2f

'resmgr COMMAND --help' tells more of each, and resmgr(1) all.
)";

constexpr char kCommandFooter[] = R"(
For every command: --agent, --token-file, --ca-file, --output (resmgr --help).
)";

// As the library's, with types as they were named, and no two blank lines together.
class HelpText final : public CLI::Formatter {
 public:
  HelpText() { column_width(28); }

  std::string make_option_opts(const CLI::Option* option) const override {
    // What follows the colon is how a validator describes itself.
    const std::string type = option->get_type_name();
    const std::string name = type.substr(0, type.find(':'));
    return name.empty() ? "" : " " + name;
  }

  std::string make_help(const CLI::App* app, std::string name,
                        CLI::AppFormatMode mode) const override {
    std::string text = CLI::Formatter::make_help(app, std::move(name), mode);
    std::size_t at = 0;
    while ((at = text.find("\n\n\n", at)) != std::string::npos) text.erase(at, 1);
    while (text.ends_with("\n\n")) text.pop_back();
    return text;
  }
};

[[noreturn]] void refuse_token() {
  throw Error(ErrorKind::usage,
              "cannot take a token from the command line: every user of this host could read it "
              "in the list of processes",
              "--token-file FILE, or RESMGR_TOKEN in the environment");
}

void add_globals(CLI::App& root, GlobalOptions& globals) {
  root.add_option("--agent", globals.agent, "https://HOST:PORT, or the path of a socket")
      ->type_name("URL|SOCKET");
  root.add_option("--token-file", globals.token_file, "File that holds the token")
      ->type_name("FILE");
  root.add_option("--ca-file", globals.ca_file, "Trust these authorities (PEM) for https")
      ->type_name("FILE");
  root.add_option("-o,--output", globals.output, "table, tsv, json or csv")
      ->type_name("FORM")
      ->check(one_of({"table", "tsv", "json", "csv"}));
  root.add_option_function<std::vector<std::string>>(
          "--token", [](const std::vector<std::string>&) { refuse_token(); })
      ->expected(0, -1)
      ->group("");
}

}  // namespace

std::unique_ptr<CLI::App> make_command_line(Invocation& invocation) {
  auto app = std::make_unique<CLI::App>(kDescription, "resmgr");
  CLI::App& root = *app;
  root.formatter(std::make_shared<HelpText>());
  root.set_help_flag("-h,--help", "Print this help");
  // At most one: a service may be called like a command.
  root.require_subcommand(0, 1);
  root.fallthrough();
  root.allow_extras();
  add_start(root, invocation);
  add_stop(root, invocation);
  add_list(root, invocation);
  add_show(root, invocation);
  add_logs(root, invocation);
  add_extend(root, invocation);
  add_why(root, invocation);
  add_services(root, invocation);
  add_status(root, invocation);
  add_doctor(root, invocation);
  add_images(root, invocation);
  add_usage(root, invocation);
  add_sync(root, invocation);
  add_reconcile(root, invocation);
  add_drain(root, invocation);
  add_resume(root, invocation);
  add_events(root, invocation);
  add_token(root, invocation);
  add_version(root, invocation);
  for (CLI::App* const command : root.get_subcommands([](CLI::App*) { return true; })) {
    command->footer(command->get_footer() + kCommandFooter);
  }
  // Commands inherit what stands before them.
  root.footer(kFooter);
  root.set_version_flag("--version", std::string("resmgr ") + kVersion, "Print the version");
  add_globals(root, invocation.globals);
  return app;
}

}  // namespace resmgr::cli
