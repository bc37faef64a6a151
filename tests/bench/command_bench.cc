// How long two commands take from fork to the end of the child, in turns, their output thrown away.
//
// Usage: command_bench TIMES FILE COMMAND… --versus COMMAND…
//   FILE gets the figures: the first command's as of=ours, the second's as of=theirs.

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "tests/bench/figures.h"

namespace resmgr::bench {
namespace {

double run_once(std::vector<std::string> words) {
  std::vector<char*> arguments;
  for (auto& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  const auto begin = SteadyClock::now();
  pid_t child = -1;
  const int failed =
      posix_spawnp(&child, arguments.front(), &actions, nullptr, arguments.data(), environ);
  int status = -1;
  if (failed == 0) waitpid(child, &status, 0);
  const double taken = millis_since(begin);
  posix_spawn_file_actions_destroy(&actions);
  if (status != 0) throw std::runtime_error(words.front() + " failed");
  return taken;
}

void run(const std::vector<std::string>& words) {
  std::vector<std::vector<std::string>> commands(1);
  for (std::size_t i = 2; i < words.size(); ++i) {
    if (words[i] == "--versus") {
      commands.emplace_back();
    } else {
      commands.back().push_back(words[i]);
    }
  }
  if (commands.size() != 2 || commands[0].empty() || commands[1].empty()) {
    throw std::runtime_error("usage: command_bench TIMES FILE COMMAND… --versus COMMAND…");
  }
  Rounds ours;
  Rounds theirs;
  for (int left = std::stoi(words[0]); left > 0; --left) {
    ours.push_back({run_once(commands[0])});
    theirs.push_back({run_once(commands[1])});
  }
  Figures figures(words[1]);
  figures.add("command", "ms", {{"of", "ours"}}, ours);
  figures.add("command", "ms", {{"of", "theirs"}}, theirs);
}

}  // namespace
}  // namespace resmgr::bench

int main(int argc, char** argv) {
  return resmgr::bench::run_bench("command_bench", [&] {
    resmgr::bench::run({argv + 1, argv + argc});
  });
}
