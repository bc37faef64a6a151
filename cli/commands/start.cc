#include <CLI/CLI.hpp>
#include <array>
#include <memory>
#include <optional>
#include <string>

#include "cli/arguments.h"
#include "cli/commands/commands.h"
#include "cli/exit_code.h"
#include "cli/start_run.h"
#include "cli/task_view.h"
#include "cli/text.h"
#include "common/ids.h"
#include "common/time_format.h"

namespace resmgr::cli {
namespace {

struct StartOptions {
  std::string service;
  std::string user;
  bool if_not_running = false;
  bool no_wait = false;
  std::string timeout;
  bool quiet = false;
  std::string idempotency_key;
};

// The newest active task of this service that the caller, or --user, has.
std::optional<TaskAnswer> find_running(ApiClient& api, const StartOptions& options) {
  TaskQuery query;
  query.statuses = {TaskStatus::starting, TaskStatus::running};
  query.user_id = options.user.empty() ? kCallersOwn : parse_user(options.user);
  query.service_type = options.service;
  query.limit = 1;
  std::optional<std::string> id;
  api.tasks(query, [&](const Json& task) {
    id = string_or(task, "taskId");
    return false;
  });
  // Lists bear no URLs.
  return id ? std::optional(api.task(*id)) : std::nullopt;
}

void print_for_people(Session& session, const TaskAnswer& answer, Millis elapsed) {
  const Surroundings& around = session.surroundings();
  const Task& task = answer.task;
  std::string line =
      printable(task.service_type) + " " + std::string(short_id(task.task_id)) + " is " +
      styled(to_string(task.status), status_style(task.status), around.colourful(session.out()));
  if (task.status == TaskStatus::running) line += " after " + format_duration(elapsed);
  session.out().write(line + "\n");
  if (!answer.url.empty()) session.out().write(printable(answer.url) + "\n");
}

void print(Session& session, Format format, bool quiet, const TaskAnswer& answer, Millis elapsed) {
  TextStream& out = session.out();
  const std::array<std::string, 3> record = {
      answer.task.task_id, std::string(to_string(answer.task.status)), answer.url};
  if (quiet) {
    out.write(printable(answer.task.task_id) + "\n");
    return;
  }
  switch (format) {
    case Format::table:
      return print_for_people(session, answer, elapsed);
    case Format::tsv:
      return out.write(tsv_line(record));
    case Format::json:
      return out.write(dump_json(answer.body) + "\n");
    case Format::csv: {
      const std::array<std::string, 3> names = {"taskId", "status", "iframeUrl"};
      return out.write(csv_line(names) + csv_line(record));
    }
  }
}

int run_start(Session& session, const StartOptions& options) {
  StartPlan plan;
  plan.request.service_type = options.service;
  if (!options.user.empty()) plan.request.user_id = parse_user(options.user);
  plan.idempotency_key = options.idempotency_key.empty() ? random_hex(16) : options.idempotency_key;
  plan.wait = !options.no_wait;
  if (!options.timeout.empty()) plan.timeout = parse_length(options.timeout, "--timeout");

  const Format format = session.format();
  const Clock& clock = session.surroundings().clock;
  const Millis begin = clock.since_boot();
  const auto interrupts = session.surroundings().catch_interrupts();
  ProgressLine progress(session.surroundings(), !options.quiet);
  StartRun start(session, plan, *interrupts, progress);
  std::optional<TaskAnswer> found;
  if (options.if_not_running) found = find_running(session.api(), options);
  const TaskAnswer answer = found ? start.join(*std::move(found)) : start.run();
  progress.clear();
  print(session, format, options.quiet, answer, clock.since_boot() - begin);
  return kDone;
}

constexpr char kStartFooter[] = R"(
Prints the task's id and, as the last line, the URL at which a browser finds it.
In a pipe: one line of TSV, taskId status iframeUrl. Ctrl-C stops the task,
waits until that is done, and exits with 130; a second one exits at once.

Examples:
  resmgr start jupyter
  url=$(resmgr start jupyter | cut -f3)
  id=$(resmgr start jupyter --quiet --timeout 2m) || exit
  resmgr start jupyter --if-not-running --quiet
)";

}  // namespace

void add_start(CLI::App& root, Invocation& invocation) {
  const auto options = std::make_shared<StartOptions>();
  CLI::App* const start =
      root.add_subcommand("start", "Start a service, and wait until it is ready");
  start->add_option("SERVICE", options->service, "Name of the service (see resmgr services)")
      ->type_name("")
      ->required();
  start->add_option("-u,--user", options->user, "For this user, not the caller (admins)")
      ->type_name("UUID");
  start->add_flag("--if-not-running", options->if_not_running,
                  "Answer the user's active task of it, if any");
  start->add_flag("--no-wait", options->no_wait, "Do not wait until it is ready");
  start->add_option("--timeout", options->timeout, "Not ready by then: stop it, exit with 7")
      ->type_name("DURATION");
  start->add_flag("-q,--quiet", options->quiet, "Print the whole id only, and no progress");
  start
      ->add_option("--idempotency-key", options->idempotency_key,
                   "However often repeated, starts one task (24 h)")
      ->type_name("KEY");
  start->footer(kStartFooter);
  start->callback([&invocation, options] {
    invocation.run = [options](Session& session) { return run_start(session, *options); };
  });
}

}  // namespace resmgr::cli
