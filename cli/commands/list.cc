#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "cli/arguments.h"
#include "cli/choices.h"
#include "cli/commands/commands.h"
#include "cli/exit_code.h"
#include "cli/task_list.h"
#include "cli/watch.h"

namespace resmgr::cli {
namespace {

struct ListOptions {
  bool all = false;
  std::string user;
  std::string service;
  std::vector<std::string> statuses;
  std::string since;
  int limit = 0;
  bool quiet = false;
  bool watch = false;
};

TaskQuery query_of(const ListOptions& options, Instant now) {
  TaskQuery query;
  query.statuses = parse_statuses(options.statuses);
  if (options.statuses.empty() && !options.all) query.statuses = active_statuses();
  query.user_id = parse_user(options.user);
  query.service_type = options.service;
  if (!options.since.empty()) query.from = parse_since(options.since, "--since", now);
  if (options.limit > 0) query.limit = options.limit;
  return query;
}

int run_list(Session& session, const ListOptions& options) {
  const TaskQuery query = query_of(options, session.surroundings().clock.now());
  const Format format = session.format();
  if (options.watch) return watch_tasks(session, query, format, options.quiet);
  TaskList list(session, format, options.quiet, false);
  session.api().tasks(query, [&](const Json& task) {
    list.add(task);
    return true;
  });
  list.end(options.all ? "no tasks" : "no active tasks (--all shows ended ones too)");
  return kDone;
}

constexpr char kListFooter[] = R"(
Statuses: Starting, Running, Stopping (these are active), Stopped, Error.
Times: 2h, 3d, 2026-11-22 (UTC), 2026-11-22T17:04:05Z.

Columns of TSV (no header) and CSV (with header), in this order:
  taskId status serviceType userId containerPort createdAt startTime stopTime
  durationSeconds host containerId exitCode statusReason
New columns are added at the end only. JSON is the agent's own array.

Examples:
  resmgr list
  resmgr list --all --since 2d
  resmgr list --output json | jq -r '.[].taskId'
  resmgr stop $(resmgr list -q --service jupyter)
)";

}  // namespace

void add_list(CLI::App& root, Invocation& invocation) {
  const auto options = std::make_shared<ListOptions>();
  CLI::App* const list = root.add_subcommand("list", "List tasks: the active ones, or all");
  list->alias("ls");
  list->add_flag("-a,--all", options->all, "Ended tasks too");
  list->add_option("-u,--user", options->user, "Only the tasks of this user")->type_name("UUID");
  list->add_option("-s,--service", options->service, "Only tasks of this service")
      ->type_name("NAME");
  list->add_option("--status", options->statuses, "Only these (comma-separated)")
      ->type_name("STATUS")
      ->check(such_as({"Starting", "Running", "Stopping", "Stopped", "Error", "active"}))
      ->delimiter(',')
      ->allow_extra_args(false);
  list->add_option("--since", options->since, "Only tasks requested since, e.g. 2h or 2026-11-22")
      ->type_name("TIME");
  list->add_option("-n,--limit", options->limit, "Only the newest N")
      ->type_name("N")
      ->check(CLI::Range(1, 1'000'000'000));
  list->add_flag("-q,--quiet", options->quiet, "Whole ids only, one a line");
  list->add_flag("-w,--watch", options->watch, "Follow changes; in a pipe, a line for each");
  list->footer(kListFooter);
  list->callback([&invocation, options] {
    invocation.run = [options](Session& session) { return run_list(session, *options); };
  });
}

}  // namespace resmgr::cli
