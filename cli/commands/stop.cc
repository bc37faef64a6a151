#include <CLI/CLI.hpp>
#include <array>
#include <memory>
#include <string>
#include <vector>

#include "cli/arguments.h"
#include "cli/commands/commands.h"
#include "cli/exit_code.h"
#include "cli/report.h"
#include "cli/stop_all.h"
#include "cli/task_finder.h"
#include "cli/task_view.h"
#include "cli/text.h"
#include "common/ids.h"
#include "common/time_format.h"

namespace resmgr::cli {
namespace {

struct StopOptions {
  std::vector<std::string> ids;
  bool all = false;
  std::string user;
  std::string service;
  bool quiet = false;

  bool selects() const { return all || !user.empty() || !service.empty(); }
};

std::vector<std::string> selected_tasks(ApiClient& api, const StopOptions& options) {
  TaskQuery query;
  query.statuses = active_statuses();
  query.user_id = parse_user(options.user);
  query.service_type = options.service;
  std::vector<std::string> ids;
  api.tasks(query, [&](const Json& task) {
    ids.push_back(string_or(task, "taskId"));
    return true;
  });
  return ids;
}

void check(const StopOptions& options) {
  if (!options.ids.empty() && options.selects()) {
    throw Error(ErrorKind::usage,
                "cannot stop tasks: ids and --all, --user or --service exclude each other",
                "resmgr stop --help");
  }
  if (options.ids.empty() && !options.selects()) {
    throw Error(ErrorKind::usage, "cannot stop tasks: none is named",
                "resmgr stop ID, resmgr stop --all, or ids on standard input with resmgr stop -");
  }
}

class StopReport {
 public:
  StopReport(Session& session, Format format, bool quiet)
      : session_(session), format_(format), quiet_(quiet) {
    const std::array<std::string, 3> names = {"taskId", "status", "durationSeconds"};
    if (format == Format::csv && !quiet) session.out().write(csv_line(names));
  }

  // In the order in which they end, as they end.
  void add(const Stopped& task) {
    if (task.error) {
      print_error(session_.err(), *task.error);
      session_.err().flush();
    }
    if (quiet_) return;
    TextStream& out = session_.out();
    if (format_ == Format::json) {
      json_.push_back(as_json(task));
    } else if (!task.error && format_ == Format::table) {
      out.write("stopped " + std::string(short_id(task.id)) +
                (task.duration > Millis{0} ? " after " + format_duration(*task.duration) : "") +
                "\n");
      out.flush();
    } else if (!task.error) {
      const std::array<std::string, 3> record = {
          task.id, "Stopped", task.duration ? format_seconds(*task.duration) : ""};
      out.write(format_ == Format::csv ? csv_line(record) : tsv_line(record));
      out.flush();
    }
  }

  void end() {
    if (format_ == Format::json && !quiet_) session_.out().write(dump_json(json_) + "\n");
  }

 private:
  static Json as_json(const Stopped& task) {
    Json object = task.answer.is_object() ? task.answer : Json::object();
    object["taskId"] = task.id;
    object["success"] = !task.error;
    if (task.error) object["error"] = task.error->message();
    return object;
  }

  Session& session_;
  Format format_;
  bool quiet_;
  Json json_ = Json::array();
};

int run_stop(Session& session, const StopOptions& options) {
  check(options);
  const Format format = session.format();
  const std::vector<std::string> ids = options.selects()
                                           ? selected_tasks(session.api(), options)
                                           : named_tasks(session.surroundings(), options.ids);
  StopReport report(session, format, options.quiet);
  const int code =
      ids.empty() ? kDone : stop_all(session, ids, [&](const Stopped& one) { report.add(one); });
  report.end();
  return code;
}

constexpr char kStopFooter[] = R"(
An ID may be shortened to any unambiguous beginning or end of 4 digits or more.
Each task is stopped and its container removed; the service has its stop timeout
to end. Several are stopped at once; after a failure the others go on, and the
exit code is that of the first ID that failed. In a pipe: lines of TSV, taskId
status durationSeconds.

Examples:
  resmgr stop 4f3a9c0d1e2f
  resmgr stop --all --user 0b5e8a7c-7f0e-4f4e-9d55-0c6c1f7a2b11
  resmgr list --quiet --service jupyter | resmgr stop -
)";

}  // namespace

void add_stop(CLI::App& root, Invocation& invocation) {
  const auto options = std::make_shared<StopOptions>();
  CLI::App* const stop = root.add_subcommand("stop", "Stop tasks and remove their containers");
  stop->add_option("ID", options->ids, "Tasks to stop; '-' reads ids from standard input")
      ->type_name("");
  stop->add_flag("-a,--all", options->all, "All active tasks (of --user, of --service)");
  stop->add_option("-u,--user", options->user, "The active tasks of this user")->type_name("UUID");
  stop->add_option("-s,--service", options->service, "The active tasks of this service")
      ->type_name("NAME");
  stop->add_flag("-q,--quiet", options->quiet, "Print failures only");
  stop->footer(kStopFooter);
  stop->callback([&invocation, options] {
    invocation.run = [options](Session& session) { return run_stop(session, *options); };
  });
}

}  // namespace resmgr::cli
