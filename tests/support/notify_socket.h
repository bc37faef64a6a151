// What a service manager hears of a process: the end of NOTIFY_SOCKET.
#ifndef RESMGR_TESTS_SUPPORT_NOTIFY_SOCKET_H_
#define RESMGR_TESTS_SUPPORT_NOTIFY_SOCKET_H_

#include <chrono>
#include <string>

#include "tests/support/temp_dir.h"

namespace resmgr::support {

class NotifySocket {
 public:
  // Throws std::runtime_error where it can't listen.
  NotifySocket();
  ~NotifySocket();
  NotifySocket(const NotifySocket&) = delete;
  NotifySocket& operator=(const NotifySocket&) = delete;

  std::string path() const { return dir_.path() / "notify"; }
  // The next message; empty if none came within that time.
  std::string next(std::chrono::milliseconds bound);
  // Whether one that begins so is among those that come within that time; what is before it is
  // forgotten, and what it was goes to `message`.
  bool heard(const std::string& beginning, std::string* message = nullptr,
             std::chrono::milliseconds bound = std::chrono::seconds(60));

 private:
  TempDir dir_;
  int fd_ = -1;
};

}  // namespace resmgr::support

#endif  // RESMGR_TESTS_SUPPORT_NOTIFY_SOCKET_H_
