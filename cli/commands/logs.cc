#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "cli/arguments.h"
#include "cli/commands/commands.h"
#include "cli/exit_code.h"
#include "cli/task_finder.h"

namespace resmgr::cli {
namespace {

struct LogsOptions {
  std::string id;
  bool follow = false;
  int tail = -1;
  std::string since;
};

int run_logs(Session& session, const LogsOptions& options) {
  LogQuery query;
  query.follow = options.follow;
  if (options.tail >= 0) query.tail = options.tail;
  if (!options.since.empty()) {
    query.since = parse_since(options.since, "--since", session.surroundings().clock.now());
  }
  ApiClient& api = session.api();
  // Its bytes are the service's own and are passed through, whatever they are.
  api.logs(find_task_id(api, options.id), query, [&](std::string_view bytes) {
    session.out().write(bytes);
    if (options.follow) session.out().flush();
    return true;
  });
  return kDone;
}

constexpr char kLogsFooter[] = R"(
Prints what the service wrote to its standard output and error, byte for byte;
of an ended task the last 64 KiB.

Examples:
  resmgr logs 4f3a9c0d1e2f --tail 50
  resmgr logs 4f3a9c0d1e2f --follow --since 10m
)";

}  // namespace

void add_logs(CLI::App& root, Invocation& invocation) {
  const auto options = std::make_shared<LogsOptions>();
  CLI::App* const logs = root.add_subcommand("logs", "Print what a task's service wrote");
  logs->add_option("ID", options->id, "Task, or an unambiguous beginning or end of its id")
      ->type_name("")
      ->required();
  logs->add_flag("-f,--follow", options->follow, "Go on until the task ends");
  logs->add_option("--tail", options->tail, "Only the last N lines")
      ->type_name("N")
      ->check(CLI::Range(0, 1'000'000'000));
  logs->add_option("--since", options->since, "Only since, e.g. 10m or 2026-11-22T17:04:05Z")
      ->type_name("TIME");
  logs->footer(kLogsFooter);
  logs->callback([&invocation, options] {
    invocation.run = [options](Session& session) { return run_logs(session, *options); };
  });
}

}  // namespace resmgr::cli
