// `resmgr __complete`: what the shells' completions are told.

#include "cli/completion.h"

#include <algorithm>
#include <set>

#include "cli/arguments.h"
#include "cli/choices.h"
#include "cli/command_line.h"
#include "tests/unit/cli/command_test.h"

namespace resmgr::cli {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

using Words = std::vector<std::string>;

class CompletionTest : public CommandTest {
 protected:
  // Lines for the last of the words, without the last one, which says what else there is.
  Words lines(const Words& words) {
    Words arguments = {kCompleteCommand, "--"};
    arguments.insert(arguments.end(), words.begin(), words.end());
    EXPECT_EQ(run(arguments), kDone);
    EXPECT_EQ(err.text, "");
    Words all;
    for (std::size_t at = 0, end = 0; (end = out.text.find('\n', at)) != std::string::npos;
         at = end + 1) {
      all.push_back(out.text.substr(at, end - at));
    }
    EXPECT_FALSE(all.empty());
    if (all.empty()) return all;
    last = all.back();
    all.pop_back();
    return all;
  }
  Words offered(const Words& words) {
    Words all = lines(words);
    for (std::string& line : all) line.resize(std::min(line.find('\t'), line.size()));
    return all;
  }
  std::vector<CLI::App*> commands() const {
    return root_->get_subcommands([](CLI::App*) { return true; });
  }

  std::string last;  // ":files" or ":none"
  Invocation invocation_;
  std::unique_ptr<CLI::App> root_ = make_command_line(invocation_);
};

TEST_F(CompletionTest, OffersEachCommandAndEachOption) {
  const Words names = offered({""});
  for (CLI::App* const command : commands()) {
    EXPECT_THAT(names, Contains(command->get_name()));
    EXPECT_THAT(lines({command->get_name()}),
                Contains(command->get_name() + "\t" + command->get_description()));
    for (const CLI::App* const app :
         {static_cast<const CLI::App*>(command), static_cast<const CLI::App*>(root_.get())}) {
      for (const CLI::Option* const option : app->get_options()) {
        if (option->get_group().empty() || option == root_->get_version_ptr()) continue;
        for (const std::string& name : option->get_lnames()) {
          EXPECT_THAT(lines({command->get_name(), "--" + name}),
                      Contains("--" + name + "\t" + option->get_description()))
              << command->get_name();
        }
      }
    }
    const Words options = offered({command->get_name(), "-"});
    EXPECT_EQ(std::set<std::string>(options.begin(), options.end()).size(), options.size());
  }
  EXPECT_THAT(names, Not(Contains(kCompleteCommand)));
  EXPECT_THAT(offered({"ls", "--al"}), ElementsAre("--all"));
  EXPECT_THAT(offered({"--"}), Contains("--version"));
  EXPECT_THAT(offered({"list", "--"}), Not(Contains("--version")));
  EXPECT_THAT(offered({"list", "--tok"}), ElementsAre("--token-file"));
}

TEST_F(CompletionTest, KnowsWhatEachArgumentTakes) {
  for (CLI::App* const command : commands()) {
    for (const CLI::App* const app :
         {static_cast<const CLI::App*>(command), static_cast<const CLI::App*>(root_.get())}) {
      for (const CLI::Option* const option : app->get_options()) {
        const bool is_flag = option->get_items_expected_min() == 0;
        EXPECT_TRUE(is_flag || taken_by(*command, *option))
            << command->get_name() << " " << option->get_name(true)
            << ": give its value a name that taken_by() knows";
      }
    }
  }
}

TEST_F(CompletionTest, OffersTheWordsThatAnOptionTakes) {
  EXPECT_THAT(offered({"list", "--output", ""}), ElementsAre("table", "tsv", "json", "csv"));
  EXPECT_THAT(offered({"-o", "j"}), ElementsAre("json"));
  EXPECT_THAT(offered({"list", "--output=j"}), ElementsAre("--output=json"));
  EXPECT_THAT(offered({"--output", "json", "list", "--status", "R"}), ElementsAre("Running"));
  EXPECT_THAT(offered({"list", "--status", "Running,Sto"}),
              ElementsAre("Running,Stopping", "Running,Stopped"));
  EXPECT_THAT(offered({"usage", ""}), ElementsAre("verify", "export"));
  EXPECT_THAT(offered({"sync", ""}), ElementsAre("now", "retry", "show-dead"));
  EXPECT_EQ(last, ":none");
  // And takes those that it offers.
  for (const std::string& word : offered({"-o", ""})) EXPECT_TRUE(format_from(word)) << word;
  for (const std::string& word : offered({"list", "--status", ""})) {
    EXPECT_FALSE(parse_statuses({word}).empty()) << word;
  }
  agent.intercept = [](const HttpRequest&) { return json_answer(200, Json::array()); };
  for (const std::string& word : offered({"usage", "--by", ""})) {
    EXPECT_EQ(run({"usage", "--by", word}), kDone) << word << err.text;
  }
}

TEST_F(CompletionTest, NamesFiles) {
  for (const Words& words : {Words{"--token-file", ""}, Words{"list", "--ca-file=/tm"},
                             Words{"--agent", "/run/"}, Words{"token", "--key-file", "k"}}) {
    EXPECT_THAT(offered(words), IsEmpty());
    EXPECT_EQ(last, ":files");
  }
  EXPECT_THAT(offered({"drain", "--reason", ""}), IsEmpty());
  EXPECT_EQ(last, ":none");
  EXPECT_EQ(agent.asked().size(), 0U);
}

TEST_F(CompletionTest, OffersTasksByTheEndsOfTheirIds) {
  agent.add_task("00000000aaaa");
  agent.add_task("00000000bbbb", TaskStatus::running, "jupyter");
  agent.add_task("00000000cccc", TaskStatus::stopped);
  const Words active = offered({"stop", ""});
  EXPECT_THAT(active, testing::UnorderedElementsAre("00000000aaaa", "00000000bbbb"));
  EXPECT_EQ(last, ":none");
  EXPECT_THAT(lines({"stop", "00000000b"}),
              ElementsAre(testing::StartsWith("00000000bbbb\tjupyter, Running")));
  EXPECT_THAT(offered({"show", ""}), Contains("00000000cccc"));
  EXPECT_THAT(offered({"usage", "export", "--task", ""}), Contains("00000000cccc"));
  // Once something is typed, whole ids too.
  const std::string whole = agent.tasks.back().task_id;
  EXPECT_THAT(offered({"stop", whole.substr(0, 3)}), Contains(whole));
  // What stands there already is offered no more.
  EXPECT_THAT(offered({"stop", "00000000aaaa", ""}), ElementsAre("00000000bbbb"));
  EXPECT_THAT(offered({"show", "00000000aaaa", ""}), IsEmpty());
  EXPECT_THAT(offered({"stop", "--", "00000000a"}), ElementsAre("00000000aaaa"));
}

TEST_F(CompletionTest, OffersServicesUsersAndSinks) {
  agent.services = {{{"name", "hello"}, {"title", "Says: hello"}}, {{"name", "jupyter"}}};
  agent.host["sinks"] = Json::array({{{"name", "postgres"}, {"state", "ok"}}});
  agent.add_task("00000000aaaa");
  EXPECT_THAT(lines({"start", ""}), ElementsAre("hello\tSays: hello", "jupyter"));
  EXPECT_THAT(offered({"start", "-qu", kAlice, "j"}), ElementsAre("jupyter"));
  EXPECT_THAT(offered({"list", "--service=h"}), ElementsAre("--service=hello"));
  EXPECT_THAT(offered({"list", "-s", "h"}), ElementsAre("hello"));
  EXPECT_THAT(offered({"list", "--user", ""}), ElementsAre(kAlice));
  EXPECT_THAT(lines({"sync", "now", ""}), ElementsAre("postgres\tok"));
}

TEST_F(CompletionTest, AsksTheAgentThatTheLineMeans) {
  variables["HOME"] = dir.path();
  dir.write("token", "aa.bb.cc\n");
  offered({"--agent", "https://other:1", "--token-file", "~/token", "stop", ""});
  EXPECT_EQ(endpoints.at(0).url, "https://other:1");
  EXPECT_EQ(agent.last_header("Authorization"), "Bearer aa.bb.cc");
  offered({"start", "--agent=/run/x.sock", ""});
  EXPECT_EQ(endpoints.at(1).url, "unix:///run/x.sock");
  variables["RESMGR_AGENT"] = "https://third:1";
  offered({"stop", ""});
  EXPECT_EQ(endpoints.at(2).url, "https://third:1");
}

TEST_F(CompletionTest, IsSilentWhateverFails) {
  const Words stop = {"stop", ""};
  paths.clear();
  EXPECT_THAT(offered(stop), IsEmpty());  // nowhere
  EXPECT_THAT(offered({"--agent", "nonsense", "stop", ""}), IsEmpty());
  EXPECT_THAT(offered({"--token-file", "/nowhere", "--agent", "/x/y", "stop", ""}), IsEmpty());
  variables["RESMGR_AGENT"] = "http://far.example:1";
  variables["RESMGR_TOKEN"] = "secret";  // of which there would be a warning
  EXPECT_THAT(offered(stop), IsEmpty());
  agent.intercept = [](const HttpRequest&) -> std::optional<HttpResponse> {
    throw Error(ErrorKind::unavailable, "cannot reach it");
  };
  EXPECT_THAT(offered(stop), IsEmpty());
  for (const Json& answer : {Json("text"), Json::array({1}), Json::array({{{"taskId", 7}}})}) {
    agent.intercept = [&](const HttpRequest&) { return json_answer(200, answer); };
    EXPECT_THAT(offered(stop), IsEmpty()) << answer;
  }
  agent.intercept = [](const HttpRequest&) { return problem_answer(403, "forbidden", "no"); };
  EXPECT_THAT(offered({"sync", "now", ""}), IsEmpty());
  variables["RESMGR_CONFIG"] = dir.write("wrong.toml", "[cli\n");
  EXPECT_THAT(offered(stop), IsEmpty());
}

// What an agent tells must not become a command, another line or another word.
TEST_F(CompletionTest, TakesNoNamesThatAShellWouldRun) {
  agent.services = Json::array();
  for (const char* const name : {"$(reboot)", "a b", "a;b", "`x`", "a\nb", "a\tb", "", "-rf", "a'b",
                                 "\x1b[2J", "é", ":files"}) {
    agent.services.push_back({{"name", name}, {"title", "x"}});
  }
  agent.services.push_back({{"name", "good"}, {"title", "one\nstart\ttwo\x1b[2J"}});
  const Words told = lines({"start", ""});
  ASSERT_EQ(told.size(), 1U) << out.text;
  EXPECT_THAT(told[0], testing::StartsWith("good\tone start two"));
  EXPECT_THAT(told[0], Not(HasSubstr("\x1b")));
}

TEST_F(CompletionTest, TakesEveryLine) {
  for (const Words& words :
       {Words{}, Words{"nonsense", ""}, Words{"nonsense", "list", "-"}, Words{"--nonsense=x", ""},
        Words{"-z", "st"}, Words{"--", "-", ""}, Words{"list", "--nonsense="}, Words{"="},
        Words{"list", "--output"}, Words{"--token", "x", ""}, Words{std::string(100'000, 'x')},
        Words{"list", "-\xff", "\xff"}, Words{"stop", "\n\t$(reboot)'\""},
        Words{"sync", "now", "a", ""}, Words{"list", "--status", ",,,"}, Words{"version", "x"}}) {
    lines(words);
  }
  EXPECT_THAT(offered({"nonsense", ""}), IsEmpty());
  EXPECT_THAT(offered({"--nonsense", "sto"}), ElementsAre("stop"));
  // A service may be called like a command.
  agent.services = {{{"name", "list"}}};
  EXPECT_THAT(offered({"start", "l"}), ElementsAre("list"));
  EXPECT_EQ(run({kCompleteCommand}), kDone);
  EXPECT_THAT(out.text, HasSubstr("start\t"));
}

}  // namespace
}  // namespace resmgr::cli
