// Exponential backoff with full jitter.
#ifndef RESMGR_COMMON_BACKOFF_H_
#define RESMGR_COMMON_BACKOFF_H_

#include <chrono>
#include <cstdint>

namespace resmgr {

class Backoff {
 public:
  Backoff(std::chrono::milliseconds min, std::chrono::milliseconds max) : min_(min), max_(max) {}

  // The next wait: uniform in [min, min(max, min · 2^n)] for the n-th failure in a row (n from 0).
  std::chrono::milliseconds next();
  void reset() { failures_ = 0; }
  std::uint32_t failures() const { return failures_; }

 private:
  std::chrono::milliseconds min_;
  std::chrono::milliseconds max_;
  std::uint32_t failures_ = 0;
};

}  // namespace resmgr

#endif  // RESMGR_COMMON_BACKOFF_H_
