#include "agent/api/address.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "common/error.h"

namespace resmgr::api {
namespace {

constexpr std::array<std::uint8_t, 12> kMappedPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

Address from_v6(const in6_addr& raw) {
  Address address;
  std::memcpy(address.bytes.data(), &raw, 16);
  if (std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), address.bytes.begin())) {
    std::copy(address.bytes.begin() + 12, address.bytes.end(), address.bytes.begin());
    std::fill(address.bytes.begin() + 4, address.bytes.end(), std::uint8_t{0});
    return address;
  }
  address.v6 = true;
  return address;
}

template <typename Number>
bool read_number(std::string_view text, Number& out) {
  const char* const end = text.data() + text.size();
  const auto [stop, ec] = std::from_chars(text.data(), end, out);
  return !text.empty() && ec == std::errc{} && stop == end;
}

}  // namespace

Address Address::parse(std::string_view text) {
  const std::string copy(text);
  in_addr v4{};
  if (inet_pton(AF_INET, copy.c_str(), &v4) == 1) {
    Address address;
    std::memcpy(address.bytes.data(), &v4, 4);
    return address;
  }
  in6_addr v6{};
  if (inet_pton(AF_INET6, copy.c_str(), &v6) == 1) return from_v6(v6);
  throw Error(ErrorKind::config, "cannot read address '" + copy + "': it is not numeric");
}

Address Address::of(const sockaddr_storage& from) {
  if (from.ss_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, &from, sizeof v6);
    return from_v6(v6.sin6_addr);
  }
  sockaddr_in v4{};
  std::memcpy(&v4, &from, sizeof v4);
  Address address;
  std::memcpy(address.bytes.data(), &v4.sin_addr, 4);
  return address;
}

bool Address::is_loopback() const {
  if (!v6) return bytes[0] == 127;
  return bytes[15] == 1 &&
         std::all_of(bytes.begin(), bytes.end() - 1, [](std::uint8_t byte) { return byte == 0; });
}

std::string Address::text() const {
  std::array<char, INET6_ADDRSTRLEN> buffer{};
  inet_ntop(v6 ? AF_INET6 : AF_INET, bytes.data(), buffer.data(), buffer.size());
  return buffer.data();
}

Endpoint Endpoint::parse(std::string_view text) {
  const auto refuse = [&](const char* cause) {
    return Error(ErrorKind::config,
                 "cannot listen on '" + std::string(text) + "': " + std::string(cause),
                 "write HOST:PORT with a numeric host, such as 127.0.0.1:7070 or [::1]:7070");
  };
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) throw refuse("the port is missing");
  std::string_view host = text.substr(0, colon);
  const bool in_brackets = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (in_brackets) host = host.substr(1, host.size() - 2);
  if (host == "localhost") host = "127.0.0.1";
  if (in_brackets != (host.find(':') != std::string_view::npos)) {
    throw refuse("an IPv6 address stands in brackets, and no other");
  }
  Endpoint endpoint;
  try {
    endpoint.address = Address::parse(host);
  } catch (const Error&) {
    throw refuse("the host is not a numeric address");
  }
  if (!read_number(text.substr(colon + 1), endpoint.port)) {
    throw refuse("the port is not a number from 0 to 65535");
  }
  return endpoint;
}

std::string Endpoint::text() const {
  const std::string host = address.v6 ? "[" + address.text() + "]" : address.text();
  return host + ":" + std::to_string(port);
}

// One interface is asked, and not all listed: a host has one for each container.
bool is_behind(const std::string& interface, const Address& address) {
  ifreq request{};
  if (address.v6 || interface.size() >= sizeof request.ifr_name) return false;
  std::memcpy(request.ifr_name, interface.c_str(), interface.size() + 1);
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  sockaddr_in own{};
  sockaddr_in mask{};
  bool known = ioctl(fd, SIOCGIFADDR, &request) == 0;
  std::memcpy(&own, &request.ifr_addr, sizeof own);
  known = known && ioctl(fd, SIOCGIFNETMASK, &request) == 0;
  std::memcpy(&mask, &request.ifr_netmask, sizeof mask);
  close(fd);
  in_addr peer{};
  std::memcpy(&peer, address.bytes.data(), sizeof peer);
  return known && ((own.sin_addr.s_addr ^ peer.s_addr) & mask.sin_addr.s_addr) == 0;
}

NetworkList::NetworkList(const std::vector<std::string>& entries) {
  for (const std::string& entry : entries) {
    const std::size_t slash = entry.find('/');
    Network network{Address::parse(entry.substr(0, slash)), 0};
    const unsigned most = network.address.v6 ? 128 : 32;
    network.bits = most;
    if (slash != std::string::npos &&
        (!read_number(std::string_view(entry).substr(slash + 1), network.bits) ||
         network.bits > most)) {
      throw Error(ErrorKind::config, "cannot read network '" + entry +
                                         "': the prefix is not a number from 0 to " +
                                         std::to_string(most));
    }
    networks_.push_back(network);
  }
}

bool NetworkList::holds(const Address& address) const {
  return std::any_of(networks_.begin(), networks_.end(), [&](const Network& network) {
    if (network.address.v6 != address.v6) return false;
    for (unsigned bit = 0; bit < network.bits; bit += 8) {
      const unsigned left = std::min(8U, network.bits - bit);
      const auto mask = static_cast<std::uint8_t>(0xff00U >> left);
      if (((network.address.bytes[bit / 8] ^ address.bytes[bit / 8]) & mask) != 0) return false;
    }
    return true;
  });
}

}  // namespace resmgr::api
