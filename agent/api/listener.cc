#include "agent/api/listener.h"

#include <grp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <system_error>
#include <vector>

#include "common/error.h"
#include "common/log.h"

namespace resmgr::api {
namespace {

constexpr int kBacklog = 1024;

std::string reason(int error) { return std::generic_category().message(error); }

Error cannot_listen(const std::string& where, const std::string& cause, std::string hint = {}) {
  return {ErrorKind::config, "cannot listen on '" + where + "': " + cause, std::move(hint)};
}

template <typename Raw>
const sockaddr* generic(const Raw& raw) {
  // The one way that the sockets interface has.
  return reinterpret_cast<const sockaddr*>(&raw);
}

int bind_to(int fd, const Endpoint& endpoint) {
  if (endpoint.address.v6) {
    const int on = 1;
    if (setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) != 0) return -1;
    sockaddr_in6 raw{};
    raw.sin6_family = AF_INET6;
    raw.sin6_port = htons(endpoint.port);
    std::memcpy(&raw.sin6_addr, endpoint.address.bytes.data(), 16);
    return bind(fd, generic(raw), sizeof raw);
  }
  sockaddr_in raw{};
  raw.sin_family = AF_INET;
  raw.sin_port = htons(endpoint.port);
  std::memcpy(&raw.sin_addr, endpoint.address.bytes.data(), 4);
  return bind(fd, generic(raw), sizeof raw);
}

std::uint16_t port_of(int fd) {
  sockaddr_storage raw{};
  socklen_t size = sizeof raw;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&raw), &size) != 0) return 0;
  // The port stands at the same place in both families (RFC 3493, section 3.3; netinet/in.h).
  sockaddr_in v4{};
  std::memcpy(&v4, &raw, sizeof v4);
  return ntohs(v4.sin_port);
}

sockaddr_un unix_address(const std::string& path) {
  sockaddr_un raw{};
  raw.sun_family = AF_UNIX;
  if (path.size() >= sizeof raw.sun_path) {
    throw cannot_listen(
        path,
        "the path of a socket has at most " + std::to_string(sizeof raw.sun_path - 1) + " bytes",
        "choose a shorter run directory");
  }
  std::memcpy(raw.sun_path, path.c_str(), path.size() + 1);
  return raw;
}

// Removes what an agent that was killed has left.
void remove_stale(const std::string& path, const sockaddr_un& address) {
  struct stat info {};
  if (lstat(path.c_str(), &info) != 0) return;
  if (!S_ISSOCK(info.st_mode)) throw cannot_listen(path, "a file that is no socket is there");
  const OwnedFd probe(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (connect(probe.get(), generic(address), sizeof address) == 0 || errno == EAGAIN) {
    throw cannot_listen(path, "another program answers on it", "stop the other agent first");
  }
  if (errno != ECONNREFUSED) throw cannot_listen(path, reason(errno));
  if (unlink(path.c_str()) != 0 && errno != ENOENT) throw cannot_listen(path, reason(errno));
}

std::optional<gid_t> group_id(const std::string& name) {
  std::vector<char> buffer(16 * 1024);
  group entry{};
  group* found = nullptr;
  if (getgrnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found) != 0 ||
      found == nullptr) {
    return std::nullopt;
  }
  return entry.gr_gid;
}

// Mode 0660 is given only with the group for which it is meant.
void admit_group(const std::string& path, const std::string& name) {
  mode_t mode = S_IRUSR | S_IWUSR;
  if (!name.empty()) {
    const auto id = group_id(name);
    if (id && lchown(path.c_str(), static_cast<uid_t>(-1), *id) == 0) {
      mode |= S_IRGRP | S_IWGRP;
    } else {
      log::warning("Socket {Path} is for its owner alone: group {Group} {Reason}",
                   {{"Path", path},
                    {"Group", name},
                    {"Reason", id ? "can't be given: " + reason(errno) : "does not exist"}});
    }
  }
  if (chmod(path.c_str(), mode) != 0) throw cannot_listen(path, reason(errno));
}

}  // namespace

OwnedFd::~OwnedFd() {
  if (fd_ >= 0) close(fd_);
}

OwnedFd listen_on(Endpoint& endpoint) {
  const int family = endpoint.address.v6 ? AF_INET6 : AF_INET;
  OwnedFd fd(socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int on = 1;
  // Not SO_REUSEPORT, with which two agents could share a port and not notice.
  if (fd.get() < 0 || setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
      bind_to(fd.get(), endpoint) != 0 || listen(fd.get(), kBacklog) != 0) {
    const int error = errno;
    throw cannot_listen(endpoint.text(), reason(error),
                        error == EADDRINUSE ? "stop the program that listens there, or choose "
                                              "another port"
                                            : "");
  }
  endpoint.port = port_of(fd.get());
  return fd;
}

UnixListener::UnixListener(std::string path, const std::string& group) : path_(std::move(path)) {
  const sockaddr_un address = unix_address(path_);
  remove_stale(path_, address);
  fd_ = OwnedFd(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (fd_.get() < 0 || bind(fd_.get(), generic(address), sizeof address) != 0) {
    throw cannot_listen(path_, reason(errno));
  }
  struct stat info {};
  if (lstat(path_.c_str(), &info) != 0) throw cannot_listen(path_, reason(errno));
  inode_ = info.st_ino;
  device_ = info.st_dev;
  // Until listen() nobody can connect, so that the mode it was made with never counts.
  admit_group(path_, group);
  if (listen(fd_.get(), kBacklog) != 0) throw cannot_listen(path_, reason(errno));
}

UnixListener::~UnixListener() {
  struct stat info {};
  if (lstat(path_.c_str(), &info) == 0 && info.st_ino == inode_ && info.st_dev == device_) {
    unlink(path_.c_str());
  }
}

}  // namespace resmgr::api
