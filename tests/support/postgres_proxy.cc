#include "tests/support/postgres_proxy.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <stdexcept>
#include <string_view>

namespace resmgr::support {
namespace {

constexpr int kTickMillis = 20;
constexpr char kSocket[] = "/.s.PGSQL.5432";

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) throw std::runtime_error("the path is too long");
  std::memcpy(address.sun_path, path.c_str(), path.size());
  return address;
}

const sockaddr* generic(const sockaddr_un& address) {
  const void* const pointer = &address;
  return static_cast<const sockaddr*>(pointer);
}

bool readable(int fd) {
  pollfd ready{.fd = fd, .events = POLLIN, .revents = 0};
  return ::poll(&ready, 1, kTickMillis / 2) > 0;
}

// What comes from one goes to the other; false at the end.
bool pass_on(int from, int to, std::string& seen) {
  std::array<char, 65536> block{};
  const ssize_t got = ::recv(from, block.data(), block.size(), 0);
  if (got <= 0) return false;
  seen.assign(block.data(), static_cast<std::size_t>(got));
  return to < 0 || ::send(to, seen.data(), seen.size(), MSG_NOSIGNAL) == got;
}

}  // namespace

PostgresProxy::PostgresProxy(const std::string& server_directory)
    : server_socket_(server_directory + kSocket) {
  listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_un address = address_of(dir_.path().string() + kSocket);
  if (::bind(listener_, generic(address), sizeof address) != 0 || ::listen(listener_, 8) != 0) {
    throw std::runtime_error("the proxy can't listen");
  }
  thread_ = std::jthread([this](const std::stop_token& stop) { serve(stop); });
}

PostgresProxy::~PostgresProxy() {
  thread_.request_stop();
  thread_.join();
  ::close(listener_);
}

std::string PostgresProxy::url(const std::string& database) const {
  return "postgresql://postgres@/" + database + "?host=" + dir_.path().string();
}

void PostgresProxy::cut(Cut when, const std::string& text) {
  text_ = text;
  cut_ = when;
}

void PostgresProxy::serve(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    if (!readable(listener_)) continue;
    const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) continue;
    forward(client, stop);
    ::close(client);
  }
}

// One client at a time.
void PostgresProxy::forward(int client, const std::stop_token& stop) {
  const int server = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_un address = address_of(server_socket_);
  bool open = ::connect(server, generic(address), sizeof address) == 0;
  std::string seen;
  while (open && !stop.stop_requested()) {
    if (readable(client)) {
      std::array<char, 65536> block{};
      const ssize_t got = ::recv(client, block.data(), block.size(), MSG_PEEK);
      const std::string_view text(block.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
      const Cut cut = text.find(text_) == std::string_view::npos ? Cut::never : cut_.load();
      if (cut != Cut::never) cut_ = Cut::never;
      if (cut == Cut::before) break;
      open = pass_on(client, server, seen);
      if (cut == Cut::after) {
        static_cast<void>(pass_on(server, -1, seen));  // the server's answer, for nobody
        break;
      }
    }
    if (open && readable(server)) open = pass_on(server, client, seen);
  }
  ::close(server);
}

}  // namespace resmgr::support
