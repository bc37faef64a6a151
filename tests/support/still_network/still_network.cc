// For LD_PRELOAD, of a browser: it isn't told of the host's addresses. Those change with each
// container that comes or goes, for a bridge and each end of a veth has some of its own. Chromium
// takes that for another network, and drops what waits for a connection with
// ERR_NETWORK_CHANGED: whoever looks at a page from another machine never meets with it.

#include <dlfcn.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include <cerrno>

namespace {

// Who asks once is answered; who wants to be told of changes joins a group.
bool subscribes(const sockaddr* address, socklen_t size) {
  return size >= sizeof(sockaddr_nl) && address->sa_family == AF_NETLINK &&
         reinterpret_cast<const sockaddr_nl*>(address)->nl_groups != 0;
}

}  // namespace

extern "C" int bind(int fd, const sockaddr* address, socklen_t size) {
  if (subscribes(address, size)) {
    errno = EPERM;
    return -1;
  }
  using Bind = int(int, const sockaddr*, socklen_t);
  return reinterpret_cast<Bind*>(dlsym(RTLD_NEXT, "bind"))(fd, address, size);
}
