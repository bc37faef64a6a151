// The command line itself.

#include "tests/unit/cli/command_test.h"

namespace resmgr::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

constexpr const char* kCommands[] = {"start",    "stop",   "list",      "show",  "logs",
                                     "services", "status", "reconcile", "drain", "resume",
                                     "events",   "token",  "version"};

class AppTest : public CommandTest {};

TEST_F(AppTest, HelpListsCommandsAndExitCodes) {
  EXPECT_EQ(run({"--help"}), kDone);
  for (const char* const command : kCommands) {
    EXPECT_THAT(out.text, HasSubstr(std::string("\n  ") + command));
  }
  for (const char* const code :
       {"0  done", "1  failed", "2  wrong usage", "3  agent unreachable", "4  not allowed",
        "5  not found", "6  refused by a limit", "7  not ready in time", "130  interrupted"}) {
    EXPECT_THAT(out.text, HasSubstr(code));
  }
  EXPECT_THAT(out.text, Not(HasSubstr("--token ")));
}

TEST_F(AppTest, EachCommandHasHelpThatFitsATerminal) {
  for (const char* const command : kCommands) {
    EXPECT_EQ(run({command, "--help"}), kDone);
    EXPECT_THAT(out.text, HasSubstr(std::string("Usage: resmgr ") + command + " [OPTIONS]"));
    std::size_t begin = 0;
    for (std::size_t end = out.text.find('\n'); end != std::string::npos;
         end = out.text.find('\n', begin)) {
      EXPECT_LE(end - begin, 80u) << out.text.substr(begin, end - begin);
      begin = end + 1;
    }
    EXPECT_EQ(err.text, "");
  }
  EXPECT_THAT(agent.asked(), IsEmpty());
}

TEST_F(AppTest, NothingIsAUsageError) {
  EXPECT_EQ(run({}), kUsage);
  EXPECT_EQ(out.text, "");
  EXPECT_THAT(err.text, HasSubstr("Usage: resmgr [OPTIONS] [SUBCOMMAND]"));
}

TEST_F(AppTest, UnknownCommandsGetASuggestion) {
  EXPECT_EQ(run({"lsit"}), kUsage);
  EXPECT_EQ(err.text, "resmgr: cannot run 'lsit': there is no such command\nTry: resmgr list\n");
  EXPECT_EQ(run({"frobnicate", "x"}), kUsage);
  EXPECT_EQ(err.text,
            "resmgr: cannot run 'frobnicate': there is no such command\nTry: resmgr --help\n");
}

TEST_F(AppTest, UnknownOptionsGetASuggestion) {
  EXPECT_EQ(run({"list", "--limt=3"}), kUsage);
  EXPECT_EQ(err.text, "resmgr: cannot run 'resmgr list': unknown option '--limt'\nTry: --limit\n");
  EXPECT_EQ(run({"list", "--outptu", "json"}), kUsage);
  EXPECT_THAT(err.text, HasSubstr("Try: --output"));
  EXPECT_EQ(run({"list", "--zzzzzzzz"}), kUsage);
  EXPECT_THAT(err.text, HasSubstr("Try: resmgr list --help"));
  EXPECT_EQ(run({"--frob"}), kUsage);
  EXPECT_THAT(err.text, HasSubstr("unknown option '--frob'"));
}

TEST_F(AppTest, SurplusAndMissingArguments) {
  EXPECT_EQ(run({"list", "everything"}), kUsage);
  EXPECT_THAT(err.text, HasSubstr("unexpected argument 'everything'"));
  EXPECT_EQ(run({"start"}), kUsage);
  EXPECT_THAT(err.text, StartsWith("resmgr: cannot run 'resmgr start': "));
  EXPECT_THAT(err.text, HasSubstr("SERVICE"));
  EXPECT_THAT(err.text, HasSubstr("Try: resmgr start --help"));
  EXPECT_EQ(run({"list", "--user"}), kUsage);
  EXPECT_EQ(run({"list", "--output", "xml"}), kUsage);
  EXPECT_THAT(err.text, HasSubstr("'xml' is not table, tsv, json or csv"));
  EXPECT_THAT(agent.asked(), IsEmpty());
}

TEST_F(AppTest, EscapeSequencesOfArgumentsStayText) {
  EXPECT_EQ(run({"\x1b[2J"}), kUsage);
  EXPECT_THAT(err.text, Not(HasSubstr("\x1b")));
  EXPECT_EQ(run({"list", "--\x1b[2J"}), kUsage);
  EXPECT_THAT(err.text, Not(HasSubstr("\x1b")));
  EXPECT_EQ(run({"show", "\x1b[2J"}), kUsage);
  EXPECT_THAT(err.text, Not(HasSubstr("\x1b")));
}

TEST(ExitCodeTest, OneForEachKind) {
  const auto code = [](ErrorKind kind) { return exit_code(Error(kind, "m")); };
  EXPECT_EQ(code(ErrorKind::usage), 2);
  EXPECT_EQ(code(ErrorKind::config), 1);
  EXPECT_EQ(code(ErrorKind::unauthenticated), 4);
  EXPECT_EQ(code(ErrorKind::forbidden), 4);
  EXPECT_EQ(code(ErrorKind::not_found), 5);
  EXPECT_EQ(code(ErrorKind::conflict), 1);
  EXPECT_EQ(code(ErrorKind::limit), 6);
  EXPECT_EQ(code(ErrorKind::not_ready), 7);
  EXPECT_EQ(code(ErrorKind::unavailable), 1);
  EXPECT_EQ(code(ErrorKind::rejected), 1);
  EXPECT_EQ(code(ErrorKind::corrupt), 1);
  EXPECT_EQ(code(ErrorKind::internal), 1);
  EXPECT_EQ(exit_code(AgentUnreachable("m")), 3);
  EXPECT_EQ(exit_code(Interrupted("m")), 130);
}

}  // namespace
}  // namespace resmgr::cli
