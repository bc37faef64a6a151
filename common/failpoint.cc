#include "common/failpoint.h"

#ifdef RESMGR_FAILPOINTS

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <string>
#include <utility>

namespace resmgr {
namespace {

struct Armed {
  std::string name;
  std::atomic<int> left{0};
  int trace = -1;
};

const char* environment(const char* name) {
  const char* text = std::getenv(name);
  return text == nullptr ? "" : text;
}

Armed& armed() {
  static Armed instance;
  static const bool read = [] {
    const std::string_view spec = environment("RESMGR_FAILPOINT");
    const auto colon = spec.rfind(':');
    instance.name = spec.substr(0, colon);
    instance.left = colon == std::string_view::npos
                        ? 1
                        : std::atoi(std::string(spec.substr(colon + 1)).c_str());
    const std::string trace = environment("RESMGR_FAILPOINT_TRACE");
    if (!trace.empty()) {
      instance.trace = open(trace.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    }
    return true;
  }();
  static_cast<void>(read);
  return instance;
}

FailpointHandler& handler() {
  thread_local FailpointHandler instance;
  return instance;
}

}  // namespace

void set_failpoint_handler(FailpointHandler its) { handler() = std::move(its); }

void failpoint(FailpointName name) {
  if (handler()) return handler()(name.text());
  Armed& target = armed();
  if (target.trace >= 0) {
    const std::string line = std::string(name.text()) + "\n";
    // A line that is lost shows in the test: it is what the test looks for.
    [[maybe_unused]] const auto written = write(target.trace, line.data(), line.size());
  }
  if (target.name != name.text() || target.left.fetch_sub(1) != 1) return;
  kill(getpid(), SIGKILL);
  pause();
}

}  // namespace resmgr

#endif
