// One log entry a request. Never its query or its token.
#ifndef RESMGR_AGENT_API_ACCESS_LOG_H_
#define RESMGR_AGENT_API_ACCESS_LOG_H_

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>

#include "agent/api/message.h"

namespace resmgr::api {

// Lets some through within a second, and counts the others.
class Throttle {
 public:
  explicit Throttle(int most) : most_(most) {}
  // How many were held back since the last one that was let through; empty: hold this one back.
  std::optional<std::int64_t> pass(std::chrono::steady_clock::time_point now);

 private:
  const int most_;
  std::mutex mutex_;
  std::optional<std::chrono::steady_clock::time_point> second_;  // its beginning
  int passed_ = 0;                                               // in it
  std::int64_t held_back_ = 0;
};

class AccessLog {
 public:
  void write(const Request& request, int status, std::chrono::microseconds took);

 private:
  void write_refusal(const Request& request, int status);

  // What a flood of strangers may cost. A log server wants to know of each that is refused, as far
  // as that is to be had; on standard error they would hide everything else.
  static constexpr int kPrinted = 1;
  static constexpr int kCollected = 100;
  Throttle printed_{kPrinted};
  Throttle collected_{kCollected};
};

// Who is at the other end, as far as it is known: "10.0.0.7", "uid 1000". Behind a trusted proxy,
// whom that one names last.
std::string shown_peer(const Request& request);

}  // namespace resmgr::api

#endif  // RESMGR_AGENT_API_ACCESS_LOG_H_
