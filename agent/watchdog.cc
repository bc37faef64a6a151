#include "agent/watchdog.h"

#include <systemd/sd-daemon.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <utility>

#include "common/log.h"

namespace resmgr {

std::optional<Millis> Watchdog::time_limit() {
  std::uint64_t micros = 0;
  if (sd_watchdog_enabled(0, &micros) <= 0) return std::nullopt;
  return std::chrono::floor<Millis>(std::chrono::microseconds(micros));
}

Watchdog::Watchdog(Millis limit, Alive alive)
    : interval_(std::max(limit / 4, Millis{1})), alive_(std::move(alive)) {}

Watchdog::~Watchdog() { stop(); }

void Watchdog::run() {
  step();
  thread_ = std::jthread([this](std::stop_token stop) { loop(std::move(stop)); });
}

void Watchdog::stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void Watchdog::step() {
  if (alive_(interval_)) {
    sd_notify(0, "WATCHDOG=1");
    failing_ = false;
  } else if (!std::exchange(failing_, true)) {
    log::error(
        "The server's threads do not turn: the service manager is not told that all is well");
  }
}

void Watchdog::loop(std::stop_token stop) {
  while (true) {
    {
      std::unique_lock lock(mutex_);
      woken_.wait_for(lock, stop, interval_, [] { return false; });
    }
    if (stop.stop_requested()) return;
    step();
  }
}

}  // namespace resmgr
