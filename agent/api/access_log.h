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

// Lets one through a second, and counts the others.
class Throttle {
 public:
  // How many were held back since the last one that was let through; empty: hold this one back.
  std::optional<std::int64_t> pass(std::chrono::steady_clock::time_point now);

 private:
  std::mutex mutex_;
  std::optional<std::chrono::steady_clock::time_point> last_;
  std::int64_t held_back_ = 0;
};

class AccessLog {
 public:
  void write(const Request& request, int status, std::chrono::microseconds took);

 private:
  void write_refusal(const Request& request, int status);

  Throttle refusals_;
};

// Who is at the other end, as far as it is known: "10.0.0.7", "uid 1000". Behind a trusted proxy,
// whom that one names last.
std::string shown_peer(const Request& request);

}  // namespace resmgr::api

#endif  // RESMGR_AGENT_API_ACCESS_LOG_H_
