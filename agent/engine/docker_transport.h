// Requests to a Docker daemon: where it is, which version of its API is spoken, how long an answer
// may take, and what an error of either side means.
#ifndef RESMGR_AGENT_ENGINE_DOCKER_TRANSPORT_H_
#define RESMGR_AGENT_ENGINE_DOCKER_TRANSPORT_H_

#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "agent/engine/docker_json.h"
#include "common/clock.h"
#include "common/error.h"
#include "common/guarded.h"
#include "common/http.h"

namespace resmgr::engine {

// Makes a client of the one daemon that waits at most `read_timeout` for an answer.
using HttpClientFactory = std::function<std::unique_ptr<HttpClient>(Millis read_timeout)>;

// The endpoint for a daemon's address as in DOCKER_HOST: "unix:///path", "tcp://host:port",
// "http://host:port", "https://host:port". Throws Error(config) for any other.
HttpEndpoint docker_endpoint(const std::string& url);

// Thread-safe. Targets are without the version, "/containers/json".
class DockerTransport {
 public:
  static constexpr Millis kQuick{30'000};
  static constexpr Millis kSlow{120'000};  // creating and starting move data and make networks

  DockerTransport(std::string url, HttpClientFactory make_client);

  // Returns an answer of any status. Throws Error(unavailable) if there is none; where the daemon
  // answers a ping nevertheless, the error says that it is stuck.
  HttpResponse send(HttpRequest request, Millis read_timeout = kQuick);

  enum class StreamEnd { peer, idle, reader };
  // Reads the body of a 2xx answer until the daemon ends it, nothing came for `idle_timeout` (0 =
  // no limit), or the reader had enough (`on_chunk` returned false, or `stop`). What callbacks
  // throw passes through. Another status is an error by `act` (see fail()).
  StreamEnd stream(HttpRequest request, std::string_view act,
                   const std::function<bool(std::string_view)>& on_chunk, Millis idle_timeout,
                   std::stop_token stop);

  ApiVersion version();

 private:
  template <typename Send>
  HttpResponse with_version(HttpRequest& request, Millis limit, const Send& send);
  HttpClient& client_for(Millis read_timeout, std::unique_ptr<HttpClient>& own);
  bool answers_ping() const;
  [[noreturn]] void stuck(const std::string& call, Millis limit);
  [[noreturn]] void unreachable(const Error& error);

  const std::string url_;
  const HttpClientFactory make_client_;
  const std::unique_ptr<HttpClient> quick_;
  const std::unique_ptr<HttpClient> slow_;
  Guarded<std::optional<ApiVersion>> version_;
};

// Throws what an error answer means: 404 not_found, 409 conflict, else rejected; "cannot <act>:
// <the daemon's words>". `act` is such as "start container 'x'".
[[noreturn]] void fail(std::string_view act, const HttpResponse& response);

// Returns if the status is one of these, else as fail().
void expect(const HttpResponse& response, std::initializer_list<int> statuses,
            std::string_view act);

}  // namespace resmgr::engine

#endif  // RESMGR_AGENT_ENGINE_DOCKER_TRANSPORT_H_
