// The port through which everything asks for the time, so that tests can move it.
#ifndef RESMGR_COMMON_CLOCK_H_
#define RESMGR_COMMON_CLOCK_H_

#include <chrono>

namespace resmgr {

// A point of civil time, UTC, milliseconds since 1970-01-01 (no leap seconds).
using Instant = std::chrono::sys_time<std::chrono::milliseconds>;
using Millis = std::chrono::milliseconds;

class Clock {
 public:
  virtual ~Clock() = default;

  // Wall clock; it may step in either direction.
  virtual Instant now() const = 0;
  // Time since the host booted, suspension included (CLOCK_BOOTTIME); it never steps within a boot.
  virtual Millis since_boot() const = 0;
};

class SystemClock final : public Clock {
 public:
  Instant now() const override;
  Millis since_boot() const override;
};

inline Instant instant_from_millis(long long millis) { return Instant{Millis{millis}}; }
inline long long to_millis(Instant instant) { return instant.time_since_epoch().count(); }

}  // namespace resmgr

#endif  // RESMGR_COMMON_CLOCK_H_
