#include <CLI/CLI.hpp>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "cli/arguments.h"
#include "cli/choices.h"
#include "cli/commands/commands.h"
#include "cli/exit_code.h"
#include "cli/records.h"
#include "cli/task_finder.h"
#include "cli/usage_check.h"
#include "cli/usage_report.h"
#include "common/ids.h"

namespace resmgr::cli {
namespace {

struct UsageOptions {
  std::string action;
  std::vector<std::string> by;
  std::string user;
  std::string since;
  std::string until;
  std::vector<std::string> tasks;
  std::vector<std::string> more_tasks;  // --task
};

const std::vector<std::string> kUsageColumns = {"taskId", "result",      "state", "usageHash",
                                                "txHash", "blockNumber", "detail"};

// Each trace of the tasks that are named, or of all that the caller may see.
void each_trace(Session& session, const UsageOptions& options,
                const std::function<void(const Json&)>& each) {
  std::vector<std::string> named = options.tasks;
  named.insert(named.end(), options.more_tasks.begin(), options.more_tasks.end());
  ApiClient& api = session.api();
  if (named.empty()) return api.usage_records(each);
  for (const std::string& part : named_tasks(session.surroundings(), named)) {
    each(api.usage_record(find_task_id(api, part)));
  }
}

std::string detail_of(const UsageVerdict& verdict) {
  std::string detail;
  for (const std::string& fault : verdict.faults) detail += (detail.empty() ? "" : "; ") + fault;
  return detail.empty() ? verdict.reason : detail;
}

std::vector<std::string> verdict_record(const UsageVerdict& verdict) {
  return {verdict.task_id,   verdict.good() ? "ok" : "wrong",
          verdict.state,     verdict.hash,
          verdict.tx_hash,   verdict.block_number,
          detail_of(verdict)};
}

Json verdict_json(const UsageVerdict& verdict) {
  Json json = Json::object();
  const auto record = verdict_record(verdict);
  for (std::size_t i = 0; i < kUsageColumns.size(); ++i) {
    json[kUsageColumns[i]] = record[i].empty() ? Json() : Json(record[i]);
  }
  return json;
}

// How many of them there are of each kind.
struct Counts {
  std::size_t all = 0;
  std::size_t wrong = 0;
  std::size_t posted = 0;
};

void print_verdicts(Session& session, Table& table, const Counts& counts) {
  TextStream& out = session.out();
  if (!table.empty()) out.write(table.render(out.width(), session.surroundings().colourful(out)));
  out.write(std::to_string(counts.all) + " usage records, " +
            std::to_string(counts.all - counts.wrong) + " as they should be, " +
            std::to_string(counts.posted) + " posted\n");
}

int verify(Session& session, const UsageOptions& options) {
  const Format format = session.format();
  TextStream& out = session.out();
  Counts counts;
  Json list = Json::array();
  Table table({{"TASK"}, {"RESULT"}, {"STATE"}, {"TRANSACTION", false, 12}, {"DETAIL", false, 20}});
  if (format == Format::csv) out.write(csv_line(kUsageColumns));
  each_trace(session, options, [&](const Json& trace) {
    const UsageVerdict verdict = check_usage(trace);
    ++counts.all;
    counts.wrong += verdict.good() ? 0 : 1;
    counts.posted += verdict.state == "posted" ? 1 : 0;
    if (format == Format::tsv) out.write(tsv_line(verdict_record(verdict)));
    if (format == Format::csv) out.write(csv_line(verdict_record(verdict)));
    if (format == Format::json) list.push_back(verdict_json(verdict));
    if (format != Format::table) return;
    const auto record = verdict_record(verdict);
    table.add_row({{std::string(short_id(record[0]))},
                   {record[1], verdict.good() ? Style::good : Style::bad},
                   {record[2]},
                   {record[4]},
                   {record[6]}});
  });
  if (format == Format::json) out.write(dump_json(list) + "\n");
  if (format == Format::table) print_verdicts(session, table, counts);
  return counts.wrong == 0 ? kDone : kFailed;
}

// One object a line, whatever the form of output: it is for programs.
int export_records(Session& session, const UsageOptions& options) {
  each_trace(session, options,
             [&](const Json& trace) { session.out().write(dump_json(trace) + "\n"); });
  return kDone;
}

int report(Session& session, const UsageOptions& options) {
  const Instant now = session.surroundings().clock.now();
  UsageReportOptions wanted{options.by, parse_user(options.user), {}, {}};
  if (!options.since.empty()) wanted.since = parse_since(options.since, "--since", now);
  if (!options.until.empty()) wanted.until = parse_since(options.until, "--until", now);
  return report_usage(session, wanted);
}

constexpr char kUsageFooter[] = R"(
  Without one of these it sums up what was used: how many tasks ran, for how
  long, with how much CPU time, and the most memory that one of them had.
  verify  computes the hash of each usage record anew, and compares it with what
          was posted and with the receipt; exit code 1 if any differs
  export  writes records with their hashes, one JSON object a line

Of the tasks that are named, else of all that you may see. A task's state is
posted (there is a receipt), adopted (the journal was restored, and PostgreSQL
knows the record that was made before), unanswered (it was sent, or is just about to be),
'set aside' (the service refused it, or it is held) or 'not posted'. Columns of
TSV and CSV: taskId result state usageHash txHash blockNumber detail.

What still runs counts up to now, what runs over midnight (UTC) on both days.
Columns of TSV and CSV of sums: what is summed up by (userId serviceType day
host), then tasks seconds cpuSeconds peakMemoryBytes.
Times: 2h, 3d, 2026-11-22 (UTC), 2026-11-22T17:04:05Z.

Examples:
  resmgr usage --by user,day --since 7d
  resmgr usage --by service --since 2026-11-01 --until 2026-12-01 --output csv
  resmgr usage verify
  resmgr usage export --task 4f3a9c0d1e2f | jq -cSj .record | sha256sum
)";

}  // namespace

void add_usage(CLI::App& root, Invocation& invocation) {
  const auto options = std::make_shared<UsageOptions>();
  CLI::App* const usage =
      root.add_subcommand("usage", "Sum up what was used; verify and export its records");
  usage->add_option("ACTION", options->action, "verify or export")
      ->check(one_of({"verify", "export"}));
  usage
      ->add_option("TASK", options->tasks,
                   "Tasks, or unambiguous beginnings or ends of their ids; - reads them")
      ->type_name("");
  usage->add_option("--task", options->more_tasks, "One of them, too")->type_name("ID");
  usage
      ->add_option("--by", options->by,
                   "Sum up by user, service, day or host, or several of them (comma-separated)")
      ->type_name("WHAT")
      ->check(such_as({"user", "service", "day", "host"}))
      ->delimiter(',')
      ->allow_extra_args(false);
  usage->add_option("-u,--user", options->user, "Only what this user used")->type_name("UUID");
  usage->add_option("--since", options->since, "From then on, e.g. 7d or 2026-11-01")
      ->type_name("TIME");
  usage->add_option("--until", options->until, "Up to then")->type_name("TIME");
  usage->footer(kUsageFooter);
  usage->callback([&invocation, options] {
    invocation.run = [options](Session& session) {
      if (options->action == "export") return export_records(session, *options);
      if (options->action == "verify") return verify(session, *options);
      return report(session, *options);
    };
  });
}

}  // namespace resmgr::cli
