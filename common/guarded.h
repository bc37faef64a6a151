// A value that can be reached only while its mutex is held.
#ifndef RESMGR_COMMON_GUARDED_H_
#define RESMGR_COMMON_GUARDED_H_

#include <mutex>
#include <utility>

namespace resmgr {

template <typename T>
class Guarded {
 public:
  template <typename... Args>
  explicit Guarded(Args&&... args) : value_(std::forward<Args>(args)...) {}

  // Runs `fn(T&)` under the lock and returns what it returns. `fn` must do no I/O, and must not
  // return a reference into the value.
  template <typename Fn>
  auto with(Fn&& fn) {
    const std::lock_guard lock(mutex_);
    return std::forward<Fn>(fn)(value_);
  }

 private:
  std::mutex mutex_;
  T value_;
};

}  // namespace resmgr

#endif  // RESMGR_COMMON_GUARDED_H_
