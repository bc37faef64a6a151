// Waiting for a condition instead of for a time.
#ifndef RESMGR_TESTS_SUPPORT_EVENTUALLY_H_
#define RESMGR_TESTS_SUPPORT_EVENTUALLY_H_

#include <chrono>
#include <thread>

namespace resmgr::support {

// Asks until `condition()` holds or `bound` has passed; whether it held. The bound is what a slow,
// busy machine may take, never what the thing should take.
template <typename Condition>
bool eventually(Condition&& condition, std::chrono::milliseconds bound = std::chrono::seconds(60)) {
  const auto deadline = std::chrono::steady_clock::now() + bound;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return true;
}

}  // namespace resmgr::support

#endif  // RESMGR_TESTS_SUPPORT_EVENTUALLY_H_
