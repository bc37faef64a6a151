#include "common/http_connect.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <system_error>

namespace resmgr {
namespace {

using Steady = std::chrono::steady_clock;
using std::chrono::milliseconds;

std::string cause_of(int error) {
  switch (error) {
    case ECONNREFUSED:
      return "connection refused";
    case ENOENT:
      return "no such socket";
    case EACCES:
      return "permission denied";
    case ETIMEDOUT:
      return "no connection in time";
    default:
      break;
  }
  std::string text = std::generic_category().message(error);
  if (!text.empty() && text.front() >= 'A' && text.front() <= 'Z') {
    text.front() = static_cast<char>(text.front() - 'A' + 'a');
  }
  return text;
}

// 0, or what went wrong.
int wait_until_connected(int fd, milliseconds timeout, const std::stop_token& stop) {
  constexpr milliseconds kSlice{50};
  const auto deadline = Steady::now() + timeout;
  for (;;) {
    if (stop.stop_requested()) return ECANCELED;
    const auto left = std::chrono::ceil<milliseconds>(deadline - Steady::now());
    if (left <= milliseconds{0}) return ETIMEDOUT;
    pollfd waiting{fd, POLLOUT, 0};
    const int ready = poll(&waiting, 1, static_cast<int>(std::min(left, kSlice).count()));
    if (ready < 0 && errno != EINTR) return errno;
    if (ready <= 0) continue;
    int error = 0;
    socklen_t size = sizeof error;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
  }
}

// 0, or what went wrong.
int connect_socket(int fd, const sockaddr* address, socklen_t size, milliseconds timeout,
                   const std::stop_token& stop) {
  int error = 0;
  if (connect(fd, address, size) != 0) {
    error = errno == EINPROGRESS ? wait_until_connected(fd, timeout, stop) : errno;
  }
  if (error != 0) return error;
  const int flags = fcntl(fd, F_GETFL);
  return flags >= 0 && fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) == 0 ? 0 : errno;
}

ConnectResult try_address(const sockaddr* address, socklen_t size, milliseconds timeout,
                          const std::stop_token& stop) {
  const int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return {-1, cause_of(errno)};
  if (address->sa_family != AF_UNIX) {
    const int on = 1;
    // Best effort: the connection works without it, only slower.
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  const int error = connect_socket(fd, address, size, timeout, stop);
  if (error == 0) return {fd, {}};
  close(fd);
  return {-1, cause_of(error)};
}

ConnectResult connect_unix(const std::string& path, milliseconds timeout,
                           const std::stop_token& stop) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), std::min(path.size(), sizeof address.sun_path - 1));
  return try_address(reinterpret_cast<const sockaddr*>(&address), sizeof address, timeout, stop);
}

}  // namespace

ConnectResult http_connect(const HttpUrl& url, milliseconds timeout, const std::stop_token& stop) {
  if (url.scheme == HttpUrl::Scheme::unix_socket) return connect_unix(url.host, timeout, stop);

  addrinfo wanted{};
  wanted.ai_family = AF_UNSPEC;
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const std::string port = std::to_string(url.port);
  if (const int error = getaddrinfo(url.host.c_str(), port.c_str(), &wanted, &found); error != 0) {
    return {-1, "host '" + url.host + "' not found (" + gai_strerror(error) + ")"};
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> addresses(found, &freeaddrinfo);
  ConnectResult result;
  for (const addrinfo* one = found; one != nullptr && !stop.stop_requested(); one = one->ai_next) {
    result = try_address(one->ai_addr, one->ai_addrlen, timeout, stop);
    if (result.fd >= 0) break;
  }
  return result;
}

}  // namespace resmgr
