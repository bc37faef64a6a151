#include "tests/support/notify_socket.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <stdexcept>

namespace resmgr::support {

NotifySocket::NotifySocket() : fd_(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path().copy(static_cast<char*>(address.sun_path), sizeof address.sun_path - 1);
  if (fd_ < 0 || bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    throw std::runtime_error("cannot listen on '" + path() + "': " + std::strerror(errno));
  }
}

NotifySocket::~NotifySocket() {
  if (fd_ >= 0) close(fd_);
}

std::string NotifySocket::next(std::chrono::milliseconds bound) {
  pollfd wanted{fd_, POLLIN, 0};
  if (poll(&wanted, 1, static_cast<int>(bound.count())) <= 0) return {};
  std::array<char, 4096> message{};
  const ssize_t size = recv(fd_, message.data(), message.size(), MSG_DONTWAIT);
  return size > 0 ? std::string(message.data(), static_cast<std::size_t>(size)) : std::string();
}

bool NotifySocket::heard(const std::string& beginning, std::string* message,
                         std::chrono::milliseconds bound) {
  const auto deadline = std::chrono::steady_clock::now() + bound;
  for (auto left = bound; left.count() > 0; left = std::chrono::ceil<std::chrono::milliseconds>(
                                                deadline - std::chrono::steady_clock::now())) {
    const std::string one = next(left);
    if (!one.starts_with(beginning)) continue;
    if (message != nullptr) *message = one;
    return true;
  }
  return false;
}

}  // namespace resmgr::support
