#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "cli/commands/commands.h"
#include "cli/exit_code.h"
#include "cli/records.h"
#include "cli/text.h"
#include "common/ids.h"

namespace resmgr::cli {
namespace {

const std::vector<std::string> kColumns = {"class",   "taskId", "containerId", "containerName",
                                           "phase",   "status", "engine",      "action",
                                           "outcome", "reason"};

std::vector<std::string> difference_record(const Json& entry) {
  const Json& journal = object_at(entry, "journal");
  return {string_or(entry, "class"),       string_or(entry, "taskId"),
          string_or(entry, "containerId"), string_or(entry, "containerName"),
          string_or(journal, "phase"),     string_or(journal, "status"),
          string_or(entry, "engine"),      string_or(entry, "action"),
          string_or(entry, "outcome"),     string_or(entry, "reason")};
}

Style style_of(const std::string& outcome) {
  if (outcome == "done") return Style::good;
  if (outcome == "unknown") return Style::bad;
  return outcome == "left" ? Style::faint : Style::busy;
}

void print_table(Session& session, const Json& entries, bool dry_run) {
  constexpr std::size_t kShortId = 12;
  Table table({{"CLASS"},
               {"TASK"},
               {"CONTAINER"},
               {"JOURNAL"},
               {"ENGINE"},
               {dry_run ? "ACTION" : "OUTCOME"},
               {"REASON", false, 24}});
  for (const Json& entry : entries) {
    const auto record = difference_record(entry);
    const std::string& outcome = record[8];
    table.add_row({{record[0]},
                   {std::string(short_id(record[1]))},
                   {record[2].empty() ? record[3] : record[2].substr(0, kShortId)},
                   {record[4]},
                   {record[6]},
                   {dry_run ? record[7] : outcome, dry_run ? Style::plain : style_of(outcome)},
                   {record[9]}});
  }
  TextStream& out = session.out();
  out.write(table.render(out.width(), session.surroundings().colourful(out)));
}

bool is_unknown(const Json& entry) {
  return string_or(entry, "outcome") == "unknown" ||
         (string_or(entry, "outcome") == "planned" && string_or(entry, "class") == "unknown");
}

// Remarks stand beside the output, whatever its form: a script's log says why it failed.
void print_remarks(Session& session, const Json& answer, bool dry_run) {
  const Json& engine = object_at(answer, "engine");
  TextStream& err = session.err();
  if (!bool_or(engine, "reachable", true)) {
    const std::string cause = string_or(engine, "lastError");
    err.write("resmgr: the engine is away, nothing was done" +
              (cause.empty() ? "" : ": " + printable(cause)) + "\n");
    return;
  }
  const Json& entries = array_at(answer, "entries");
  if (entries.empty()) {
    err.write("journal and engine agree\n");
  } else if (dry_run) {
    err.write("nothing was done (--dry-run)\n");
  }
}

int run_reconcile(Session& session, bool dry_run) {
  const Format format = session.format();
  const Json answer = session.patient_api().reconcile(dry_run);
  const Json& entries = array_at(answer, "entries");
  TextStream& out = session.out();
  switch (format) {
    case Format::table:
      if (!entries.empty()) print_table(session, entries, dry_run);
      break;
    case Format::json:
      out.write(dump_json(answer) + "\n");
      break;
    case Format::csv:
      out.write(csv_line(kColumns));
      for (const Json& entry : entries) out.write(csv_line(difference_record(entry)));
      break;
    case Format::tsv:
      for (const Json& entry : entries) out.write(tsv_line(difference_record(entry)));
      break;
  }
  print_remarks(session, answer, dry_run);
  const bool reachable = bool_or(object_at(answer, "engine"), "reachable", true);
  const bool unknown = std::any_of(entries.begin(), entries.end(), is_unknown);
  return reachable && !unknown ? kDone : kFailed;
}

constexpr char kReconcileFooter[] = R"(
The agent does the same by itself, at its start, after each event of the engine
and once a minute. Classes:
  adopt    the engine has it, and the journal does not know it
  finish   a start or a stop is on record, and not done yet
  close    the journal takes it for alive, and its container is over
  remove   the task is over, or never ran, and something is left of it
  foreign  it bears the agent's labels and is not the agent's: left alone
  unknown  the engine does not say: nothing is done

Exits with 1 if anything stays unknown. For admins.

Columns of TSV and CSV: class taskId containerId containerName phase status
engine action outcome reason.
)";

}  // namespace

void add_reconcile(CLI::App& root, Invocation& invocation) {
  const auto dry_run = std::make_shared<bool>(false);
  CLI::App* const reconcile =
      root.add_subcommand("reconcile", "Compare journal and engine, and bring them together");
  reconcile->add_flag("--dry-run", *dry_run, "Show what would be done, and do nothing");
  reconcile->footer(kReconcileFooter);
  reconcile->callback([&invocation, dry_run] {
    invocation.run = [dry_run](Session& session) { return run_reconcile(session, *dry_run); };
  });
}

}  // namespace resmgr::cli
