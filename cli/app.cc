#include "cli/app.h"

#include <algorithm>

#include "cli/command_line.h"
#include "cli/completion.h"
#include "cli/exit_code.h"
#include "cli/report.h"
#include "cli/text.h"
#include "common/config.h"

namespace resmgr::cli {
namespace {

// The command that was typed, or the root.
const CLI::App& chosen(const CLI::App& root) {
  const auto commands = root.get_subcommands();
  return commands.empty() ? root : *commands.front();
}

std::string full_name(const CLI::App& root, const CLI::App& command) {
  return &command == &root ? "resmgr" : "resmgr " + command.get_name();
}

std::vector<std::string> known_options(const CLI::App& root, const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::App* app : {&root, &command}) {
    for (const CLI::Option* option : app->get_options()) {
      if (option->get_group().empty()) continue;
      for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    }
  }
  return names;
}

std::vector<std::string> known_commands(const CLI::App& root) {
  std::vector<std::string> names;
  for (const CLI::App* command : root.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(command->get_name());
  }
  return names;
}

// What was typed and means nothing, and perhaps what was meant.
[[noreturn]] void refuse_extra(const CLI::App& root, const std::string& extra) {
  const CLI::App& command = chosen(root);
  const std::string help = full_name(root, command) + " --help";
  if (extra.size() > 1 && extra.starts_with('-')) {
    const std::string name = extra.substr(0, extra.find('='));
    const std::string nearest = nearest_name(name, known_options(root, command));
    throw Error(
        ErrorKind::usage,
        "cannot run '" + full_name(root, command) + "': unknown option '" + printable(name) + "'",
        nearest.empty() ? help : nearest);
  }
  if (&command == &root) {
    const std::string nearest = nearest_name(extra, known_commands(root));
    throw Error(ErrorKind::usage, "cannot run '" + printable(extra) + "': there is no such command",
                nearest.empty() ? help : "resmgr " + nearest);
  }
  throw Error(ErrorKind::usage,
              "cannot run '" + full_name(root, command) + "': unexpected argument '" +
                  printable(extra) + "'",
              help);
}

// Prints help or the version and returns true, if that was asked for.
bool parse(CLI::App& root, std::vector<std::string> arguments, const Surroundings& surroundings) {
  std::reverse(arguments.begin(), arguments.end());
  try {
    root.parse(std::move(arguments));
  } catch (const CLI::CallForHelp&) {
    surroundings.out.write(root.help());
    return true;
  } catch (const CLI::CallForVersion& version) {
    surroundings.out.write(std::string(version.what()) + "\n");
    return true;
  } catch (const CLI::ParseError& fault) {
    throw Error(ErrorKind::usage,
                "cannot run '" + full_name(root, chosen(root)) + "': " + printable(fault.what()),
                full_name(root, chosen(root)) + " --help");
  }
  const auto extras = root.remaining(true);
  if (!extras.empty()) refuse_extra(root, extras.front());
  return false;
}

int run_checked(std::vector<std::string> arguments, const Surroundings& surroundings) {
  if (!arguments.empty() && arguments.front() == kCompleteCommand) {
    arguments.erase(arguments.begin());
    return run_completion(arguments, surroundings);
  }
  Invocation invocation;
  const auto root = make_command_line(invocation);
  if (parse(*root, std::move(arguments), surroundings)) return kDone;
  if (!invocation.run) {
    surroundings.err.write(root->help());
    return kUsage;
  }
  Session session(invocation.globals, surroundings);
  return invocation.run(session);
}

}  // namespace

int run(std::vector<std::string> arguments, const Surroundings& surroundings) {
  try {
    int code = kFailed;
    try {
      code = run_checked(std::move(arguments), surroundings);
    } catch (const Error& error) {
      // What was printed before it stands before it.
      surroundings.out.flush();
      print_error(surroundings.err, error);
      code = exit_code(error);
    }
    surroundings.out.flush();
    surroundings.err.flush();
    return code;
  } catch (const OutputClosed&) {
    return kDone;
  } catch (const Error& error) {
    // Standard output failed (a full disk), after all else had been done.
    print_error(surroundings.err, error);
    surroundings.err.flush();
    return exit_code(error);
  }
}

}  // namespace resmgr::cli
