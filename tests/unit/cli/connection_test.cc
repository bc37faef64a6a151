// Which agent is asked, with which token, and what is said when it does not answer.

#include <fstream>

#include "tests/unit/cli/command_test.h"

namespace resmgr::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class ConnectionTest : public CommandTest {
 protected:
  std::string url_of(std::vector<std::string> arguments) {
    endpoints.clear();
    run(std::move(arguments));
    return endpoints.empty() ? "" : endpoints.back().url;
  }
  void configure(const std::string& toml) {
    variables["RESMGR_CONFIG"] = dir.write("config.toml", toml);
  }
};

TEST_F(ConnectionTest, TheSystemsSocketComesFirst) {
  paths["/run/user/1000/resmgr/agent.sock"] = PathState::socket;
  EXPECT_EQ(url_of({"list"}), "unix:///run/resmgr/agent.sock");
}

TEST_F(ConnectionTest, ThenTheUsersOwn) {
  paths = {{"/run/user/1000/resmgr/agent.sock", PathState::socket}};
  EXPECT_EQ(url_of({"list"}), "unix:///run/user/1000/resmgr/agent.sock")
      << "also where XDG_RUNTIME_DIR is not set, as in cron";
  variables["XDG_RUNTIME_DIR"] = "/xdg";
  paths["/xdg/resmgr/agent.sock"] = PathState::socket;
  EXPECT_EQ(url_of({"list"}), "unix:///xdg/resmgr/agent.sock");
}

TEST_F(ConnectionTest, ASocketThatMayNotBeUsedIsPassedOver) {
  paths = {{"/run/resmgr/agent.sock", PathState::forbidden},
           {"/run/user/1000/resmgr/agent.sock", PathState::socket}};
  EXPECT_EQ(url_of({"list"}), "unix:///run/user/1000/resmgr/agent.sock");
}

TEST_F(ConnectionTest, FlagBeatsEnvironmentBeatsFileBeatsSocket) {
  configure("[cli]\nagent = 'https://file.example:1'\n");
  EXPECT_EQ(url_of({"list"}), "https://file.example:1");
  variables["RESMGR_AGENT"] = "https://variable.example:1";
  EXPECT_EQ(url_of({"list"}), "https://variable.example:1");
  EXPECT_EQ(url_of({"--agent", "/some/agent.sock", "list"}), "unix:///some/agent.sock");
  EXPECT_EQ(url_of({"list", "--agent=https://flag.example"}), "https://flag.example")
      << "also behind the command";
}

TEST_F(ConnectionTest, EmptyVariablesAreNone) {
  variables["RESMGR_AGENT"] = "";
  variables["RESMGR_TOKEN"] = "";
  EXPECT_EQ(url_of({"list"}), "unix:///run/resmgr/agent.sock");
  EXPECT_EQ(agent.last_header("Authorization"), "");
}

TEST_F(ConnectionTest, FilesOfSettingsAreLookedForInOrder) {
  variables.erase("RESMGR_CONFIG");
  variables["HOME"] = dir.path().string();
  dir.write(".config/resmgr/config.toml", "[cli]\nagent = 'https://home.example'\n");
  EXPECT_EQ(url_of({"list"}), "https://home.example");
  variables["XDG_CONFIG_HOME"] = (dir.path() / "xdg").string();
  dir.write("xdg/resmgr/config.toml", "[cli]\nagent = 'https://xdg.example'\n");
  EXPECT_EQ(url_of({"list"}), "https://xdg.example");
  configure("[cli]\nagent = 'https://named.example'\n");
  EXPECT_EQ(url_of({"list"}), "https://named.example");
}

TEST_F(ConnectionTest, SettingsGiveTheFormOfOutput) {
  agent.add_task("1");
  configure("[cli]\noutput = 'json'\n");
  run({"list"});
  EXPECT_EQ(out.text.front(), '[');
  run({"list", "--output", "csv"});
  EXPECT_EQ(out.text.substr(0, 7), "taskId,");
  configure("[cli]\noutput = 'yaml'\n");
  EXPECT_EQ(run({"list"}), kFailed);
  EXPECT_THAT(err.text, HasSubstr("cannot use cli.output 'yaml'"));
}

TEST_F(ConnectionTest, AnAgentsFileMayHoldTheSettings) {
  configure("[server]\nlisten = ['127.0.0.1:1']\n[cli]\nagent = '/x/agent.sock'\n");
  EXPECT_EQ(url_of({"list"}), "unix:///x/agent.sock");
}

TEST_F(ConnectionTest, MisspeltSettingsAreNamed) {
  configure("[cli]\nagnet = 'x'\n");
  EXPECT_EQ(run({"list"}), kFailed);
  EXPECT_THAT(err.text, HasSubstr("config.toml:2"));
  EXPECT_THAT(err.text, HasSubstr("agnet"));
  EXPECT_EQ(run({"version"}), kDone) << "and hold up nothing that needs none";
}

TEST_F(ConnectionTest, AddressesAreChecked) {
  EXPECT_EQ(run({"--agent", "localhost:7070", "list"}), kUsage);
  EXPECT_THAT(err.text, HasSubstr("cannot use agent 'localhost:7070' (--agent)"));
  EXPECT_EQ(run({"--agent", "ftp://x/y", "list"}), kUsage);
  EXPECT_EQ(url_of({"--agent", "unix:///a/b.sock", "list"}), "unix:///a/b.sock");
  EXPECT_THAT(url_of({"--agent", "./agent.sock", "list"}), HasSubstr("unix:///"));
}

TEST_F(ConnectionTest, TokensInTheirOrder) {
  EXPECT_EQ(run({"list"}), kDone);
  EXPECT_EQ(agent.last_header("Authorization"), "");
  configure("[cli]\ntoken_file = '" + dir.write("file", "from-config\n") + "'\n");
  run({"list"});
  EXPECT_EQ(agent.last_header("Authorization"), "Bearer from-config");
  variables["RESMGR_TOKEN_FILE"] = dir.write("variable", "  from-variable-file \n");
  run({"list"});
  EXPECT_EQ(agent.last_header("Authorization"), "Bearer from-variable-file");
  variables["RESMGR_TOKEN"] = "from-variable";
  run({"list"});
  EXPECT_EQ(agent.last_header("Authorization"), "Bearer from-variable");
  run({"list", "--token-file", dir.write("flag", "from-flag")});
  EXPECT_EQ(agent.last_header("Authorization"), "Bearer from-flag");
}

TEST_F(ConnectionTest, ATokenOnTheCommandLineIsRefused) {
  for (const auto& arguments : std::vector<std::vector<std::string>>{
           {"--token", "s3cret", "list"}, {"list", "--token=s3cret"}, {"list", "--token"}}) {
    EXPECT_EQ(run(arguments), kUsage);
    EXPECT_THAT(err.text, HasSubstr("every user of this host could read it"));
    EXPECT_THAT(err.text, Not(HasSubstr("s3cret")));
  }
  EXPECT_THAT(agent.asked(), IsEmpty());
}

TEST_F(ConnectionTest, BrokenTokensAreRefusedAndNotShown) {
  variables["RESMGR_TOKEN"] = "s3cret\r\nX-Evil: 1";
  EXPECT_EQ(run({"list"}), kFailed);
  EXPECT_THAT(err.text, HasSubstr("cannot use the token of RESMGR_TOKEN"));
  EXPECT_THAT(err.text, Not(HasSubstr("s3cret")));
  EXPECT_EQ(run({"list", "--token-file", dir.write("empty", "\n")}), kFailed);
  EXPECT_THAT(err.text, HasSubstr("it is empty"));
  EXPECT_EQ(run({"list", "--token-file", dir.write("long", std::string(9000, 'a'))}), kFailed);
  EXPECT_EQ(run({"list", "--token-file", (dir.path() / "nothing").string()}), kFailed);
  EXPECT_THAT(err.text, HasSubstr("No such file"));
  EXPECT_THAT(agent.asked(), IsEmpty());
}

TEST_F(ConnectionTest, ATokenInTheOpenIsWarnedOf) {
  variables["RESMGR_TOKEN"] = "token";
  run({"list", "--agent", "http://agent.example:7070"});
  EXPECT_THAT(err.text, HasSubstr("unencrypted"));
  for (const char* const safe :
       {"http://127.0.0.1:7070", "http://localhost", "http://[::1]:80", "https://agent.example"}) {
    run({"list", "--agent", safe});
    EXPECT_EQ(err.text, "") << safe;
  }
  run({"list", "--agent", "http://127.evil.example"});
  EXPECT_THAT(err.text, HasSubstr("unencrypted"));
}

TEST_F(ConnectionTest, AuthoritiesOfOnesOwn) {
  run({"list", "--agent", "https://agent.example", "--ca-file", "/ca.pem"});
  EXPECT_EQ(endpoints.back().ca_file, "/ca.pem");
}

TEST_F(ConnectionTest, NoSocketSaysWhereItLooked) {
  paths.clear();
  EXPECT_EQ(run({"list"}), kUnreachable);
  EXPECT_EQ(err.text,
            "resmgr: cannot find the agent: there is no socket at '/run/resmgr/agent.sock', "
            "'/run/user/1000/resmgr/agent.sock'\n"
            "Try: systemctl status resmgr-agent, or name another agent with --agent or "
            "RESMGR_AGENT\n");
}

TEST_F(ConnectionTest, NoPermissionNamesTheGroup) {
  paths = {{"/run/resmgr/agent.sock", PathState::forbidden}};
  EXPECT_EQ(run({"list"}), kUnreachable);
  EXPECT_EQ(err.text,
            "resmgr: cannot reach agent '/run/resmgr/agent.sock': permission denied\n"
            "Try: join the group of the socket (sudo usermod -aG resmgr \"$USER\") and sign in "
            "again\n");
}

TEST_F(ConnectionTest, NamedSocketsAreExplainedToo) {
  agent.intercept = [](const HttpRequest&) -> std::optional<HttpResponse> {
    throw NotConnected("cannot connect to 'unix:///a/b.sock': whatever");
  };
  EXPECT_EQ(run({"--agent", "/a/b.sock", "list"}), kUnreachable);
  EXPECT_THAT(err.text, HasSubstr("cannot reach agent '/a/b.sock' (--agent): there is no such"));
  paths["/a/b.sock"] = PathState::other;
  run({"--agent", "/a/b.sock", "list"});
  EXPECT_THAT(err.text, HasSubstr("it is no socket"));
  paths["/a/b.sock"] = PathState::forbidden;
  run({"--agent", "/a/b.sock", "list"});
  EXPECT_THAT(err.text, HasSubstr("usermod -aG"));
}

TEST_F(ConnectionTest, UrlsGetTheirOwnHints) {
  agent.intercept = [](const HttpRequest&) -> std::optional<HttpResponse> {
    throw NotConnected("cannot connect to 'https://a.example:1': the certificate is not trusted");
  };
  EXPECT_EQ(run({"--agent", "https://a.example:1", "list"}), kUnreachable);
  EXPECT_THAT(err.text, HasSubstr("cannot reach agent 'https://a.example:1' (--agent): the "
                                  "certificate is not trusted\n"));
  EXPECT_THAT(err.text, HasSubstr("--ca-file"));
}

TEST_F(ConnectionTest, RefusedTokensGetAHint) {
  agent.intercept = [](const HttpRequest&) {
    return problem_answer(401, "unauthenticated", "no token was sent");
  };
  EXPECT_EQ(run({"list"}), kNotAllowed);
  EXPECT_THAT(err.text, HasSubstr("resmgr: cannot list tasks: no token was sent\n"));
  EXPECT_THAT(err.text, HasSubstr("RESMGR_TOKEN"));
}

}  // namespace
}  // namespace resmgr::cli
