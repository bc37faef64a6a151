// resmgr, the command.

#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <thread>
#include <vector>

#include "cli/app.h"
#include "common/config.h"

namespace {

std::string login_name() {
  const passwd* const entry = getpwuid(getuid());
  return entry == nullptr ? std::to_string(getuid()) : entry->pw_name;
}

// It gets the terminal, and with it Ctrl-C, which ends both.
int run_program(const std::string& path) {
  constexpr int kCannotRun = 127;
  std::string name = path;
  std::array<char*, 2> arguments = {name.data(), nullptr};
  pid_t child = -1;
  if (posix_spawn(&child, path.c_str(), nullptr, nullptr, arguments.data(), environ) != 0) {
    return kCannotRun;
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return kCannotRun;
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

int main(int argc, char** argv) {
  namespace cli = resmgr::cli;
  // A reader that went away is met where we write (terminal.h), and a peer's closed connection in
  // the HTTP client.
  signal(SIGPIPE, SIG_IGN);
  try {
    cli::FileStream out(STDOUT_FILENO, "standard output");
    cli::FileStream err(STDERR_FILENO, "standard error");
    const resmgr::SystemClock clock;
    const cli::Surroundings surroundings{
        out,
        err,
        clock,
        getuid(),
        login_name,
        resmgr::process_environment,
        cli::read_standard_input,
        cli::look_at_path,
        resmgr::make_http_client,
        cli::catch_signals,
        [](resmgr::Millis time) { std::this_thread::sleep_for(time); },
        run_program,
        cli::run_within,
    };
    const int code = cli::run(std::vector<std::string>(argv + 1, argv + argc), surroundings);
    if (cli::is_any_left()) std::_Exit(code);
    return code;
  } catch (const std::exception& defect) {
    std::fprintf(stderr, "resmgr: internal error: %s\n", defect.what());
    return 1;
  }
}
