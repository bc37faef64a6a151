// Completions in the real shells, before a real agent with running tasks.

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <stdexcept>

#include "tests/e2e/fixture.h"

namespace resmgr::e2e {
namespace {

using support::Finished;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string kScripts = std::string(RESMGR_SOURCE_DIR) + "/completions/";

class CompletionTest : public WithAgent {
 protected:
  std::string start_one() const {
    const Finished started = agent().cli({"start", "hello", "--quiet"});
    EXPECT_EQ(started.code, 0) << started.err;
    return started.out.substr(0, 36);
  }
  // The last 12 digits.
  static std::string tail(const std::string& id) { return id.substr(24); }

  // What the terminal shows once `keys` and a Tab were pressed in the shell, and `pattern` came.
  Finished press(const std::string& keys, const std::string& pattern,
                 const std::vector<std::string>& shell) const {
    support::SpawnOptions spawn = agent().cli_environment();
    spawn.env["TERM"] = "dumb";
    spawn.env["ZDOTDIR"] = settings_.path();
    std::vector<std::string> argv = {"python3", RESMGR_SOURCE_DIR "/tests/e2e/press_keys.py", keys,
                                     pattern};
    argv.insert(argv.end(), shell.begin(), shell.end());
    return support::run(argv, spawn);
  }
  Finished in_bash(const std::string& keys, const std::string& pattern) const {
    const std::string file =
        settings_.write("bashrc", "PS1='ready> '\nsource '" + kScripts + "resmgr.bash'\n");
    return press(keys, pattern, {"bash", "--noprofile", "--rcfile", file, "-i"});
  }
  Finished in_zsh(const std::string& keys, const std::string& pattern) const {
    settings_.write(".zshrc", "PS1='ready> '\nunsetopt prompt_sp prompt_cr\nfpath=('" + kScripts +
                                  "' $fpath)\nautoload -Uz compinit && compinit -u -D\n");
    return press(keys, pattern, {"zsh", "-d", "-i"});
  }
  // What fish offers for the line, each with its description.
  std::string in_fish(const std::string& line) const {
    const Finished offered =
        support::run({"fish", "--no-config", "-C", "source '" + kScripts + "resmgr.fish'", "-c",
                      "complete -C '" + line + "'"},
                     agent().cli_environment());
    EXPECT_EQ(offered.code, 0);
    EXPECT_EQ(offered.err, "");
    return offered.out;
  }

  support::TempDir settings_;
};

TEST_F(CompletionTest, BashCompletesTheIdsOfRunningTasks) {
  const std::string one = tail(start_one());
  Finished shown = in_bash("resmgr stop ", one);
  EXPECT_EQ(shown.code, 0) << shown.out;
  const std::string other = tail(start_one());
  shown = in_bash("resmgr stop ", "(" + one + "|" + other + ") +(" + one + "|" + other + ")");
  EXPECT_EQ(shown.code, 0) << shown.out;
  shown = in_bash("resmgr stop " + one + " ", " " + other);
  EXPECT_EQ(shown.code, 0) << shown.out;
}

TEST_F(CompletionTest, BashCompletesWordsAndFiles) {
  const std::string file = settings_.write("a-token", "");
  for (const auto& [keys, pattern] : std::map<std::string, std::string>{
           {"resmgr serv", "resmgr services "},
           {"resmgr start hel", "start hello "},
           {"resmgr list --output=js", "--output=json "},
           {"resmgr list --outp", "list --output "},
           {"resmgr --output json list --status Runn", "--status Running "},
           {"resmgr --token-file=" + file.substr(0, file.size() - 3), "a-token "}}) {
    const Finished shown = in_bash(keys, pattern);
    EXPECT_EQ(shown.code, 0) << keys << ": " << shown.out;
  }
}

TEST_F(CompletionTest, ZshTellsWhatTheTasksAre) {
  const std::string one = tail(start_one());
  const std::string other = tail(start_one());
  // Those of which the same is told stand in one line.
  Finished shown = in_zsh("resmgr stop ", one + "[^\n]* -- hello, Running");
  EXPECT_EQ(shown.code, 0) << shown.out;
  shown = in_zsh("resmgr stop ", other + "[^\n]* -- hello, Running");
  EXPECT_EQ(shown.code, 0) << shown.out;
  EXPECT_THAT(shown.out, Not(HasSubstr("not found")));
  shown = in_zsh("resmgr serv", "resmgr services");
  EXPECT_EQ(shown.code, 0) << shown.out;
  shown = in_zsh("resmgr list --output=js", "--output=json");
  EXPECT_EQ(shown.code, 0) << shown.out;
}

TEST_F(CompletionTest, FishTellsWhatTheTasksAre) {
  const std::string one = tail(start_one());
  std::string offered;
  // A busy machine may be too slow for one question.
  EXPECT_TRUE(support::eventually([&] {
    offered = in_fish("resmgr stop ");
    return offered.find(one + "\thello, Running") != std::string::npos;
  })) << offered;
  EXPECT_THAT(in_fish("resmgr serv"), "services\tList the services one can start\n");
  EXPECT_THAT(in_fish("resmgr list --output=js"), "--output=json\n");
  const std::string file = settings_.write("a-token", "");
  const std::string beginning = file.substr(0, file.size() - 3);
  EXPECT_EQ(in_fish("resmgr --token-file " + beginning), file + "\n");
  EXPECT_EQ(in_fish("resmgr --token-file=" + beginning), "--token-file=" + file + "\n");
}

// The scripts say nothing where they are loaded.
TEST_F(CompletionTest, TheScriptsLoadWithoutAWord) {
  for (const std::vector<std::string>& argv :
       {std::vector<std::string>{"bash", "-uc", "source '" + kScripts + "resmgr.bash'"},
        {"zsh", "-fc",
         "fpath=('" + kScripts + "' $fpath); autoload -Uz compinit; compinit -u -D; " +
             "autoload +X -Uz _resmgr; [[ $_comps[resmgr] == _resmgr ]]"},
        {"fish", "--no-config", "-c", "source '" + kScripts + "resmgr.fish'"}}) {
    const Finished loaded = support::run(argv, agent().cli_environment());
    EXPECT_EQ(loaded.code, 0) << argv[0];
    EXPECT_EQ(loaded.out + loaded.err, "") << argv[0];
  }
}

// Takes connections and never answers.
class SilentAgent {
 public:
  explicit SilentAgent(const std::string& path) : socket_(::socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    if (bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        listen(socket_, 8) != 0) {
      throw std::runtime_error("cannot listen at " + path + ": " + std::strerror(errno));
    }
  }
  ~SilentAgent() { close(socket_); }
  SilentAgent(const SilentAgent&) = delete;
  SilentAgent& operator=(const SilentAgent&) = delete;

 private:
  int socket_;
};

// Long before the half minute after which other commands give up.
TEST_F(CompletionTest, IsSilentWhereTheAgentHangsOrIsAway) {
  const std::string path = settings_.path() / "silent.sock";
  const SilentAgent silent(path);
  const std::string token = settings_.path() / "token";
  ASSERT_EQ(support::run({"mkfifo", token}).code, 0);
  for (const std::vector<std::string>& globals :
       {std::vector<std::string>{"--agent", path},
        {"--agent", settings_.path() / "none.sock"},
        {"--agent", "http://192.0.2.1:7070"},  // RFC 5737: nobody is there
        {"--agent", "https://resmgr.invalid"},
        {"--agent", agent().socket(), "--token-file", token}}) {  // nobody writes to it
    std::vector<std::string> arguments = {"__complete", "--"};
    arguments.insert(arguments.end(), globals.begin(), globals.end());
    arguments.insert(arguments.end(), {"stop", ""});
    const auto asked = agent().spawn_cli(arguments);
    EXPECT_EQ(asked->wait(std::chrono::seconds(20)), 0) << globals.at(1);
    EXPECT_EQ(asked->out(), ":none\n") << globals.at(1);
    EXPECT_EQ(asked->err(), "") << globals.at(1);
  }
}

}  // namespace
}  // namespace resmgr::e2e
