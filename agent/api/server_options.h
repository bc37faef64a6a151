// How the agent's server listens, and what it grants.
#ifndef RESMGR_AGENT_API_SERVER_OPTIONS_H_
#define RESMGR_AGENT_API_SERVER_OPTIONS_H_

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "common/gateway_address.h"

namespace resmgr::api {

struct Deadlines {
  // From connecting, or from the first byte of a later request, to the end of the head.
  std::chrono::milliseconds head{10'000};
  std::chrono::milliseconds body{30'000};   // from the head to the body's end
  std::chrono::milliseconds idle{75'000};   // between two requests
  std::chrono::milliseconds write{30'000};  // without the peer taking a byte
  std::chrono::milliseconds linger{2'000};  // for a peer that was refused to read why
  std::chrono::milliseconds stop{1'000};    // for answers under way when the server stops
};

// Of the subscribers of GET /api/live.
struct LiveOptions {
  std::size_t most_clients = 4096;
  std::chrono::milliseconds ping{20'000};   // without a word from a client until it is asked
  std::chrono::milliseconds write{30'000};  // for a client to take a message
  std::chrono::milliseconds close{2'000};   // for a client to answer that it was closed
  // What is kept of the last messages.
  std::size_t kept_messages = 4'096;
  std::size_t kept_bytes = 8 << 20;
};

struct ServerOptions {
  std::vector<std::string> listen = {"127.0.0.1:7070"};  // "HOST:PORT", "[V6]:PORT"; port 0 = free
  std::string socket_path;                               // of the unix socket; empty: none
  std::string socket_group;  // who may connect beside the owner; empty: nobody
  std::string public_url;    // under which users reach the API; put before links; may be empty
  // Web origins that may call: "https://app.example.org", or "*" for every one.
  std::vector<std::string> cors_origins;
  std::vector<std::string> trusted_proxies;  // addresses or networks (CIDR)
  std::optional<GatewayAddress> gateway;     // where browsers reach tasks; empty: at their ports
  // Network interface from which nobody may connect over TCP: behind it are the tasks. May be
  // empty, and need not exist.
  std::string refused_interface;
  bool allow_plaintext = false;  // listen beyond loopback: a proxy in front does TLS
  std::size_t max_connections = 4096;
  std::size_t max_connections_per_address = 256;  // not for loopback and trusted proxies
  std::size_t max_head_bytes = 16 * 1024;         // request line and headers together
  std::size_t max_headers = 100;
  std::size_t max_body_bytes = 64 * 1024;
  // Memory that heads and bodies in the making may take together, beside 2 KiB a connection.
  std::size_t max_buffered_bytes = 16 << 20;
  std::size_t io_threads = 1;
  Deadlines deadlines;
  LiveOptions live;
};

}  // namespace resmgr::api

#endif  // RESMGR_AGENT_API_SERVER_OPTIONS_H_
