// `resmgr drain` and `resmgr resume`.
#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "cli/arguments.h"
#include "cli/commands/commands.h"
#include "cli/exit_code.h"
#include "cli/records.h"
#include "cli/task_list.h"
#include "cli/text.h"

namespace resmgr::cli {
namespace {

int run_drain(Session& session, const std::string& reason) {
  const Format format = session.format();
  Json answer = session.api().drain(reason);
  const std::string reason_now = string_or(answer, "drainReason");
  session.err().write("starts are refused" +
                      (reason_now.empty() ? "" : ": " + printable(reason_now)) + "\n");
  TaskQuery left;
  left.statuses = active_statuses();
  if (format == Format::json) {
    Json tasks = Json::array();
    session.api().tasks(left, [&](const Json& task) {
      tasks.push_back(task);
      return true;
    });
    answer["tasks"] = std::move(tasks);
    session.out().write(dump_json(answer) + "\n");
    return kDone;
  }
  TaskList list(session, format, false, false);
  session.api().tasks(left, [&](const Json& task) {
    list.add(task);
    return true;
  });
  list.end("no tasks are left");
  return kDone;
}

int run_resume(Session& session) {
  const Format format = session.format();
  const Json answer = session.api().resume();
  if (format == Format::json) session.out().write(dump_json(answer) + "\n");
  session.err().write("starts are accepted\n");
  return kDone;
}

constexpr char kDrainFooter[] = R"(
Prints the active tasks that are left, as 'resmgr list' does. Nothing is
stopped; that is 'resmgr stop --all'. It lasts until 'resmgr resume', also when
the agent is restarted. For admins.

Example, before maintenance:
  resmgr drain --reason 'new kernel at 14:00'
  resmgr stop --all
)";

}  // namespace

void add_drain(CLI::App& root, Invocation& invocation) {
  const auto reason = std::make_shared<std::string>();
  CLI::App* const drain = root.add_subcommand("drain", "Refuse starts, and show what is left");
  drain->add_option("--reason", *reason, "Told to those whose start is refused")->type_name("TEXT");
  drain->footer(kDrainFooter);
  drain->callback([&invocation, reason] {
    invocation.run = [reason](Session& session) { return run_drain(session, *reason); };
  });
}

void add_resume(CLI::App& root, Invocation& invocation) {
  CLI::App* const resume = root.add_subcommand("resume", "Accept starts again");
  resume->footer("\nFor admins.\n");
  resume->callback([&invocation] { invocation.run = run_resume; });
}

}  // namespace resmgr::cli
