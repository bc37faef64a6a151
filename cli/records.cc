#include "cli/records.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "cli/text.h"

namespace resmgr::cli {
namespace {

constexpr int kGap = 2;

std::string_view escape_sequence(Style style) {
  switch (style) {
    case Style::plain:
      return {};
    case Style::good:
      return "\033[32m";
    case Style::busy:
      return "\033[33m";
    case Style::bad:
      return "\033[31m";
    case Style::faint:
      return "\033[2m";
    case Style::heading:
      return "\033[1m";
  }
  return {};
}

std::string padding(int columns) {
  return std::string(static_cast<std::size_t>(std::max(0, columns)), ' ');
}

}  // namespace

std::optional<Format> format_from(std::string_view name) {
  if (name == "table") return Format::table;
  if (name == "tsv") return Format::tsv;
  if (name == "json") return Format::json;
  if (name == "csv") return Format::csv;
  return std::nullopt;
}

std::string tsv_line(std::span<const std::string> values) {
  std::string line;
  for (const std::string_view value : values) {
    if (value.data() != values.front().data()) line += '\t';
    std::size_t kept = 0;
    for (std::size_t at = value.find_first_of("\\\t\n\r"); at != std::string_view::npos;
         at = value.find_first_of("\\\t\n\r", kept)) {
      line += printable(value.substr(kept, at - kept));
      const char c = value[at];
      line += c == '\\' ? "\\\\" : c == '\t' ? "\\t" : c == '\n' ? "\\n" : "\\r";
      kept = at + 1;
    }
    line += printable(value.substr(kept));
  }
  return line + '\n';
}

std::string styled(std::string_view text, Style style, bool colourful) {
  const std::string_view begin = escape_sequence(style);
  if (!colourful || begin.empty() || text.empty()) return std::string(text);
  return std::string(begin) + std::string(text) + "\033[0m";
}

Table::Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

void Table::add_row(std::vector<Cell> cells) {
  for (Cell& cell : cells) cell.text = printable(cell.text);
  cells.resize(columns_.size());
  rows_.push_back(std::move(cells));
}

std::vector<int> Table::fitting_widths(int width) const {
  std::vector<int> widths(columns_.size(), 0);
  int whole = -kGap;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    for (const auto& row : rows_) widths[i] = std::max(widths[i], display_width(row[i].text));
    if (widths[i] == 0) continue;
    widths[i] = std::max(widths[i], display_width(columns_[i].title));
    whole += widths[i] + kGap;
  }
  for (std::size_t i = columns_.size(); i-- > 0 && whole > width;) {
    const int least = columns_[i].least_width;
    if (least == 0 || widths[i] <= least) continue;
    const int narrowed = std::max(least, widths[i] - (whole - width));
    whole -= widths[i] - narrowed;
    widths[i] = narrowed;
  }
  return widths;
}

std::string Table::render(int width, bool colourful) const {
  const std::vector<int> widths = fitting_widths(width);
  const std::size_t last = [&] {
    std::size_t i = widths.size();
    while (i > 0 && widths[i - 1] == 0) --i;
    return i;
  }();
  std::string text;
  const auto add_line = [&](const auto& cell_at) {
    for (std::size_t i = 0; i < last; ++i) {
      if (widths[i] == 0) continue;
      const Cell cell = cell_at(i);
      const std::string shown = shorten(cell.text, widths[i]);
      const std::string blank = padding(widths[i] - display_width(shown));
      if (columns_[i].right_aligned) text += blank;
      text += styled(shown, cell.style, colourful);
      if (i + 1 == last) break;
      if (!columns_[i].right_aligned) text += blank;
      text += padding(kGap);
    }
    while (text.ends_with(' ')) text.pop_back();
    text += '\n';
  };
  add_line([&](std::size_t i) { return Cell{columns_[i].title, Style::heading}; });
  for (const auto& row : rows_) add_line([&](std::size_t i) { return row[i]; });
  return text;
}

}  // namespace resmgr::cli
