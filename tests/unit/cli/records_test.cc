#include "cli/records.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace resmgr::cli {
namespace {

using Values = std::vector<std::string>;

TEST(TsvLineTest, EscapesWhatSeparates) {
  EXPECT_EQ(tsv_line(Values{"a", "", "c"}), "a\t\tc\n");
  EXPECT_EQ(tsv_line(Values{"a\tb", "c\nd", "e\\f", "g\r"}), "a\\tb\tc\\nd\te\\\\f\tg\\r\n");
  EXPECT_EQ(tsv_line(Values{"\x1b[31mred"}), "?[31mred\n");
}

TEST(CsvLineTest, QuotesAsRfc4180Says) {
  EXPECT_EQ(csv_line(Values{"a", "", "c"}), "a,,c\r\n");
  EXPECT_EQ(csv_line(Values{"a,b", "say \"hi\"", "two\nlines", "cr\r"}),
            "\"a,b\",\"say \"\"hi\"\"\",\"two\nlines\",\"cr\r\"\r\n");
}

TEST(FormatFromTest, KnowsFour) {
  EXPECT_EQ(format_from("table"), Format::table);
  EXPECT_EQ(format_from("tsv"), Format::tsv);
  EXPECT_EQ(format_from("json"), Format::json);
  EXPECT_EQ(format_from("csv"), Format::csv);
  EXPECT_FALSE(format_from("JSON"));
  EXPECT_FALSE(format_from(""));
}

TEST(TableTest, AlignsByDisplayWidth) {
  Table table({{"NAME"}, {"PORT", true}, {"TITLE"}});
  table.add_row({{"hello"}, {"80"}, {"A"}});
  table.add_row({{"笔记本"}, {"49153"}, {"B"}});
  EXPECT_EQ(table.render(80, false),
            "NAME     PORT  TITLE\n"
            "hello      80  A\n"
            "笔记本  49153  B\n");
}

TEST(TableTest, LeavesEmptyColumnsOut) {
  Table table({{"A"}, {"B"}, {"C"}});
  table.add_row({{"1"}, {""}, {""}});
  table.add_row({{"2"}, {""}, {""}});
  EXPECT_EQ(table.render(80, false), "A\n1\n2\n");
}

TEST(TableTest, ShrinksTheRightmostFirst) {
  Table table({{"ID"}, {"USER", false, 4}, {"REASON", false, 6}});
  table.add_row({{"12"}, {"abcdefgh"}, {"because of something"}});
  EXPECT_EQ(table.render(24, false), "ID  USER      REASON\n12  abcdefgh  because o…\n");
  EXPECT_EQ(table.render(18, false), "ID  USER    REASON\n12  abcde…  becau…\n");
  EXPECT_EQ(table.render(5, false), "ID  USER  REASON\n12  abc…  becau…\n")
      << "never below what a column needs";
}

TEST(TableTest, ColoursOnlyWhenAsked) {
  Table table({{"S"}, {"T"}});
  table.add_row({{"Running", Style::good}, {"x"}});
  EXPECT_EQ(table.render(80, false), "S        T\nRunning  x\n");
  EXPECT_EQ(table.render(80, true),
            "\033[1mS\033[0m        \033[1mT\033[0m\n\033[32mRunning\033[0m  x\n");
}

TEST(TableTest, CellsCannotMoveTheCursor) {
  Table table({{"A"}, {"B"}});
  table.add_row({{"x\n\x1b[2J"}, {"y"}});
  EXPECT_EQ(table.render(80, false), "A       B\nx ?[2J  y\n");
}

}  // namespace
}  // namespace resmgr::cli
