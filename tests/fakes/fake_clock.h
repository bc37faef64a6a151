// A clock that stands still until a test moves it.
#ifndef RESMGR_TESTS_FAKES_FAKE_CLOCK_H_
#define RESMGR_TESTS_FAKES_FAKE_CLOCK_H_

#include <mutex>

#include "common/clock.h"

namespace resmgr {

// Thread-safe. Begins at 2026-11-22T17:04:05.000Z, one hour after the host booted.
class FakeClock final : public Clock {
 public:
  FakeClock() = default;
  explicit FakeClock(Instant now) : now_(now) {}

  Instant now() const override {
    const std::lock_guard lock(mutex_);
    return now_;
  }
  Millis since_boot() const override {
    const std::lock_guard lock(mutex_);
    return since_boot_;
  }

  // Time passes.
  void advance(Millis by) {
    const std::lock_guard lock(mutex_);
    now_ += by;
    since_boot_ += by;
  }
  // The wall clock steps, in either direction; no time passes.
  void set(Instant now) {
    const std::lock_guard lock(mutex_);
    now_ = now;
  }
  // The host was off for this long and has just booted.
  void reboot(Millis off) {
    const std::lock_guard lock(mutex_);
    now_ += off;
    since_boot_ = Millis{0};
  }

 private:
  mutable std::mutex mutex_;
  Instant now_ = instant_from_millis(1'795'367'045'000);
  Millis since_boot_ = std::chrono::hours{1};
};

}  // namespace resmgr

#endif  // RESMGR_TESTS_FAKES_FAKE_CLOCK_H_
