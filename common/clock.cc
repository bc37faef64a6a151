#include "common/clock.h"

#include <time.h>

namespace resmgr {
namespace {

Millis read_clock(clockid_t id) {
  timespec t{};
  clock_gettime(id, &t);
  return Millis{static_cast<long long>(t.tv_sec) * 1000 + t.tv_nsec / 1'000'000};
}

}  // namespace

Instant SystemClock::now() const { return Instant{read_clock(CLOCK_REALTIME)}; }

Millis SystemClock::since_boot() const { return read_clock(CLOCK_BOOTTIME); }

}  // namespace resmgr
