#include "cli/surroundings.h"

#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <future>
#include <thread>
#include <utility>

namespace resmgr::cli {
namespace {

std::atomic<bool> g_any_left{false};

}  // namespace

bool run_within(Millis limit, std::function<void()> work) {
  std::packaged_task<void()> task(std::move(work));
  const std::future<void> end = task.get_future();
  std::thread(std::move(task)).detach();
  const bool ended = end.wait_for(limit) == std::future_status::ready;
  if (!ended) g_any_left = true;
  return ended;
}

bool is_any_left() { return g_any_left; }

PathState look_at_path(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) {
    return errno == EACCES ? PathState::forbidden : PathState::missing;
  }
  if (!S_ISSOCK(status.st_mode)) return PathState::other;
  // connect(2) asks for permission to write.
  return access(path.c_str(), W_OK) == 0 ? PathState::socket : PathState::forbidden;
}

std::optional<std::string> Surroundings::variable(const std::string& name) const {
  auto value = environment(name);
  if (value && value->empty()) value.reset();
  return value;
}

bool Surroundings::colourful(const TextStream& stream) const {
  return stream.is_terminal() && !variable("NO_COLOR") && variable("TERM") != "dumb";
}

}  // namespace resmgr::cli
