#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cli/commands/commands.h"
#include "cli/exit_code.h"
#include "cli/task_finder.h"
#include "cli/task_view.h"
#include "cli/text.h"
#include "common/time_format.h"

namespace resmgr::cli {
namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;

void print_fields(Session& session, const Fields& fields) {
  std::size_t width = 0;
  for (const auto& [name, value] : fields) {
    if (!value.empty()) width = std::max(width, name.size());
  }
  for (const auto& [name, value] : fields) {
    if (value.empty()) continue;
    session.out().write(name + std::string(width - name.size() + 2, ' ') + printable(value) + "\n");
  }
}

// "3.2s of CPU, 48 MiB of memory at most, 1.2 MiB received, 20 KiB sent"; empty: no sample.
std::string used_text(const Json& usage) {
  if (usage.empty()) return {};
  return format_duration(Millis{integer_or(usage, "cpuMs", 0)}) + " of CPU, " +
         format_size(integer_or(usage, "peakMemoryBytes", 0)) + " of memory at most, " +
         format_size(integer_or(usage, "networkRxBytes", 0)) + " received, " +
         format_size(integer_or(usage, "networkTxBytes", 0)) + " sent";
}

// "transaction 0x12… in block 7, of blockchain"; a service that names none is shown as it answered.
std::string receipt_text(const Json& task) {
  std::string text;
  for (const Json& receipt : array_at(task, "receipts")) {
    const auto member = [&](const char* name) {
      const Json value = receipt.value(name, Json());
      return value.is_string() ? value.get<std::string>() : value.is_null() ? "" : dump_json(value);
    };
    const std::string transaction = member("txHash");
    const std::string block = member("blockNumber");
    if (!text.empty()) text += "; ";
    text += transaction.empty() ? member("body") : "transaction " + transaction;
    if (!block.empty()) text += " in block " + block;
    text += ", of " + member("sink");
  }
  return text;
}

Fields fields_for_people(const TaskAnswer& answer, Instant now) {
  const Task& task = answer.task;
  const Json& user = object_at(answer.body, "user");
  const auto local = [&](const std::optional<Instant>& time) {
    return time ? format_local_time(*time, now) : std::string();
  };
  return {{"Task", task.task_id},
          {"Status", std::string(to_string(task.status))},
          {"Reason", task.status_reason},
          {"Service", task.service_type},
          {"User", task.user_id},
          {"Name", string_or(user, "fullName")},
          {"E-mail", string_or(user, "email")},
          {"URL", answer.url},
          {"Port", task.container_port == 0 ? "" : std::to_string(task.container_port)},
          {"Host", task.host},
          {"Container", task.container_id},
          {"Requested", local(task.created_at)},
          {"Started", local(task.start_time)},
          {"Stopped", local(task.stop_time)},
          {"Ran", format_run_time(task, now)},
          {"Used", used_text(object_at(answer.body, "usage"))},
          {"Exit code", task.exit_code ? std::to_string(*task.exit_code) : ""},
          {"Precision", task.stop_time ? std::string(to_string(task.precision)) : ""},
          {"Usage hash", task.usage_hash},
          {"Receipt", receipt_text(answer.body)}};
}

void print_for_people(Session& session, const TaskAnswer& answer) {
  const Instant now = session.surroundings().clock.now();
  print_fields(session, fields_for_people(answer, now));
  const Json& events = array_at(answer.body, "events");
  if (events.empty()) return;
  session.out().write("\n");
  Table table({{"SEQ", true}, {"TIME"}, {"EVENT"}, {"DETAILS", false, 10}});
  for (const Json& event : events) {
    const auto time = parse_rfc3339(string_or(event, "time"));
    const Json& details = object_at(event, "details");
    table.add_row({{std::to_string(integer_or(event, "seq", 0))},
                   {time ? format_local_time(*time, now) : ""},
                   {string_or(event, "type")},
                   {details.empty() ? "" : dump_json(details)}});
  }
  TextStream& out = session.out();
  out.write(table.render(out.width(), session.surroundings().colourful(out)));
}

int run_show(Session& session, const std::string& id) {
  const Format format = session.format();
  ApiClient& api = session.api();
  const TaskAnswer answer = api.task(find_task_id(api, id));
  std::vector<std::string> names = task_column_names();
  std::vector<std::string> record = task_record(answer.task);
  names.emplace_back("iframeUrl");
  record.push_back(answer.url);
  switch (format) {
    case Format::table:
      print_for_people(session, answer);
      break;
    case Format::json:
      session.out().write(dump_json(answer.body) + "\n");
      break;
    case Format::csv:
      session.out().write(csv_line(names) + csv_line(record));
      break;
    case Format::tsv:
      for (std::size_t i = 0; i < names.size(); ++i) {
        session.out().write(tsv_line(std::array<std::string, 2>{names[i], record[i]}));
      }
      break;
  }
  return kDone;
}

constexpr char kShowFooter[] = R"(
In a pipe: one member a line, its name, a tab and its value, in the order of the
columns of 'resmgr list', and iframeUrl after them.

Examples:
  resmgr show 4f3a9c0d1e2f
  resmgr show 4f3a9c0d1e2f | awk -F '\t' '$1 == "iframeUrl" { print $2 }'
)";

}  // namespace

void add_show(CLI::App& root, Invocation& invocation) {
  const auto id = std::make_shared<std::string>();
  CLI::App* const show = root.add_subcommand("show", "Show a task, its URL and its history");
  show->add_option("ID", *id, "Task, or an unambiguous beginning or end of its id")
      ->type_name("")
      ->required();
  show->footer(kShowFooter);
  show->callback([&invocation, id] {
    invocation.run = [id](Session& session) { return run_show(session, *id); };
  });
}

}  // namespace resmgr::cli
