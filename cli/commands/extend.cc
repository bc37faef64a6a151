#include <CLI/CLI.hpp>
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/arguments.h"
#include "cli/commands/commands.h"
#include "cli/exit_code.h"
#include "cli/report.h"
#include "cli/task_finder.h"
#include "cli/task_view.h"
#include "common/error.h"
#include "common/ids.h"
#include "common/time_format.h"

namespace resmgr::cli {
namespace {

struct ExtendOptions {
  std::vector<std::string> ids;
  std::string by;
};

// "019…: not stopped for being idle before 17:04:05, nor for its age before 23:00:00"
std::string line_for_people(const TaskAnswer& answer, Instant now) {
  std::string line = "extended " + std::string(short_id(answer.task.task_id)) + ": not stopped ";
  const auto idle = parse_rfc3339(string_or(answer.body, "idleUntil"));
  const auto lifetime = parse_rfc3339(string_or(answer.body, "lifetimeUntil"));
  if (idle) line += "for being idle before " + format_local_time(*idle, now);
  if (idle && lifetime) line += ", nor ";
  if (lifetime) line += "for its age before " + format_local_time(*lifetime, now);
  return line + "\n";
}

std::vector<std::string> record_of(const TaskAnswer& answer) {
  return {answer.task.task_id, string_or(answer.body, "idleUntil"),
          string_or(answer.body, "lifetimeUntil")};
}

int run_extend(Session& session, const ExtendOptions& options) {
  const Millis by = parse_length(options.by, "--by");
  const Format format = session.format();
  ApiClient& api = session.api();
  TextStream& out = session.out();
  if (format == Format::csv) {
    out.write(csv_line(std::array<std::string, 3>{"taskId", "idleUntil", "lifetimeUntil"}));
  }
  Json all = Json::array();
  int code = kDone;
  for (const std::string& id : named_tasks(session.surroundings(), options.ids)) {
    try {
      const TaskAnswer answer = api.extend(find_task_id(api, id), by);
      if (format == Format::json) {
        all.push_back(answer.body);
      } else if (format == Format::table) {
        out.write(line_for_people(answer, session.surroundings().clock.now()));
      } else {
        const auto record = record_of(answer);
        out.write(format == Format::csv ? csv_line(record) : tsv_line(record));
      }
    } catch (const Error& error) {
      out.flush();
      print_error(session.err(), error);
      if (code == kDone) code = exit_code(error);
    }
  }
  if (format == Format::json) out.write(dump_json(all) + "\n");
  return code;
}

constexpr char kExtendFooter[] = R"(
Puts off when a running task is stopped for being idle, and when for its age, by
so much from where these times stand; more than once adds up. A warning that was
given is withdrawn. In a pipe: lines of TSV, taskId idleUntil lifetimeUntil; a
limit that the service does not have is empty.

Examples:
  resmgr extend 4f3a9c0d1e2f --by 1h
  resmgr list --quiet --service jupyter | resmgr extend - --by 2h30m
)";

}  // namespace

void add_extend(CLI::App& root, Invocation& invocation) {
  const auto options = std::make_shared<ExtendOptions>();
  CLI::App* const extend =
      root.add_subcommand("extend", "Put off when tasks are stopped for idleness or age");
  extend->add_option("ID", options->ids, "Tasks to extend; '-' reads ids from standard input")
      ->type_name("")
      ->required();
  extend->add_option("--by", options->by, "By how much: 30m, 1h, 1h30m")
      ->type_name("LENGTH")
      ->required();
  extend->footer(kExtendFooter);
  extend->callback([&invocation, options] {
    invocation.run = [options](Session& session) { return run_extend(session, *options); };
  });
}

}  // namespace resmgr::cli
