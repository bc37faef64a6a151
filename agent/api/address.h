// Numeric network addresses.
#ifndef RESMGR_AGENT_API_ADDRESS_H_
#define RESMGR_AGENT_API_ADDRESS_H_

#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace resmgr::api {

// An IPv4 or IPv6 address; an IPv4 address mapped into IPv6 counts as the IPv4 address.
struct Address {
  bool v6 = false;
  std::array<std::uint8_t, 16> bytes{};  // IPv4: the first four

  // Throws Error(config) for what is no numeric address.
  static Address parse(std::string_view text);
  static Address of(const sockaddr_storage& from);  // AF_INET or AF_INET6

  bool is_loopback() const;
  std::string text() const;
};

// "HOST:PORT", "[V6]:PORT"; HOST is numeric or "localhost" (127.0.0.1); port 0 is a free one.
struct Endpoint {
  Address address;
  std::uint16_t port = 0;

  // Throws Error(config) naming what is wrong.
  static Endpoint parse(std::string_view text);
  std::string text() const;
};

// "10.0.0.0/8", "::1", …
class NetworkList {
 public:
  // Throws Error(config) naming the entry.
  explicit NetworkList(const std::vector<std::string>& entries);
  bool holds(const Address& address) const;

 private:
  struct Network {
    Address address;
    unsigned bits;
  };
  std::vector<Network> networks_;
};

// Whether the address is in the IPv4 network of that interface, as it is configured now. False for
// one that is not there, and for IPv6: the agent's own network has none.
bool is_behind(const std::string& interface, const Address& address);

}  // namespace resmgr::api

#endif  // RESMGR_AGENT_API_ADDRESS_H_
