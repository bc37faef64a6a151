// The manual page tells of the commands and options that there are, and of no others; the
// completions of none.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <regex>
#include <set>
#include <string>

#include "cli/command_line.h"
#include "cli/completion.h"
#include "cli/task_view.h"
#include "tests/support/subprocess.h"

namespace resmgr::cli {
namespace {

using ::testing::HasSubstr;
using Names = std::set<std::string>;

std::string file(const std::string& name) {
  std::string text = support::read_file(std::string(RESMGR_SOURCE_DIR) + "/" + name);
  EXPECT_FALSE(text.empty()) << name;
  return text;
}

Names matches(const std::string& text, const std::string& pattern) {
  Names found;
  const std::regex regex(pattern);
  for (std::sregex_iterator at(text.begin(), text.end(), regex), end; at != end; ++at) {
    found.insert((*at)[1]);
  }
  return found;
}

Names options_of(const CLI::App& app) {
  Names names;
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_group().empty()) continue;
    for (const std::string& name : option->get_lnames()) names.insert("--" + name);
  }
  names.erase("--help");
  return names;
}

class DocumentsTest : public ::testing::Test {
 protected:
  std::vector<CLI::App*> commands() const {
    return root_->get_subcommands([](CLI::App*) { return true; });
  }

  Invocation invocation_;
  std::unique_ptr<CLI::App> root_ = make_command_line(invocation_);
};

TEST_F(DocumentsTest, TheManualHasEachCommandAndItsOptions) {
  const std::string manual = std::regex_replace(file("man/resmgr.1"), std::regex(R"(\\-)"), "-");
  Names sections = matches(manual.substr(manual.find(".SH COMMANDS"),
                                         manual.find(".SH OUTPUT") - manual.find(".SH COMMANDS")),
                           R"(\n\.SS (\w+))");
  for (const CLI::App* command : commands()) {
    EXPECT_EQ(sections.erase(command->get_name()), 1u) << command->get_name();
    const std::size_t begin = manual.find("\n.SS " + command->get_name());
    const std::string section = manual.substr(
        begin, std::min(manual.find("\n.SS", begin + 1), manual.find("\n.SH", begin + 1)) - begin);
    // As the synopsis has them, and as they are explained.
    EXPECT_EQ(matches(section, R"(\n\.OP (--[\w-]+))"), options_of(*command))
        << command->get_name();
    EXPECT_EQ(matches(section, R"(\n\.TP\n\.BI?R?[^\n]*(--[\w-]+))"), options_of(*command))
        << command->get_name();
  }
  EXPECT_EQ(sections, Names());
  const std::string globals = manual.substr(0, manual.find(".SH COMMANDS"));
  Names explained = matches(globals, R"(\n\.TP\n\.BI?R?[^\n]*(--[\w-]+))");
  explained.erase("--help");
  EXPECT_EQ(explained, options_of(*root_));
}

TEST_F(DocumentsTest, ManualAndHelpHaveTheColumns) {
  std::string columns;
  for (const auto& name : kTaskColumns)
    columns += (columns.empty() ? "" : ", ") + std::string(name);
  const std::string manual = std::regex_replace(file("man/resmgr.1"), std::regex("\n"), " ");
  EXPECT_THAT(manual, HasSubstr(columns));
  const std::string help =
      std::regex_replace(root_->get_subcommand("list")->get_footer(), std::regex("[ \n]+"), ", ");
  EXPECT_THAT(help, HasSubstr(columns));
}

// The completions ask the program: what they named themselves would be true for a while only.
TEST_F(DocumentsTest, TheCompletionsNameNothing) {
  for (const char* const name : {"resmgr.bash", "_resmgr", "resmgr.fish"}) {
    const std::string script = file(std::string("completions/") + name);
    EXPECT_THAT(script, HasSubstr(std::string(kCompleteCommand) + " -- ")) << name;
    EXPECT_EQ(matches(script, R"((--[a-z][\w-]+))"), Names()) << name;
  }
}

}  // namespace
}  // namespace resmgr::cli
