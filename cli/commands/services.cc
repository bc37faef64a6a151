#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "cli/commands/commands.h"
#include "cli/exit_code.h"
#include "cli/records.h"
#include "cli/text.h"

namespace resmgr::cli {
namespace {

std::vector<std::string> service_record(const Json& service) {
  const std::int64_t port = integer_or(service, "containerPort", 0);
  return {string_or(service, "name"), string_or(service, "title"),
          port == 0 ? "" : std::to_string(port), string_or(service, "description")};
}

void print_table(Session& session, const Json& services) {
  if (services.empty()) {
    session.err().write("no services (the agent's catalog is empty)\n");
    return;
  }
  Table table({{"SERVICE"}, {"TITLE", false, 10}, {"PORT", true}, {"DESCRIPTION", false, 16}});
  for (const Json& service : services) {
    const auto record = service_record(service);
    table.add_row({{record[0]}, {record[1]}, {record[2]}, {record[3]}});
  }
  TextStream& out = session.out();
  out.write(table.render(out.width(), session.surroundings().colourful(out)));
}

int run_services(Session& session, bool quiet) {
  const Format format = session.format();
  const Json services = session.api().services();
  TextStream& out = session.out();
  if (quiet) {
    for (const Json& service : services) out.write(printable(string_or(service, "name")) + "\n");
    return kDone;
  }
  switch (format) {
    case Format::table:
      print_table(session, services);
      break;
    case Format::json:
      out.write(dump_json(services) + "\n");
      break;
    case Format::csv:
      out.write(
          csv_line(std::vector<std::string>{"name", "title", "containerPort", "description"}));
      for (const Json& service : services) out.write(csv_line(service_record(service)));
      break;
    case Format::tsv:
      for (const Json& service : services) out.write(tsv_line(service_record(service)));
      break;
  }
  return kDone;
}

constexpr char kServicesFooter[] = R"(
Columns of TSV and CSV: name title containerPort description.
)";

}  // namespace

void add_services(CLI::App& root, Invocation& invocation) {
  const auto quiet = std::make_shared<bool>(false);
  CLI::App* const services = root.add_subcommand("services", "List the services one can start");
  services->add_flag("-q,--quiet", *quiet, "Names only, one a line");
  services->footer(kServicesFooter);
  services->callback([&invocation, quiet] {
    invocation.run = [quiet](Session& session) { return run_services(session, *quiet); };
  });
}

}  // namespace resmgr::cli
