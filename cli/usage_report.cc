#include "cli/usage_report.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "cli/exit_code.h"
#include "cli/records.h"
#include "cli/text.h"
#include "common/error.h"
#include "common/time_format.h"

namespace resmgr::cli {
namespace {

struct Dimension {
  std::string_view name;
  const char* member;
  const char* title;
};
constexpr std::array kDimensions = {
    Dimension{"user", "userId", "USER"}, Dimension{"service", "serviceType", "SERVICE"},
    Dimension{"day", "day", "DAY"}, Dimension{"host", "host", "HOST"}};

const std::vector<std::string> kSums = {"tasks", "seconds", "cpuSeconds", "peakMemoryBytes"};

constexpr int kBarWidth = 20;

const Dimension& dimension_of(const std::string& name) {
  const auto* const found = std::ranges::find(kDimensions, name, &Dimension::name);
  if (found != kDimensions.end()) return *found;
  throw Error(ErrorKind::usage, "cannot sum up by '" + printable(name) + "': there is no such way",
              "user, service, day or host, or several of them with commas");
}

std::string text_of(const Json& sum, const std::string& member) {
  const auto found = sum.find(member);
  if (found == sum.end() || found->is_null()) return "";
  return found->is_string() ? found->get<std::string>() : dump_json(*found);
}

std::vector<std::string> record_of_sum(const Json& sum, const std::vector<std::string>& columns) {
  std::vector<std::string> record;
  for (const std::string& column : columns) record.push_back(text_of(sum, column));
  return record;
}

double number_of(const Json& sum, const char* member) {
  const auto found = sum.find(member);
  return found != sum.end() && found->is_number() ? found->get<double>() : 0;
}

// Whole seconds are enough for people.
std::string time_text(double seconds) {
  const std::chrono::seconds whole{std::llround(seconds)};
  return whole.count() == 0 ? "0s" : format_duration(whole);
}

// In eighths of a character, as many as the part of the greatest.
std::string bar_of(double value, double greatest) {
  constexpr std::array kEighths = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  if (greatest <= 0 || value <= 0) return "";
  const int eighths = std::max(1, static_cast<int>(std::lround(value / greatest * kBarWidth * 8)));
  std::string bar;
  for (int i = 0; i < eighths / 8; ++i) bar += "█";
  return bar + kEighths.at(static_cast<std::size_t>(eighths % 8));
}

void print_table(Session& session, const Json& sums, const std::vector<Dimension>& by) {
  if (sums.empty()) {
    session.err().write("nothing was used\n");
    return;
  }
  double greatest = 0;
  for (const Json& sum : sums) greatest = std::max(greatest, number_of(sum, "seconds"));
  std::vector<Table::Column> columns;
  for (const Dimension& dimension : by) columns.push_back({dimension.title, false, 8});
  columns.insert(
      columns.end(),
      {{"TASKS", true}, {"TIME", true}, {"CPU", true}, {"PEAK MEMORY", true}, {"", false, 1}});
  Table table(std::move(columns));
  for (const Json& sum : sums) {
    std::vector<Cell> cells;
    for (const Dimension& dimension : by) cells.push_back({text_of(sum, dimension.member)});
    cells.push_back({text_of(sum, "tasks")});
    cells.push_back({time_text(number_of(sum, "seconds"))});
    cells.push_back({time_text(number_of(sum, "cpuSeconds"))});
    cells.push_back({format_size(integer_or(sum, "peakMemoryBytes", 0))});
    const bool to_people = session.out().is_terminal() && sums.size() > 1;
    cells.push_back({to_people ? bar_of(number_of(sum, "seconds"), greatest) : "", Style::faint});
    table.add_row(std::move(cells));
  }
  TextStream& out = session.out();
  out.write(table.render(out.width(), session.surroundings().colourful(out)));
}

}  // namespace

int report_usage(Session& session, const UsageReportOptions& options) {
  std::vector<Dimension> by;
  for (const Dimension& dimension : kDimensions) {
    if (std::ranges::find(options.by, dimension.name) != options.by.end()) by.push_back(dimension);
  }
  for (const std::string& name : options.by) dimension_of(name);
  std::string groups;
  std::vector<std::string> columns;
  for (const Dimension& dimension : by) {
    groups.append(groups.empty() ? "" : ",").append(dimension.name);
    columns.emplace_back(dimension.member);
  }
  columns.insert(columns.end(), kSums.begin(), kSums.end());
  const Format format = session.format();
  const Json sums = session.api().usage({groups, options.user, options.since, options.until});
  TextStream& out = session.out();
  switch (format) {
    case Format::table:
      print_table(session, sums, by);
      break;
    case Format::json:
      out.write(dump_json(sums) + "\n");
      break;
    case Format::csv:
      out.write(csv_line(columns));
      for (const Json& sum : sums) out.write(csv_line(record_of_sum(sum, columns)));
      break;
    case Format::tsv:
      for (const Json& sum : sums) out.write(tsv_line(record_of_sum(sum, columns)));
      break;
  }
  return kDone;
}

}  // namespace resmgr::cli
