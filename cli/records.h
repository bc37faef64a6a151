// Forms of output: tables for people, the others for programs.
#ifndef RESMGR_CLI_RECORDS_H_
#define RESMGR_CLI_RECORDS_H_

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/surroundings.h"
#include "cli/terminal.h"
#include "common/csv.h"

namespace resmgr::cli {

enum class Format { table, tsv, json, csv };
std::optional<Format> format_from(std::string_view name);

// A line of tab-separated values: '\', tab, line feed and carriage return in a value are written
// \\, \t, \n and \r; other control characters are replaced.
std::string tsv_line(std::span<const std::string> values);

enum class Style { plain, good, busy, bad, faint, heading };
std::string styled(std::string_view text, Style style, bool colourful);

struct Cell {
  std::string text;
  Style style = Style::plain;
};

// Rows under titles, as wide as what is in them. Text is made printable. Where the whole is wider
// than the terminal, the columns that may shrink do so, the rightmost first.
class Table {
 public:
  struct Column {
    std::string title;
    bool right_aligned = false;
    int least_width = 0;  // it may shrink to this; 0: it may not
  };
  explicit Table(std::vector<Column> columns);

  void add_row(std::vector<Cell> cells);  // as many as there are columns
  bool empty() const { return rows_.empty(); }
  // A column in which every cell is empty is left out.
  std::string render(int width, bool colourful) const;

 private:
  std::vector<int> fitting_widths(int width) const;

  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

}  // namespace resmgr::cli

#endif  // RESMGR_CLI_RECORDS_H_
