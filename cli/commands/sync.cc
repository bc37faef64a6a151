#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "cli/choices.h"
#include "cli/commands/commands.h"
#include "cli/exit_code.h"
#include "cli/records.h"
#include "cli/text.h"
#include "common/ids.h"

namespace resmgr::cli {
namespace {

struct SyncOptions {
  std::string action;
  std::string sink;
};

const std::vector<std::string> kLetterColumns = {
    "seq", "taskId", "time", "type", "reason", "setAsideAt", "attempts", "retrying", "payload"};
const std::vector<std::string> kSinkColumns = {"name",        "state",     "lagEvents",
                                               "lagSeconds",  "lastError", "deadLetters",
                                               "lastSuccess", "pinsAfter"};

std::vector<std::string> record_of(const Json& object, const std::vector<std::string>& columns) {
  std::vector<std::string> record;
  for (const std::string& column : columns) {
    const auto member = object.find(column);
    const bool none = member == object.end() || member->is_null();
    record.push_back(none                  ? ""
                     : member->is_string() ? member->get<std::string>()
                                           : dump_json(*member));
  }
  return record;
}

// What follows for people is the sink's state, in a sentence.
void print_state(Session& session, const Json& sink) {
  std::string line = "sink " + string_or(sink, "name") + " is " + string_or(sink, "state") + ", " +
                     std::to_string(integer_or(sink, "lagEvents", 0)) + " events behind, " +
                     std::to_string(integer_or(sink, "deadLetters", 0)) + " dead letters";
  const std::string error = string_or(sink, "lastError");
  if (!error.empty()) line += ": " + error;
  session.out().write(printable(line) + "\n");
}

void print_letters_table(Session& session, const Json& letters, const std::string& sink) {
  if (letters.empty()) {
    session.err().write("no dead letters of " + printable(sink) + "\n");
    return;
  }
  Table table({{"SEQ", true}, {"TASK"}, {"TYPE"}, {"TRIES", true}, {"REASON", false, 20}});
  for (const Json& letter : letters) {
    const auto record = record_of(letter, kLetterColumns);
    table.add_row({{record[0]},
                   {std::string(short_id(record[1]))},
                   {record[3]},
                   {record[6]},
                   {record[4], Style::bad}});
  }
  TextStream& out = session.out();
  out.write(table.render(out.width(), session.surroundings().colourful(out)));
}

int show_dead(Session& session, const std::string& sink) {
  const Format format = session.format();
  const Json letters = session.api().dead_letters(sink);
  TextStream& out = session.out();
  switch (format) {
    case Format::table:
      print_letters_table(session, letters, sink);
      break;
    case Format::json:
      out.write(dump_json(letters) + "\n");
      break;
    case Format::csv:
      out.write(csv_line(kLetterColumns));
      for (const Json& letter : letters) out.write(csv_line(record_of(letter, kLetterColumns)));
      break;
    case Format::tsv:
      for (const Json& letter : letters) out.write(tsv_line(record_of(letter, kLetterColumns)));
      break;
  }
  return kDone;
}

int ask(Session& session, const SyncOptions& options) {
  const Format format = session.format();
  const bool retry = options.action == "retry";
  const Json sink = session.api().ask_sink(options.sink, retry ? "retry" : "sync");
  TextStream& out = session.out();
  switch (format) {
    case Format::table:
      if (retry) {
        out.write(std::to_string(integer_or(sink, "retrying", 0)) +
                  " dead letters are tried "
                  "again\n");
      }
      print_state(session, sink);
      break;
    case Format::json:
      out.write(dump_json(sink) + "\n");
      break;
    case Format::csv:
      out.write(csv_line(kSinkColumns));
      out.write(csv_line(record_of(sink, kSinkColumns)));
      break;
    case Format::tsv:
      out.write(tsv_line(record_of(sink, kSinkColumns)));
      break;
  }
  return kDone;
}

constexpr char kSyncFooter[] = R"(
  now        tries to deliver at once, whatever the wait after a failure
  retry      tries each event again that the destination had refused for good
  show-dead  lists these, with what was sent

'resmgr status' tells how each sink does. Columns of TSV and CSV: of show-dead
seq taskId time type reason setAsideAt attempts retrying payload, else name
state lagEvents lagSeconds lastError deadLetters lastSuccess pinsAfter. For
admins.

Example:
  resmgr sync show-dead postgres --output json | jq -r '.[].payload'
)";

}  // namespace

void add_sync(CLI::App& root, Invocation& invocation) {
  const auto options = std::make_shared<SyncOptions>();
  CLI::App* const sync =
      root.add_subcommand("sync", "Ask for what is to go to PostgreSQL and other destinations");
  sync->add_option("ACTION", options->action, "now, retry or show-dead")
      ->required()
      ->check(one_of({"now", "retry", "show-dead"}));
  sync->add_option("SINK", options->sink, "Name of the destination: postgres, blockchain")
      ->required();
  sync->footer(kSyncFooter);
  sync->callback([&invocation, options] {
    invocation.run = [options](Session& session) {
      return options->action == "show-dead" ? show_dead(session, options->sink)
                                            : ask(session, *options);
    };
  });
}

}  // namespace resmgr::cli
