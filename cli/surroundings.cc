#include "cli/surroundings.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace resmgr::cli {

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
