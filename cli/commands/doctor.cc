#include <CLI/CLI.hpp>
#include <algorithm>
#include <string>
#include <vector>

#include "cli/commands/commands.h"
#include "cli/exit_code.h"
#include "cli/records.h"
#include "cli/text.h"

namespace resmgr::cli {
namespace {

const std::vector<std::string> kCheckColumns = {"state", "name", "destination", "text", "hint"};

std::vector<std::string> finding_record(const Json& check) {
  std::vector<std::string> record;
  for (const std::string& member : kCheckColumns) record.push_back(string_or(check, member));
  return record;
}

Style finding_style(const std::string& state) {
  if (state == "ok") return Style::good;
  if (state == "warning") return Style::busy;
  return state == "failed" ? Style::bad : Style::faint;
}

Json check_of_agent(const char* state, const std::string& where, const Json& text,
                    const Json& hint) {
  return {
      {"name", "agent"}, {"state", state}, {"destination", where}, {"text", text}, {"hint", hint}};
}

// An agent that does not answer is the first thing to be mended, and what there is to be said.
Json examine(Session& session) {
  Json checks = Json::array();
  std::string where;
  try {
    where = session.api().address().shown;
    const Json host = session.api().host();
    checks.push_back(
        check_of_agent("ok", where, "version " + string_or(host, "version") + " answers", nullptr));
    for (Json& check : session.api().host_checks()) checks.push_back(std::move(check));
  } catch (const AgentUnreachable& error) {
    checks.push_back(check_of_agent("failed", where, error.message(), error.hint()));
  }
  return checks;
}

void print_check_table(Session& session, const Json& checks) {
  TextStream& out = session.out();
  const bool colourful = session.surroundings().colourful(out);
  std::size_t widest = 0;
  for (const Json& check : checks) widest = std::max(widest, string_or(check, "name").size());
  for (const Json& check : checks) {
    const std::string state = string_or(check, "state");
    const std::string where = string_or(check, "destination");
    std::string text = printable(string_or(check, "text"));
    if (!where.empty()) text = printable(where) + (text.empty() ? "" : ": " + text);
    const auto padded = [](const std::string& word, std::size_t width) {
      return word + std::string(width - std::min(width, word.size()) + 2, ' ');
    };
    out.write(styled(padded(state, 7), finding_style(state), colourful) +
              padded(printable(string_or(check, "name")), widest) + text + "\n");
    const std::string hint = string_or(check, "hint");
    if (!hint.empty()) {
      out.write(std::string(9 + widest + 2, ' ') + "Try: " + printable(hint) + "\n");
    }
  }
}

int run_doctor(Session& session) {
  const Format format = session.format();
  const Json checks = examine(session);
  TextStream& out = session.out();
  switch (format) {
    case Format::table:
      print_check_table(session, checks);
      break;
    case Format::json:
      out.write(dump_json(checks) + "\n");
      break;
    case Format::csv:
      out.write(csv_line(kCheckColumns));
      for (const Json& check : checks) out.write(csv_line(finding_record(check)));
      break;
    case Format::tsv:
      for (const Json& check : checks) out.write(tsv_line(finding_record(check)));
      break;
  }
  const bool failed = std::any_of(checks.begin(), checks.end(), [](const Json& check) {
    return string_or(check, "state") == "failed";
  });
  return failed ? kFailed : kDone;
}

constexpr char kDoctorFooter[] = R"(
Looks at the agent, the engine, the images, the journal, disks, clock, ports,
the socket's group, public_url and each destination, changes nothing, and says
how to mend what is wrong. States: ok, warning (it works, and should be looked
at), failed, off (not configured). Exits with 1 if anything failed. For admins.

Columns of TSV and CSV: state name destination text hint.
)";

}  // namespace

void add_doctor(CLI::App& root, Invocation& invocation) {
  CLI::App* const doctor =
      root.add_subcommand("doctor", "Look for what is wrong, and say how to mend it");
  doctor->footer(kDoctorFooter);
  doctor->callback([&invocation] { invocation.run = run_doctor; });
}

}  // namespace resmgr::cli
