#include "agent/tasks/readiness.h"

#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>

#include "common/error.h"
#include "common/http.h"

namespace resmgr::tasks {
namespace {

// A proxy whose service does not listen closes within a millisecond or two.
constexpr int kSettleMillis = 20;

std::string reachable_address(const std::string& address) {
  if (address == "0.0.0.0") return "127.0.0.1";
  if (address == "::") return "::1";
  return address;
}

class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) {}
  ~Socket() {
    if (fd_ >= 0) close(fd_);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  int fd() const { return fd_; }

 private:
  int fd_;
};

bool wait_for(int fd, short events, int millis) {
  pollfd waiting{fd, events, 0};
  return poll(&waiting, 1, millis) == 1;
}

bool connects(int fd, const addrinfo& target, Millis patience) {
  if (connect(fd, target.ai_addr, target.ai_addrlen) == 0) return true;
  if (!wait_for(fd, POLLOUT, static_cast<int>(patience.count()))) return false;
  int error = 0;
  socklen_t size = sizeof error;
  return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0;
}

bool stays_open(int fd) {
  if (!wait_for(fd, POLLIN, kSettleMillis)) return true;
  char byte = 0;
  return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

bool tcp_answers(const std::string& address, int port, Millis patience) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (getaddrinfo(address.c_str(), std::to_string(port).c_str(), &hints, &found) != 0) return false;
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> target(found, freeaddrinfo);
  const Socket socket(
      ::socket(target->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
  return socket.fd() >= 0 && connects(socket.fd(), *target, patience) && stays_open(socket.fd());
}

bool http_answers(const std::string& path, const std::string& address, int port, Millis patience) {
  const bool v6 = address.find(':') != std::string::npos;
  HttpEndpoint endpoint;
  endpoint.url = "http://" + (v6 ? "[" + address + "]" : address) + ":" + std::to_string(port);
  endpoint.connect_timeout = patience;
  endpoint.read_timeout = patience;
  HttpRequest request;
  request.target = path;
  // The connection is not for keeping: the service is not ours to hold open.
  request.headers = {{"Connection", "close"}};
  try {
    const HttpResponse response = make_http_client(endpoint)->send(request);
    return response.status >= 200 && response.status < 400;
  } catch (const Error&) {
    return false;
  }
}

}  // namespace

bool answers(const catalog::Probe& probe, const std::string& address, int port, Millis patience) {
  const std::string target = reachable_address(address);
  switch (probe.kind) {
    case catalog::ProbeKind::none:
      return true;
    case catalog::ProbeKind::tcp:
      return tcp_answers(target, port, patience);
    case catalog::ProbeKind::http:
      return http_answers(probe.path, target, port, patience);
  }
  return false;
}

}  // namespace resmgr::tasks
