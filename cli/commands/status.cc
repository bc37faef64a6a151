#include <CLI/CLI.hpp>
#include <string>
#include <utility>
#include <vector>

#include "cli/commands/commands.h"
#include "cli/exit_code.h"
#include "cli/flatten.h"
#include "cli/records.h"
#include "cli/task_view.h"
#include "cli/text.h"
#include "common/time_format.h"

namespace resmgr::cli {
namespace {

std::string agent_line(const Json& host, Instant now) {
  std::string line = string_or(host, "version") + " on " + string_or(host, "name");
  if (const auto started = parse_rfc3339(string_or(host, "startedAt"))) {
    line += ", since " + format_local_time(*started, now);
  }
  return line;
}

std::pair<std::string, Style> engine_line(const Json& engine) {
  if (!bool_or(engine, "reachable", false)) {
    const std::string cause = string_or(engine, "lastError");
    return {"away" + (cause.empty() ? "" : ": " + cause), Style::bad};
  }
  return {"version " + string_or(engine, "version") + ", API " + string_or(engine, "apiVersion"),
          Style::good};
}

std::pair<std::string, Style> journal_line(const Json& journal) {
  const std::string events = std::to_string(integer_or(journal, "head", 0)) + " events";
  if (bool_or(journal, "writable", true)) return {events, Style::good};
  return {"can't be written; " + events, Style::bad};
}

std::string tasks_line(const Json& counts) {
  std::string line;
  for (const char* const status : {"starting", "running", "stopping", "stopped", "error"}) {
    line += (line.empty() ? "" : ", ") + std::to_string(integer_or(counts, status, 0)) + " " +
            (std::string_view(status) == "error" ? "failed" : status);
  }
  return line;
}

std::string draining_line(const Json& host, Instant now) {
  std::string line = "starts are refused";
  if (const auto since = parse_rfc3339(string_or(host, "drainedAt"))) {
    line += " since " + format_local_time(*since, now);
  }
  const std::string reason = string_or(host, "drainReason");
  return reason.empty() ? line : line + ": " + reason;
}

std::string listen_line(const Json& addresses) {
  std::string line;
  for (const Json& address : addresses) line += (line.empty() ? "" : ", ") + plain_text(address);
  return line;
}

std::pair<std::string, Style> sink_line(const Json& sink, Instant now) {
  const std::string state = string_or(sink, "state");
  std::string line = string_or(sink, "name") + " " + state;
  const std::int64_t lag = integer_or(sink, "lagEvents", 0);
  if (lag > 0) {
    const auto seconds = sink.value("lagSeconds", Json(0));
    const Millis age{
        static_cast<std::int64_t>(seconds.is_number() ? seconds.get<double>() * 1'000 : 0)};
    line += ", " + std::to_string(lag) + " events behind (" + format_duration(age) +
            "), which are kept";
  }
  if (const auto last = parse_rfc3339(string_or(sink, "lastSuccess"))) {
    line += ", last success " + format_local_time(*last, now);
  }
  if (const std::int64_t letters = integer_or(sink, "deadLetters", 0); letters > 0) {
    line += ", " + std::to_string(letters) + " dead letters";
  }
  for (const auto& [member, word] : {std::pair{"lastError", ": "}, std::pair{"hint", "; try: "}}) {
    const std::string text = string_or(sink, member);
    if (!text.empty()) line += word + text;
  }
  const bool down = state == "failing" || state == "refusing";
  return {line, down ? Style::bad : state == "current" ? Style::good : Style::busy};
}

std::pair<std::string, Style> pool_line(const Json& pool) {
  const std::int64_t ready = integer_or(pool, "ready", 0);
  const std::int64_t wanted = integer_or(pool, "wanted", 0);
  std::string line = string_or(pool, "service") + " " + std::to_string(ready) + " of " +
                     std::to_string(wanted) + " ready";
  if (const std::int64_t filling = integer_or(pool, "filling", 0); filling > 0) {
    line += ", " + std::to_string(filling) + " being made";
  }
  const std::int64_t hits = integer_or(pool, "hits", 0);
  const std::int64_t starts = hits + integer_or(pool, "misses", 0);
  if (starts > 0) {
    line += ", given to " + std::to_string(hits) + " of " + std::to_string(starts) + " starts";
  }
  if (const Json seconds = pool.value("refillSeconds", Json()); seconds.is_number()) {
    const Millis took{static_cast<Millis::rep>(seconds.get<double>() * 1'000)};
    line += ", made within " + format_duration(took);
  }
  const std::string problem = string_or(pool, "problem");
  if (!problem.empty()) return {line + ": " + problem, Style::bad};
  return {line, ready >= wanted ? Style::good : Style::busy};
}

void print_for_people(Session& session, const Json& host) {
  TextStream& out = session.out();
  const bool colourful = session.surroundings().colourful(out);
  const auto add = [&](std::string_view name, std::string_view value, Style style = Style::plain) {
    std::string label(name);
    label.resize(11, ' ');
    out.write(label + styled(printable(value), style, colourful) + "\n");
  };
  add("Agent", agent_line(host, session.surroundings().clock.now()));
  add("Id", string_or(host, "agentId"));
  const auto [engine, engine_style] = engine_line(object_at(host, "engine"));
  add("Engine", engine, engine_style);
  const auto [journal, journal_style] = journal_line(object_at(host, "journal"));
  add("Journal", journal, journal_style);
  add("Tasks", tasks_line(object_at(host, "tasks")));
  if (bool_or(host, "draining", false)) {
    add("Draining", draining_line(host, session.surroundings().clock.now()), Style::busy);
  }
  const Json& catalog = object_at(host, "catalog");
  add("Catalog", std::to_string(integer_or(catalog, "services", 0)) + " services");
  for (const Json& fault : array_at(catalog, "faults")) {
    add("", string_or(fault, "where") + ": " + string_or(fault, "what"), Style::bad);
  }
  for (const Json& pool : array_at(host, "pools")) {
    const auto [line, style] = pool_line(pool);
    add("Warm", line, style);
  }
  add("Listens on", listen_line(array_at(host, "listen")));
  for (const Json& sink : array_at(host, "sinks")) {
    const auto [line, style] = sink_line(sink, session.surroundings().clock.now());
    add("Sink", line, style);
  }
}

int run_status(Session& session) {
  const Format format = session.format();
  const Json host = session.api().host();
  TextStream& out = session.out();
  switch (format) {
    case Format::table:
      print_for_people(session, host);
      break;
    case Format::json:
      out.write(dump_json(host) + "\n");
      break;
    case Format::csv:
      out.write(csv_line(std::vector<std::string>{"member", "value"}));
      flatten(host, "", [&](const auto& member) { out.write(csv_line(member)); });
      break;
    case Format::tsv:
      flatten(host, "", [&](const auto& member) { out.write(tsv_line(member)); });
      break;
  }
  const bool works = bool_or(object_at(host, "engine"), "reachable", true) &&
                     bool_or(object_at(host, "journal"), "writable", true);
  return works ? kDone : kFailed;
}

constexpr char kStatusFooter[] = R"(
Exits with 1 if the agent answers but can't work: the engine is away, or its
journal can't be written. In a pipe: one member a line, its name, a tab, its
value. For admins.

Example:
  resmgr status | awk -F '\t' '$1 == "engine.reachable" { print $2 }'
)";

}  // namespace

void add_status(CLI::App& root, Invocation& invocation) {
  CLI::App* const status = root.add_subcommand("status", "Show how the agent does");
  status->footer(kStatusFooter);
  status->callback([&invocation] { invocation.run = run_status; });
}

}  // namespace resmgr::cli
