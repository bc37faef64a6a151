// HTTP requests and answers as the routes see them: no socket and no library behind them.
#ifndef RESMGR_AGENT_API_MESSAGE_H_
#define RESMGR_AGENT_API_MESSAGE_H_

#include <sys/types.h>

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/identity/principal.h"

namespace resmgr::api {

enum class Method { get, head, post, put, patch, del, options, other };
Method method_from(std::string_view name);  // case-sensitive, as RFC 9110 has it
std::string_view to_string(Method method);

struct Peer {
  std::optional<uid_t> uid;  // of the process at the other end of the unix socket (SO_PEERCRED)
  std::string address;       // of a TCP peer: numeric, without port; empty for the unix socket
  bool trusted_proxy = false;
};

struct Handover;  // server_context.h

using HeaderView = std::pair<std::string_view, std::string_view>;
struct Route;

// One request. Views point into `head` or `decoded_path`, so that it can't be copied or moved.
// It is valid until its answer was given.
class Request {
 public:
  Request() = default;
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;

  Method method = Method::other;
  int version = 11;                                        // HTTP version: 10 or 11
  std::string_view target;                                 // as it was sent
  std::string_view path;                                   // its path, still encoded
  std::vector<std::string_view> segments;                  // of the path, decoded
  std::vector<std::pair<std::string, std::string>> query;  // decoded, in order
  std::vector<HeaderView> headers;
  std::string body;

  Peer peer;
  std::string id;                             // X-Request-Id: the caller's or made here
  std::optional<identity::Principal> caller;  // empty where the route is open to all
  // Who the kernel says is at the other end; kept over the requests of a connection.
  std::optional<identity::Principal> socket_caller;
  const Route* route = nullptr;            // set once it is known
  std::vector<std::string_view> captures;  // what stands for the {…}s of the route's pattern

  // First value, case-insensitive name; empty if it is not there.
  std::string_view header(std::string_view name) const;
  std::size_t count(std::string_view name) const;
  bool has_header(std::string_view name) const { return count(name) > 0; }

  // Forgets the request, and keeps peer, socket_caller and memory for the next one.
  void reset();

  std::string head;          // request line and headers, byte for byte
  std::string decoded_path;  // holds the segments where the path had escapes
};

struct Response {
  int status = 200;
  std::string_view content_type;  // a constant; empty: there is no body
  std::vector<std::pair<std::string_view, std::string>> headers;  // names are constants
  std::string body;
  // Of status 101: gets the connection, to which nothing was written, and which is then no longer
  // the server's. Called on the connection's I/O thread.
  std::function<void(Handover)> take_over;

  void set(std::string_view name, std::string value) {
    headers.emplace_back(name, std::move(value));
  }
};

inline constexpr char kJson[] = "application/json";
inline constexpr char kProblemJson[] = "application/problem+json";
inline constexpr char kNdjson[] = "application/x-ndjson";
inline constexpr char kCsv[] = "text/csv; charset=utf-8";
inline constexpr char kPrometheusText[] = "text/plain; version=0.0.4; charset=utf-8";
inline constexpr char kPlainText[] = "text/plain; charset=utf-8";

Response json_response(int status, std::string body);

// ASCII only, as header names and tokens are.
bool equal_ignoring_case(std::string_view a, std::string_view b);
// Without spaces and tabs at either end.
std::string_view trimmed(std::string_view text);
// Whether a comma-separated list holds the token (case-insensitive; parameters are passed over).
bool list_has_token(std::string_view list, std::string_view token);

}  // namespace resmgr::api

#endif  // RESMGR_AGENT_API_MESSAGE_H_
