// The manual page and the completions tell of the commands and options that there are, and of no
// others.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <regex>
#include <set>
#include <string>

#include "cli/command_line.h"
#include "cli/task_view.h"
#include "tests/support/subprocess.h"
#include "tests/support/temp_dir.h"

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

TEST_F(DocumentsTest, BashKnowsTheOptionsOfEachCommand) {
  const std::string script = file("completions/resmgr.bash");
  for (const CLI::App* command : commands()) {
    std::smatch found;
    const std::regex line("\\[" + command->get_name() + "\\]='([^']*)'");
    ASSERT_TRUE(std::regex_search(script, found, line)) << command->get_name();
    EXPECT_EQ(matches(found[1], R"((--[\w-]+))"), options_of(*command)) << command->get_name();
  }
}

TEST_F(DocumentsTest, ZshAndFishKnowCommandsAndOptions) {
  const std::string zsh = file("completions/_resmgr");
  const std::string fish = file("completions/resmgr.fish");
  Names options = options_of(*root_);
  for (const CLI::App* command : commands()) {
    EXPECT_THAT(zsh, HasSubstr("\n    '" + command->get_name() + ":"));
    EXPECT_TRUE(
        std::regex_search(fish, std::regex("\\$before -a '?" + command->get_name() + "\\b")))
        << command->get_name();
    options.merge(options_of(*command));
  }
  Names in_zsh = matches(zsh, R"((--[a-z][\w-]+)['"\[},])");
  in_zsh.erase("--help");
  EXPECT_EQ(in_zsh, options);
  Names in_fish;
  for (const std::string& name : matches(fish, R"(complete [^\n]* -l ([a-z][\w-]+))"))
    in_fish.insert("--" + name);
  in_fish.erase("--help");
  EXPECT_EQ(in_fish, options);
}

// What bash offers for the last of `words`, from an agent that has two tasks and two services.
std::string offered(const std::string& words) {
  const support::TempDir dir;
  const std::string program = dir.write("resmgr", R"(#!/bin/sh
case "$*" in
  *"--agent /away"*) exit 3 ;;
  *services*) printf 'hello\njupyter\n' ;;
  *list*) printf '019aaaaa-0000-7000-8000-00000000aaaa\n019aaaaa-0000-7000-8000-00000000bbbb\n' ;;
esac
)");
  std::filesystem::permissions(program, std::filesystem::perms::owner_all);
  const std::string script = "source " RESMGR_SOURCE_DIR "/completions/resmgr.bash\nCOMP_WORDS=(" +
                             words + ")\nCOMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n_resmgr\n" +
                             "echo \"${COMPREPLY[*]}\"\n";
  support::SpawnOptions spawn;
  spawn.env["PATH"] = dir.path().string() + ":" + std::getenv("PATH");
  const support::Finished bash = support::run({"bash", "-u", "-c", script}, spawn);
  EXPECT_EQ(bash.err, "");
  return bash.out;
}

TEST(BashCompletionTest, AsksTheAgent) {
  EXPECT_EQ(offered("resmgr stop ''"), "00000000aaaa 00000000bbbb\n");
  EXPECT_EQ(offered("resmgr stop 019"),
            "019aaaaa-0000-7000-8000-00000000aaaa 019aaaaa-0000-7000-8000-00000000bbbb\n");
  EXPECT_EQ(offered("resmgr start j"), "jupyter\n");
  EXPECT_EQ(offered("resmgr list --service ''"), "hello jupyter\n");
}

TEST(BashCompletionTest, IsSilentWhereTheAgentIsAway) {
  EXPECT_EQ(offered("resmgr --agent /away stop ''"), "\n");
  EXPECT_EQ(offered("resmgr --agent /away start ''"), "\n");
}

TEST(BashCompletionTest, KnowsWordsAndOptions) {
  EXPECT_EQ(offered("resmgr sto"), "stop\n");
  EXPECT_EQ(offered("resmgr list --outp"), "--output\n");
  EXPECT_EQ(offered("resmgr --output json list --status R"), "Running\n");
  EXPECT_EQ(offered("resmgr list --output = j"), "json\n");
  EXPECT_EQ(offered("resmgr list --limit ''"), "\n");
}

}  // namespace
}  // namespace resmgr::cli
