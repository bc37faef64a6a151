// The recipes of resmgr(1), each taken from the page and run as cron or a shell runs it.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <regex>
#include <string>
#include <vector>

#include "tests/e2e/fixture.h"

namespace resmgr::e2e {
namespace {

using support::Finished;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

std::string replaced(std::string text, const std::string& what, const std::string& with) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size()) {
    text.replace(at, what.size(), with);
  }
  return text;
}

// As a reader of the page sees it.
std::string without_roff(std::string text) {
  const std::pair<const char*, const char*> escapes[] = {
      {"\\-", "-"}, {"\\(aq", "'"}, {"\\(dq", "\""}, {"\\&", ""}, {"\\e", "\\"}};
  for (const auto& [escape, meaning] : escapes) text = replaced(text, escape, meaning);
  return text;
}

std::vector<std::string> recipes_of_the_page() {
  const std::string page = support::read_file(RESMGR_SOURCE_DIR "/man/resmgr.1");
  const std::size_t begin = page.find(".SH SCRIPTS AND CRON");
  const std::string section = page.substr(begin, page.find("\n.SH", begin + 1) - begin);
  std::vector<std::string> recipes;
  constexpr char kBegin[] = "\n.EX\n";
  for (std::size_t at = 0; (at = section.find(kBegin, at)) != std::string::npos;) {
    at += sizeof kBegin - 1;
    recipes.push_back(without_roff(section.substr(at, section.find("\n.EE", at) - at)));
  }
  return recipes;
}

// A line of a crontab becomes what cron hands to the shell.
std::string command_of(const std::string& recipe) {
  static const std::regex times(R"(^([\d*/,-]+ ){4}[\d*/,-]+ +)");
  std::smatch found;
  if (!std::regex_search(recipe, found, times)) return recipe;
  return replaced(found.suffix(), "\\%", "%");
}

class ScriptsTest : public WithAgent {
 protected:
  static void SetUpTestSuite() {
    WithAgent::SetUpTestSuite();
    recipes_ = recipes_of_the_page();
  }
  // Of all tests together each recipe has been run.
  static void TearDownTestSuite() {
    for (const std::string& recipe : recipes_) ADD_FAILURE() << "never run: " << recipe;
    WithAgent::TearDownTestSuite();
  }

  // The one recipe with these words, ready to be run on services that are there.
  static std::string recipe(const std::string& words) {
    const auto has_them = [&](const std::string& one) {
      return one.find(words) != std::string::npos;
    };
    EXPECT_EQ(std::ranges::count_if(recipes_, has_them), 1) << words;
    const auto found = std::ranges::find_if(recipes_, has_them);
    if (found == recipes_.end()) return "exit 99";
    const std::string text = *found;
    recipes_.erase(found);
    return replaced(command_of(text), "start jupyter", "start hello");
  }
  Finished run(const std::string& script) const { return agent().script(script); }
  std::string start_one() const {
    const Finished started = agent().cli({"start", "hello", "--quiet"});
    EXPECT_EQ(started.code, 0) << started.err;
    return started.out.substr(0, 36);
  }
  std::string running() const { return agent().cli({"list", "--quiet"}).out; }

 private:
  inline static std::vector<std::string> recipes_;
};

TEST_F(ScriptsTest, EverythingIsStoppedAtNight) {
  start_one();
  start_one();
  const Finished stopped = run(recipe("30 2 * * *"));
  EXPECT_EQ(stopped.code, 0) << stopped.err;
  EXPECT_EQ(running(), "");
}

TEST_F(ScriptsTest, TheWeeksUsageIsInAFile) {
  const std::string id = start_one();
  EXPECT_EQ(agent().cli({"stop", id}).code, 0);
  const std::string home = agent().dir() / "home";
  std::filesystem::create_directories(home);
  const Finished written = run("HOME=" + home + "\n" + recipe("0 6 * * 1"));
  EXPECT_EQ(written.code, 0) << written.err;
  EXPECT_THAT(written.out, IsEmpty());
  const Finished shown = run("cat " + home + "/usage-$(date +%F).csv");
  EXPECT_THAT(shown.out, StartsWith("userId,serviceType,tasks,"));
  EXPECT_THAT(shown.out, HasSubstr(",hello,"));
}

TEST_F(ScriptsTest, ASinkThatIsWellIsNotTalkedOf) {
  const std::string alert = recipe("*/5 * * * *");
  const Finished quiet = run(alert);
  EXPECT_EQ(quiet.code, 0) << quiet.err;
  EXPECT_THAT(quiet.out, IsEmpty());
  // With an answer of the agent that tells of one that is not.
  const Finished loud = run(R"(resmgr() { echo '{"sinks": [
        {"name": "postgres", "lagEvents": 0, "lagSeconds": 0, "deadLetters": 0, "lastError": null},
        {"name": "seq", "lagEvents": 12, "lagSeconds": 301.5, "deadLetters": 0,
         "lastError": "it answered 503"}]}'; }
      )" + alert);
  EXPECT_EQ(loud.out, "seq is 12 events behind, 0 dead letters: it answered 503\n") << loud.err;
}

TEST_F(ScriptsTest, TheMorningsLookIsAtWhatIsWrong) {
  const std::string look = recipe("resmgr doctor");
  const Finished seen = run(look);
  EXPECT_THAT(seen.out, testing::Not(HasSubstr("failed\t"))) << seen.err;
  const Finished away = run("export RESMGR_AGENT=/nowhere/agent.sock\n" + look);
  EXPECT_THAT(away.out, StartsWith("failed\tagent\t/nowhere/agent.sock\t"));
}

TEST_F(ScriptsTest, UsageIsVerified) {
  const std::string id = start_one();
  EXPECT_EQ(agent().cli({"stop", id}).code, 0);
  const Finished verified = run(recipe("usage verify"));
  EXPECT_EQ(verified.code, 0) << verified.err;
  EXPECT_THAT(verified.out, IsEmpty());
}

TEST_F(ScriptsTest, APageIsOpened) {
  const Finished opened =
      run("xdg-open() { curl -sS -o /dev/null -w '%{http_code}' \"$1\"; }\n" + recipe("xdg-open"));
  EXPECT_EQ(opened.out, "200") << opened.err;
}

TEST_F(ScriptsTest, OneIsStartedUnlessItRuns) {
  const std::string start = recipe("--if-not-running");
  const Finished both = run(start + "\necho $id\n" + start + "\necho $id");
  EXPECT_EQ(both.code, 0) << both.err;
  const std::string ids = both.out;
  EXPECT_EQ(ids.substr(0, 37), ids.substr(37));
  EXPECT_EQ(running(), ids.substr(37));
}

TEST_F(ScriptsTest, OneIsWaitedFor) {
  const std::string wait = recipe("sleep 1");
  const Finished ready = run(wait + "\nresmgr show \"$id\" --output json | jq -r .status");
  EXPECT_EQ(ready.out, "Running\n") << ready.err;
  EXPECT_EQ(run(replaced(wait, "start hello", "start never-ready")).code, 1);
}

TEST_F(ScriptsTest, OnlyWhatRunsForLongIsStopped) {
  const std::string id = start_one();
  const std::string stop = recipe("86400");
  EXPECT_EQ(run(stop).code, 0);
  EXPECT_EQ(running(), id + "\n");
  EXPECT_EQ(run(replaced(stop, "now - 86400", "now + 86400")).code, 0);
  EXPECT_EQ(running(), "");
}

TEST_F(ScriptsTest, AHostIsEmptied) {
  start_one();
  const Finished emptied = run(recipe("resmgr drain"));
  EXPECT_EQ(emptied.code, 0) << emptied.err;
  EXPECT_EQ(running(), "");
  EXPECT_EQ(agent().cli({"start", "hello"}).code, 1);
  EXPECT_EQ(agent().cli({"resume"}).code, 0);
}

TEST_F(ScriptsTest, AnAgentElsewhereIsAsked) {
  const std::string home = agent().dir() / "elsewhere";
  std::filesystem::create_directories(home);
  std::ofstream(home + "/token") << support::admin_token();
  const std::string id = start_one();
  const Finished listed =
      run("HOME=" + home + "\n" +
          replaced(recipe("resmgr.example.org"), "https://resmgr.example.org", agent().url()));
  EXPECT_EQ(listed.code, 0) << listed.err;
  EXPECT_THAT(listed.out, StartsWith(id + "\t"));
}

}  // namespace
}  // namespace resmgr::e2e
