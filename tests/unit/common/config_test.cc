#include "common/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <limits>

#include "common/error.h"
#include "tests/support/temp_dir.h"

namespace resmgr {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr ConfigKey kKeys[] = {
    {"agent", "name", ConfigType::text, "", "name of this host"},
    {"agent", "log_level", ConfigType::text, "information", "least level"},
    {"server", "listen", ConfigType::text_list, "127.0.0.1:7070", "addresses"},
    {"server", "cors_origins", ConfigType::text_list, "", "origins"},
    {"server", "allow_plaintext", ConfigType::boolean, "false", "listen on any address"},
    {"server", "max_connections", ConfigType::integer, "4096", "connections"},
    {"limits", "cpu_overcommit", ConfigType::number, "1.5", "factor"},
    {"limits", "tasks_per_user", ConfigType::integer, "", "tasks"},
    {"limits", "min_free_disk", ConfigType::size, "1GiB", "floor"},
    {"sinks", "timeout", ConfigType::duration, "30s", "whole call"},
    {"retention", "tasks", ConfigType::duration, "", "empty: for ever"},
    {"postgres", "url", ConfigType::text, "", "connection", true},
};

std::optional<std::string> no_environment(const std::string&) { return std::nullopt; }

Config::Environment environment_of(std::map<std::string, std::string> variables) {
  return [variables = std::move(variables)](const std::string& name) {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  };
}

class ConfigTest : public testing::Test {
 protected:
  Config load(const std::string& toml, const Config::Environment& environment = no_environment,
              const Config::Overrides& flags = {}) {
    return Config::load(kKeys, dir_.write("resmgr.toml", toml), true, environment, flags);
  }

  // The message of the refusal, with FILE for the file's name; or "taken".
  std::string refusal(const std::string& toml,
                      const Config::Environment& environment = no_environment,
                      const Config::Overrides& flags = {}) {
    try {
      load(toml, environment, flags);
    } catch (const Error& e) {
      EXPECT_EQ(e.kind(), ErrorKind::config);
      std::string message = e.message();
      const std::string file = dir_.path() / "resmgr.toml";
      for (std::size_t at = 0; (at = message.find(file)) != std::string::npos;) {
        message.replace(at, file.size(), "FILE");
      }
      return message;
    }
    return "taken";
  }

  support::TempDir dir_;
};

TEST_F(ConfigTest, HasDefaults) {
  const Config config = load("");
  EXPECT_EQ(config.text("agent.name"), "");
  EXPECT_EQ(config.text("agent.log_level"), "information");
  EXPECT_THAT(config.text_list("server.listen"), ElementsAre("127.0.0.1:7070"));
  EXPECT_THAT(config.text_list("server.cors_origins"), ElementsAre());
  EXPECT_FALSE(config.boolean("server.allow_plaintext"));
  EXPECT_EQ(config.integer("server.max_connections"), 4096);
  EXPECT_EQ(config.number("limits.cpu_overcommit"), 1.5);
  EXPECT_EQ(config.integer("limits.tasks_per_user"), 0);
  EXPECT_EQ(config.size("limits.min_free_disk"), 1LL << 30);
  EXPECT_EQ(config.duration("sinks.timeout"), Millis{30'000});
  EXPECT_EQ(config.duration("retention.tasks"), Millis{0});
  EXPECT_FALSE(config.is_set("sinks.timeout"));
  EXPECT_EQ(config.origin("sinks.timeout"), "default");
}

TEST_F(ConfigTest, ReadsEveryTypeFromTheFile) {
  const Config config = load(R"(
[agent]
name = "a, b"
[server]
listen = ["127.0.0.1:1", "[::1]:2, with a comma"]
allow_plaintext = true
max_connections = -7
[limits]
cpu_overcommit = 2
min_free_disk = 4096
[sinks]
timeout = "1m30s"
)");
  EXPECT_EQ(config.text("agent.name"), "a, b");
  EXPECT_THAT(config.text_list("server.listen"),
              ElementsAre("127.0.0.1:1", "[::1]:2, with a comma"));
  EXPECT_TRUE(config.boolean("server.allow_plaintext"));
  EXPECT_EQ(config.integer("server.max_connections"), -7);
  EXPECT_EQ(config.number("limits.cpu_overcommit"), 2.0);
  EXPECT_EQ(config.size("limits.min_free_disk"), 4096);
  EXPECT_EQ(config.duration("sinks.timeout"), Millis{90'000});
  EXPECT_EQ(load("[limits]\ncpu_overcommit = 0.1").number("limits.cpu_overcommit"), 0.1);
  EXPECT_THAT(load("[server]\nlisten = []").text_list("server.listen"), ElementsAre());
  EXPECT_EQ(load("[retention]\ntasks = \"\"").duration("retention.tasks"), Millis{0});
}

TEST_F(ConfigTest, FlagBeatsEnvironmentBeatsFileBeatsDefault) {
  const std::string toml = "[agent]\nname = \"file\"\nlog_level = \"debug\"\n";
  const auto environment = environment_of({{"RESMGR_AGENT_NAME", "environment"}});
  const Config::Overrides flags = {{"agent.name", "flag"}};
  const std::string file = dir_.path() / "resmgr.toml";

  const Config of_file = load(toml);
  EXPECT_EQ(of_file.text("agent.name"), "file");
  EXPECT_EQ(of_file.origin("agent.name"), file + ":2");
  EXPECT_EQ(of_file.origin("agent.log_level"), file + ":3");

  const Config of_environment = load(toml, environment);
  EXPECT_EQ(of_environment.text("agent.name"), "environment");
  EXPECT_EQ(of_environment.origin("agent.name"), "environment RESMGR_AGENT_NAME");

  const Config of_flag = load(toml, environment, flags);
  EXPECT_EQ(of_flag.text("agent.name"), "flag");
  EXPECT_EQ(of_flag.origin("agent.name"), "flag");
  EXPECT_TRUE(of_flag.is_set("agent.name"));
  EXPECT_EQ(of_flag.text("agent.log_level"), "debug");
}

TEST_F(ConfigTest, TakesAnEmptyVariableForAValue) {
  const Config config =
      load("[agent]\nname = \"file\"\n[server]\nlisten = [\"a\"]\n",
           environment_of({{"RESMGR_AGENT_NAME", ""}, {"RESMGR_SERVER_LISTEN", ""}}));
  EXPECT_EQ(config.text("agent.name"), "");
  EXPECT_TRUE(config.is_set("agent.name"));
  EXPECT_THAT(config.text_list("server.listen"), ElementsAre());
}

TEST_F(ConfigTest, SplitsListsAtCommas) {
  EXPECT_THAT(load("", environment_of({{"RESMGR_SERVER_LISTEN", " a , b,,c\t"}}))
                  .text_list("server.listen"),
              ElementsAre("a", "b", "c"));
  EXPECT_THAT(load("", no_environment, {{"server.listen", "x,y"}}).text_list("server.listen"),
              ElementsAre("x", "y"));
}

TEST_F(ConfigTest, NamesTheVariableOrFlagThatIsWrong) {
  EXPECT_EQ(refusal("", environment_of({{"RESMGR_SINKS_TIMEOUT", "30"}})),
            "cannot use configuration: environment RESMGR_SINKS_TIMEOUT: 'sinks.timeout' '30' must "
            "be a duration such as \"90s\", \"15m\", \"8h\" or \"2d\"");
  EXPECT_THAT(
      refusal("", no_environment, {{"server.max_connections", "many"}}),
      HasSubstr("flag --max_connections: 'server.max_connections' 'many' must be an integer"));
  EXPECT_THAT(refusal("", environment_of({{"RESMGR_SERVER_MAX_CONNECTIONS", ""}})),
              HasSubstr("RESMGR_SERVER_MAX_CONNECTIONS"));
  for (const char* const wrong : {"yes", "1", "True", " true"}) {
    EXPECT_THAT(refusal("", environment_of({{"RESMGR_SERVER_ALLOW_PLAINTEXT", wrong}})),
                HasSubstr("must be true or false"));
  }
  for (const char* const wrong : {"1e999", "nan", "inf", "1,5", "0x10"}) {
    EXPECT_THAT(refusal("", environment_of({{"RESMGR_LIMITS_CPU_OVERCOMMIT", wrong}})),
                HasSubstr("must be a number"))
        << wrong;
  }
}

TEST_F(ConfigTest, SuggestsWhatIsNear) {
  EXPECT_EQ(refusal("\n[server]\n  lisen = []\n"),
            "cannot use configuration: FILE:3:3: unknown key 'lisen' in [server]; did you mean "
            "'listen'?");
  EXPECT_EQ(refusal("[servers]\nlisten = []\n"),
            "cannot use configuration: FILE:1:2: unknown section [servers]; did you mean "
            "'server'?");
  EXPECT_EQ(refusal("[agent]\nlisten = []\n"),
            "cannot use configuration: FILE:2:1: unknown key 'listen' in [agent]; it belongs into "
            "[server]");
  EXPECT_EQ(refusal("listen = []\n"),
            "cannot use configuration: FILE:1:1: unknown key 'listen' outside of a section; it "
            "belongs into [server]");
  EXPECT_EQ(refusal("[agent]\nqwertyuiop = 1\n"),
            "cannot use configuration: FILE:2:1: unknown key 'qwertyuiop' in [agent]");
  EXPECT_THAT(refusal("[server.listen]\nx = 1\n"), HasSubstr("must be a list of texts"));
  EXPECT_THAT(refusal("server = 1\n"), HasSubstr("'server' must be a section: [server]"));
  EXPECT_THAT(refusal("[[server]]\n"), HasSubstr("'server' must be a section: [server]"));
}

TEST_F(ConfigTest, RefusesTheWrongType) {
  const auto wrong = [&](const std::string& section, const std::string& line) {
    return refusal("[" + section + "]\n" + line + "\n");
  };
  EXPECT_EQ(wrong("server", "max_connections = \"5\""),
            "cannot use configuration: FILE:2:19: 'server.max_connections' must be an integer");
  EXPECT_THAT(wrong("server", "max_connections = 5.0"), HasSubstr("must be an integer"));
  EXPECT_THAT(wrong("server", "allow_plaintext = \"true\""), HasSubstr("must be true or false"));
  EXPECT_THAT(wrong("server", "allow_plaintext = 1"), HasSubstr("must be true or false"));
  EXPECT_THAT(wrong("server", "listen = \"a\""), HasSubstr("must be a list of texts"));
  EXPECT_THAT(wrong("server", "listen = [\"a\", 1]"), HasSubstr("must be a list of texts"));
  EXPECT_THAT(wrong("agent", "name = 5"), HasSubstr("must be a text"));
  EXPECT_THAT(wrong("agent", "name = 2026-01-01"), HasSubstr("must be a text"));
  EXPECT_THAT(wrong("limits", "cpu_overcommit = \"1\""), HasSubstr("must be a number"));
  EXPECT_THAT(wrong("limits", "cpu_overcommit = inf"), HasSubstr("must be a number"));
  EXPECT_THAT(wrong("limits", "min_free_disk = \"1 GB\""), HasSubstr("must be a size"));
  EXPECT_THAT(wrong("limits", "min_free_disk = -1"), HasSubstr("must be a size"));
  EXPECT_THAT(wrong("sinks", "timeout = 30"), HasSubstr("must be a duration"));
  EXPECT_THAT(wrong("sinks", "timeout = \"\""), HasSubstr("must be a duration"));
}

TEST_F(ConfigTest, ReportsAllFaultsAtOnceFromTopToBottom) {
  EXPECT_EQ(refusal("[sinks]\ntimeout = 5\n[agent]\nnam = \"x\"\n[bogus]\n",
                    environment_of({{"RESMGR_SERVER_ALLOW_PLAINTEXT", "perhaps"}})),
            "cannot use configuration: 4 faults\n"
            "  FILE:2:11: 'sinks.timeout' must be a duration such as \"90s\", \"15m\", \"8h\" or "
            "\"2d\"\n"
            "  FILE:4:1: unknown key 'nam' in [agent]; did you mean 'name'?\n"
            "  FILE:5:2: unknown section [bogus]\n"
            "  environment RESMGR_SERVER_ALLOW_PLAINTEXT: 'server.allow_plaintext' 'perhaps' must "
            "be true or false");
}

TEST_F(ConfigTest, SaysWhereTheSyntaxIsWrong) {
  EXPECT_THAT(refusal("[agent]\nname = \n"), StartsWith("cannot use configuration: FILE:2:8: "));
  EXPECT_THAT(refusal("[agent]\nname = \"a\"\nname = \"b\"\n"), HasSubstr("FILE:3:"));
  EXPECT_THAT(refusal("\xff\n"), HasSubstr("FILE:1:1: "));
}

TEST_F(ConfigTest, NeverRepeatsASecret) {
  for (const std::string& message :
       {refusal("[postgres]\nurl = [\"hunter2\"]\n"), refusal("[postgres]\nurl = 5\n")}) {
    EXPECT_THAT(message, AllOf(HasSubstr("postgres.url"), Not(HasSubstr("hunter2"))));
  }
  const Config config = load("", environment_of({{"RESMGR_POSTGRES_URL", "hunter2"}}));
  EXPECT_EQ(config.text("postgres.url"), "hunter2");
  for (const Config::Shown& shown : config.show())
    EXPECT_THAT(shown.value, Not(HasSubstr("hunter2")));
}

TEST_F(ConfigTest, ShowsEveryKeyInTheOrderOfTheTable) {
  const std::vector<Config::Shown> shown =
      load("[server]\nlisten = [\"a\", \"b\"]\n",
           environment_of({{"RESMGR_POSTGRES_URL", "hunter2"}}))
          .show();
  ASSERT_EQ(shown.size(), std::size(kKeys));
  EXPECT_EQ(shown[0].key, "agent.name");
  EXPECT_EQ(shown[0].origin, "default");
  EXPECT_EQ(shown[2].key, "server.listen");
  EXPECT_EQ(shown[2].value, "a,b");
  EXPECT_EQ(shown.back().value, "********");
  EXPECT_EQ(shown.back().origin, "environment RESMGR_POSTGRES_URL");
  EXPECT_EQ(load("").show().back().value, "");
}

TEST_F(ConfigTest, NeedsTheFileOnlyIfToldSo) {
  const std::string missing = dir_.path() / "missing.toml";
  EXPECT_EQ(Config::load(kKeys, missing, false, no_environment, {}).text("agent.log_level"),
            "information");
  try {
    Config::load(kKeys, missing, true, no_environment, {});
    ADD_FAILURE() << "taken";
  } catch (const Error& e) {
    EXPECT_EQ(e.message(), "cannot use configuration: " + missing + ": No such file or directory");
  }
}

TEST_F(ConfigTest, RefusesAFileThatIsThereAndCannotBeRead) {
  EXPECT_THROW(Config::load(kKeys, dir_.path(), false, no_environment, {}), Error);
  const std::string below = dir_.write("file", "") + "/resmgr.toml";
  EXPECT_THROW(Config::load(kKeys, below, false, no_environment, {}), Error);
}

TEST_F(ConfigTest, TakesAWrongKeyForADefect) {
  const Config config = load("");
  const auto kind_of = [&](const auto& ask) {
    try {
      ask();
    } catch (const Error& e) {
      return e.kind();
    }
    return ErrorKind::usage;
  };
  EXPECT_EQ(kind_of([&] { config.text("agent.nothing"); }), ErrorKind::internal);
  EXPECT_EQ(kind_of([&] { config.text("sinks.timeout"); }), ErrorKind::internal);
  EXPECT_EQ(kind_of([&] { config.integer("limits.min_free_disk"); }), ErrorKind::internal);
  EXPECT_EQ(kind_of([&] {
              load("", no_environment, {{"agent.nothing", "x"}});
            }),
            ErrorKind::internal);
}

TEST_F(ConfigTest, TellsWhichKeysAnotherConfigurationChanges) {
  const Config before = load("[server]\nlisten = [\"127.0.0.1:1\", \"127.0.0.1:2\"]\n");
  EXPECT_THAT(before.changed_in(before), testing::IsEmpty());
  const Config after = load(
      "[server]\nlisten = [\"127.0.0.1:1\"]\n[postgres]\nurl = \"postgresql://x\"\n"
      "[sinks]\ntimeout = \"30s\"\n");
  EXPECT_THAT(before.changed_in(after), ElementsAre("server.listen", "postgres.url"));
}

}  // namespace
}  // namespace resmgr
