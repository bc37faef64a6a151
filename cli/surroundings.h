// All that a command takes from the process it runs in. Tests put their own in.
#ifndef RESMGR_CLI_SURROUNDINGS_H_
#define RESMGR_CLI_SURROUNDINGS_H_

#include <sys/types.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "cli/interrupts.h"
#include "cli/terminal.h"
#include "common/clock.h"
#include "common/http.h"

namespace resmgr::cli {

// Runs `work` on a thread of its own, and waits up to `limit` for its end; whether it came. What
// has not ended then goes on: the process has to end without taking down what that may use, which
// is_any_left() tells. `work` must not throw.
bool run_within(Millis limit, std::function<void()> work);
bool is_any_left();

// What this user finds at a path.
enum class PathState { missing, forbidden, socket, other };
PathState look_at_path(const std::string& path);

struct Surroundings {
  TextStream& out;
  TextStream& err;
  const Clock& clock;
  uid_t uid;
  std::function<std::string()> login_name;
  std::function<std::optional<std::string>(const std::string& name)> environment;
  std::function<std::string()> read_input;
  // The files are read as they are; a path is looked at here, so that no test depends on /run.
  std::function<PathState(const std::string& path)> look_at;
  std::function<std::unique_ptr<HttpClient>(const HttpEndpoint&)> connect;
  std::function<std::unique_ptr<Interrupts>()> catch_interrupts;
  std::function<void(Millis)> sleep;
  // Runs a program of this host in the foreground; its exit code, 128 + the signal that ended it,
  // or 127 where it could not be run.
  std::function<int(const std::string& path)> run_program;
  // As run_within().
  std::function<bool(Millis limit, std::function<void()> work)> within;

  // A variable that is set and not empty.
  std::optional<std::string> variable(const std::string& name) const;
  // Whether escape sequences are wanted there (https://no-color.org).
  bool colourful(const TextStream& stream) const;
};

}  // namespace resmgr::cli

#endif  // RESMGR_CLI_SURROUNDINGS_H_
