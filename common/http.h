// An HTTP/1.1 client (cpp-httplib behind it) and the port that fakes implement.
#ifndef RESMGR_COMMON_HTTP_H_
#define RESMGR_COMMON_HTTP_H_

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/error.h"

namespace resmgr {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

struct HttpResponse {
  int status = 0;
  HttpHeaders headers;
  std::string body;

  // First value of a header, case-insensitive; empty if it is not there.
  std::string_view header(std::string_view name) const;
};

struct HttpRequest {
  std::string method = "GET";
  std::string target = "/";  // path and query, encoded
  HttpHeaders headers;
  std::string body;
  std::string content_type;  // sent when there is a body
  // stream() calls it once, on the caller's thread, when the head of a 2xx answer has come and
  // before any chunk: a subscription stands from then on. May be empty.
  std::function<void(const HttpResponse& head)> on_head;
};

struct HttpEndpoint {
  // "http://host:port[/prefix]", "https://…", or "unix:///path/to.sock". The prefix is put before
  // every target.
  std::string url;
  std::string ca_file;  // PEM; empty: the system's
  std::chrono::milliseconds connect_timeout{5'000};
  std::chrono::milliseconds read_timeout{30'000};      // between two reads
  std::size_t max_body_bytes = std::size_t{64} << 20;  // of an answer that is collected
};

// Error(unavailable) where no connection came about: the request was not sent.
class NotConnected final : public Error {
 public:
  explicit NotConnected(std::string message, std::string hint = {})
      : Error(ErrorKind::unavailable, std::move(message), std::move(hint)) {}
};

class HttpClient {
 public:
  virtual ~HttpClient() = default;

  // Any answer is returned, whatever its status. No answer throws Error(unavailable): the request
  // may or may not have had its effect, unless it is a NotConnected. Thread-safe: concurrent
  // requests use connections of their own, which are kept alive and used again. Redirects are
  // answers, and are not followed. A body over max_body_bytes throws Error(rejected). A request
  // goes out a second time only if its first connection had been kept idle and broke before a byte
  // of an answer came, and only if it could not be written or its method is GET, HEAD or DELETE.
  virtual HttpResponse send(const HttpRequest& request) = 0;

  // As send(), but the body of a 2xx answer goes to `on_chunk` as it comes (the returned body is
  // then empty; another status's body is collected). Ends when the peer ends, when `on_chunk`
  // returns false, or soon after `stop` is requested. No limit on the whole; `idle_timeout` (0 =
  // for ever) limits the wait between two chunks and ends the stream without an error: streams
  // such as Docker's /events are silent for long. What a callback throws ends the stream too, and
  // passes through.
  virtual HttpResponse stream(const HttpRequest& request,
                              const std::function<bool(std::string_view)>& on_chunk,
                              std::chrono::milliseconds idle_timeout, std::stop_token stop) = 0;
};

// Throws Error(config) for an URL that it can't use.
std::unique_ptr<HttpClient> make_http_client(const HttpEndpoint& endpoint);

// Percent-encoding of one path segment or query value (RFC 3986, section 2.3: all but unreserved).
std::string url_encode(std::string_view text);
std::string url_decode(std::string_view text);  // '+' stays; malformed escapes stay as they are

}  // namespace resmgr

#endif  // RESMGR_COMMON_HTTP_H_
