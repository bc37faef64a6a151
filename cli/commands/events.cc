#include <CLI/CLI.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/commands/commands.h"
#include "cli/exit_code.h"
#include "cli/records.h"
#include "cli/text.h"
#include "common/ids.h"

namespace resmgr::cli {
namespace {

struct EventsOptions {
  std::int64_t since = -1;
  bool follow = false;
};

// Columns as wide as what usually stands there: it is not known what comes.
std::string line_for_people(const std::vector<std::string>& record) {
  const auto padded = [](const std::string& text, int width) {
    const int blank = width - display_width(text);
    return text + std::string(static_cast<std::size_t>(std::max(1, blank)), ' ');
  };
  std::string line = padded(printable(record[0]), 8) + padded(printable(record[1]), 26) +
                     padded(printable(record[2]), 22) +
                     padded(std::string(short_id(printable(record[3]))), 14) +
                     padded(printable(record[4]), 10) + printable(record[5]);
  while (line.ends_with(' ')) line.pop_back();
  return line + "\n";
}

std::string event_line(const Json& event, Format format) {
  const Json& task = object_at(event, "task");
  const std::vector<std::string> record = {std::to_string(integer_or(event, "seq", 0)),
                                           string_or(event, "time"),
                                           string_or(event, "type"),
                                           string_or(event, "taskId"),
                                           string_or(task, "status"),
                                           string_or(task, "serviceType")};
  switch (format) {
    case Format::table:
      return line_for_people(record);
    case Format::csv:
      return csv_line(record);
    case Format::tsv:
    case Format::json:
      break;
  }
  return tsv_line(record);
}

int run_events(Session& session, const EventsOptions& options) {
  const Format format = session.format();
  TextStream& out = session.out();
  std::optional<JournalPosition> since;
  if (options.since >= 0) since = JournalPosition{{}, options.since};
  if (format == Format::csv) {
    out.write(csv_line(
        std::vector<std::string>{"seq", "time", "type", "taskId", "status", "serviceType"}));
  }
  const auto on_line = [&](std::string_view line) {
    out.write(format == Format::json ? std::string(line) + "\n"
                                     : event_line(parse_json(line, "event"), format));
    if (options.follow) out.flush();
    return true;
  };
  session.api().events(since, options.follow, [] {}, on_line, {});
  return kDone;
}

constexpr char kEventsFooter[] = R"(
Columns of TSV and CSV: seq time type taskId status serviceType. JSON is one
text a line.

Examples:
  resmgr events --since 0 --output json | jq -c 'select(.type == "task.ended")'
  resmgr events --follow
)";

}  // namespace

void add_events(CLI::App& root, Invocation& invocation) {
  const auto options = std::make_shared<EventsOptions>();
  CLI::App* const events = root.add_subcommand("events", "Print what happened to tasks");
  events->add_option("--since", options->since, "Only what came after this sequence number")
      ->type_name("SEQ")
      ->check(CLI::NonNegativeNumber);
  events->add_flag("-f,--follow", options->follow, "Go on with what happens from now on");
  events->footer(kEventsFooter);
  events->callback([&invocation, options] {
    invocation.run = [options](Session& session) { return run_events(session, *options); };
  });
}

}  // namespace resmgr::cli
