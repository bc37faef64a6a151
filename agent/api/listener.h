// Sockets that listen.
#ifndef RESMGR_AGENT_API_LISTENER_H_
#define RESMGR_AGENT_API_LISTENER_H_

#include <sys/types.h>

#include <string>
#include <utility>

#include "agent/api/address.h"

namespace resmgr::api {

// A file descriptor that is closed with its owner.
class OwnedFd {
 public:
  explicit OwnedFd(int fd = -1) : fd_(fd) {}
  ~OwnedFd();
  OwnedFd(OwnedFd&& other) noexcept : fd_(other.release()) {}
  OwnedFd& operator=(OwnedFd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  OwnedFd(const OwnedFd&) = delete;
  OwnedFd& operator=(const OwnedFd&) = delete;
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

// Non-blocking, listening; `endpoint.port` becomes the real one. Throws Error(config) naming the
// address.
OwnedFd listen_on(Endpoint& endpoint);

// A unix socket that listens. Its file gets mode 0660 and `group`, or 0600 where there is no such
// group or it can't be given: nobody may connect who is not meant to, at no time. A file that is
// there already is replaced if it is a socket on which nobody answers; else throws Error(config).
class UnixListener {
 public:
  UnixListener(std::string path, const std::string& group);
  ~UnixListener();  // removes the file, if it is still its own
  UnixListener(const UnixListener&) = delete;
  UnixListener& operator=(const UnixListener&) = delete;
  int release() { return fd_.release(); }

 private:
  std::string path_;
  OwnedFd fd_;
  ino_t inode_ = 0;
  dev_t device_ = 0;
};

}  // namespace resmgr::api

#endif  // RESMGR_AGENT_API_LISTENER_H_
