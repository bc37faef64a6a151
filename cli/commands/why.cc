#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "cli/commands/commands.h"
#include "cli/exit_code.h"
#include "cli/flatten.h"
#include "cli/records.h"
#include "cli/task_finder.h"
#include "cli/task_view.h"
#include "cli/text.h"
#include "common/time_format.h"

namespace resmgr::cli {
namespace {

Style state_style(const std::string& state) {
  if (state == "busy") return Style::good;
  return state == "quiet" ? Style::faint : Style::busy;
}

std::string last_use_text(const Json& signal) {
  if (string_or(signal, "state") == "busy") return "now";
  const auto age = signal.find("ageSeconds");
  if (age == signal.end() || !age->is_number()) return {};
  // Whole seconds: it goes on while one looks.
  const std::chrono::seconds seconds(static_cast<long long>(age->get<double>()));
  return format_duration(seconds) + " ago";
}

std::string limit_line(const Json& limit, Instant now) {
  std::string line = string_or(limit, "outlook");
  if (const auto until = parse_rfc3339(string_or(limit, "extendedUntil"))) {
    line += " (extended until " + format_local_time(*until, now) + ")";
  }
  return line;
}

void print_for_people(Session& session, const Json& report) {
  TextStream& out = session.out();
  const Instant now = session.surroundings().clock.now();
  out.write("Task      " + printable(string_or(report, "taskId")) + "\n");
  out.write("Service   " + printable(string_or(report, "serviceType")) + "\n");
  out.write("Idle      " + printable(limit_line(object_at(report, "idle"), now)) + "\n");
  out.write("Lifetime  " + printable(limit_line(object_at(report, "lifetime"), now)) + "\n\n");
  Table table({{"SIGNAL"}, {"STATE"}, {"LAST USE", true}, {"DETAIL", false, 16}});
  for (const Json& signal : array_at(report, "signals")) {
    const std::string state = string_or(signal, "state");
    table.add_row({{string_or(signal, "name")},
                   {state, state_style(state)},
                   {last_use_text(signal)},
                   {string_or(signal, "detail")}});
  }
  out.write(table.render(out.width(), session.surroundings().colourful(out)));
}

int run_why(Session& session, const std::string& id) {
  const Format format = session.format();
  ApiClient& api = session.api();
  const Json report = api.why(find_task_id(api, id));
  TextStream& out = session.out();
  switch (format) {
    case Format::table:
      print_for_people(session, report);
      break;
    case Format::json:
      out.write(dump_json(report) + "\n");
      break;
    case Format::csv:
      out.write(csv_line(std::vector<std::string>{"member", "value"}));
      flatten(report, "", [&](const auto& member) { out.write(csv_line(member)); });
      break;
    case Format::tsv:
      flatten(report, "", [&](const auto& member) { out.write(tsv_line(member)); });
      break;
  }
  return kDone;
}

constexpr char kWhyFooter[] = R"(
Lists each signal of a running task's use and when it last showed any, and tells
when the task will be warned and stopped for being idle, or for its age. While a
signal is unknown the task counts as in use. In a pipe: one member a line, its
name, a tab, its value.

Examples:
  resmgr why 4f3a9c0d1e2f
  resmgr why 4f3a9c0d1e2f | awk -F '\t' '$1 == "idle.stopAt" { print $2 }'
)";

}  // namespace

void add_why(CLI::App& root, Invocation& invocation) {
  const auto id = std::make_shared<std::string>();
  CLI::App* const why =
      root.add_subcommand("why", "Show why a task goes on, and when it will be stopped");
  why->add_option("ID", *id, "Task, or an unambiguous beginning or end of its id")
      ->type_name("")
      ->required();
  why->footer(kWhyFooter);
  why->callback([&invocation, id] {
    invocation.run = [id](Session& session) { return run_why(session, *id); };
  });
}

}  // namespace resmgr::cli
