#include "common/failpoint.h"

#ifdef RESMGR_FAILPOINTS

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <string>
#include <string_view>

namespace resmgr {
namespace {

struct Armed {
  std::string name;
  std::atomic<int> left{0};
};

Armed& armed() {
  static Armed instance;
  static const bool read = [] {
    const char* text = std::getenv("RESMGR_FAILPOINT");
    const std::string_view spec = text == nullptr ? "" : text;
    const auto colon = spec.rfind(':');
    instance.name = spec.substr(0, colon);
    instance.left = colon == std::string_view::npos
                        ? 1
                        : std::atoi(std::string(spec.substr(colon + 1)).c_str());
    return true;
  }();
  static_cast<void>(read);
  return instance;
}

}  // namespace

void failpoint(const char* name) {
  Armed& target = armed();
  if (target.name != name || target.left.fetch_sub(1) != 1) return;
  kill(getpid(), SIGKILL);
  pause();
}

}  // namespace resmgr

#endif
