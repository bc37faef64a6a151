// A request that ends: within a limit on the whole of it, or when another thread wants it to.
#ifndef RESMGR_COMMON_HTTP_CALL_H_
#define RESMGR_COMMON_HTTP_CALL_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <stop_token>
#include <utility>

#include "common/clock.h"
#include "common/http.h"

namespace resmgr {

class HttpCaller {
 public:
  // Of an answer at most `most_bytes` are read. Throws as make_http_client().
  HttpCaller(HttpEndpoint endpoint, Millis whole, std::size_t most_bytes = std::size_t{1} << 20);
  // … through a client that is there already.
  HttpCaller(std::unique_ptr<HttpClient> client, Millis whole,
             std::size_t most_bytes = std::size_t{1} << 20)
      : client_(std::move(client)), whole_(whole), most_bytes_(most_bytes) {}

  // As HttpClient::send(), but each on a connection of its own. Thread-safe.
  HttpResponse send(const HttpRequest& request);
  // From any thread: the call under way ends soon with Error(unavailable), and each later one too.
  void interrupt() noexcept { interrupted_.request_stop(); }
  bool is_interrupted() const noexcept { return interrupted_.stop_requested(); }

 private:
  const std::unique_ptr<HttpClient> client_;
  const Millis whole_;
  const std::size_t most_bytes_;
  std::stop_source interrupted_;
};

// What the answer's Retry-After says: seconds, or a date (RFC 9110, section 10.2.3), of which 0 is
// made if it has passed. Empty: it says nothing that can be read.
std::optional<Millis> retry_after(const HttpResponse& response, Instant now);

}  // namespace resmgr

#endif  // RESMGR_COMMON_HTTP_CALL_H_
