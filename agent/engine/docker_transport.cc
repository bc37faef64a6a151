#include "agent/engine/docker_transport.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <exception>
#include <utility>

#include "agent/engine/docker_words.h"
#include "common/error.h"
#include "common/time_format.h"

namespace resmgr::engine {
namespace {

constexpr std::string_view kUnixScheme = "unix://";
constexpr Millis kTimerSlack{100};
constexpr Millis kPing{5'000};
constexpr Millis kNoLimit = Millis::max();  // of a stream, which may last for days

constexpr char kStuckHint[] =
    "restart it (systemctl restart docker). Before version 23.0 it may lock itself up where "
    "containers come and go (https://github.com/moby/moby/issues/46661): let \"live-restore\" keep "
    "them through its restart, or install a later one";

// The part after "cannot <verb> <thing> '<value>': ".
std::string cause_of(const Error& error) {
  const std::size_t at = error.message().find("': ");
  return at == std::string::npos ? error.message() : error.message().substr(at + 3);
}

// The error of connect(2) does not reach us, but what causes it can be asked for.
std::string hint_for(const std::string& url) {
  if (!url.starts_with(kUnixScheme)) {
    return "check that the container engine listens at that address ([engine] socket, "
           "DOCKER_HOST)";
  }
  const std::string path = url.substr(kUnixScheme.size());
  if (access(path.c_str(), R_OK | W_OK) != 0 && errno == EACCES) {
    return "let the agent's user into group docker (usermod -aG docker <user>)";
  }
  return "start the container engine (systemctl start docker), or say where it is ([engine] "
         "socket, DOCKER_HOST)";
}

using SteadyClock = std::chrono::steady_clock;

// Keeps apart what the reader of a stream throws and what the client does: an Error of the reader
// is none of the engine's being away.
class ReaderGuard {
 public:
  struct Thrown {};

  template <typename Callback>
  void run(const Callback& callback) {
    try {
      callback();
    } catch (...) {
      thrown_ = std::current_exception();
      throw Thrown();
    }
  }
  [[noreturn]] void rethrow() const { std::rethrow_exception(thrown_); }

 private:
  std::exception_ptr thrown_;
};

bool refuses_version(const HttpResponse& response) {
  return response.status == 400 &&
         read_error_message(response.body).find("client version") != std::string::npos;
}

}  // namespace

HttpEndpoint docker_endpoint(const std::string& url) {
  HttpEndpoint endpoint;
  endpoint.url = url;
  const bool known = (url.starts_with(kUnixScheme) && url.size() > kUnixScheme.size()) ||
                     url.starts_with("http://") || url.starts_with("https://") ||
                     url.starts_with("tcp://");
  if (!known) {
    throw Error(ErrorKind::config, "cannot use container engine '" + url + "': unknown scheme",
                "give unix:///path/to/docker.sock or tcp://host:port");
  }
  if (url.starts_with("tcp://")) endpoint.url = "http://" + url.substr(6);
  return endpoint;
}

void fail(std::string_view act, const HttpResponse& response) {
  ErrorKind kind = ErrorKind::rejected;
  if (response.status == 404) kind = ErrorKind::not_found;
  if (response.status == 409) kind = ErrorKind::conflict;
  throw Error(kind, "cannot " + std::string(act) + ": " + read_error_message(response.body));
}

void expect(const HttpResponse& response, std::initializer_list<int> statuses,
            std::string_view act) {
  if (std::find(statuses.begin(), statuses.end(), response.status) == statuses.end()) {
    fail(act, response);
  }
}

DockerTransport::DockerTransport(std::string url, HttpClientFactory make_client)
    : url_(std::move(url)),
      make_client_(std::move(make_client)),
      quick_(make_client_(kQuick)),
      slow_(make_client_(kSlow)) {}

HttpClient& DockerTransport::client_for(Millis read_timeout, std::unique_ptr<HttpClient>& own) {
  if (read_timeout == kQuick) return *quick_;
  if (read_timeout == kSlow) return *slow_;
  own = make_client_(read_timeout);
  return *own;
}

ApiVersion DockerTransport::version() {
  if (const auto known = version_.with([](const auto& version) { return version; })) return *known;
  HttpRequest request;
  request.target = "/version";
  HttpResponse response;
  try {
    response = quick_->send(request);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::unavailable) unreachable(error);
    throw;
  }
  expect(response, {200}, "ask for the version of container engine '" + url_ + "'");
  const ApiVersion negotiated = negotiate_api_version(response.body);
  version_.with([&](auto& version) { version = negotiated; });
  return negotiated;
}

template <typename Send>
HttpResponse DockerTransport::with_version(HttpRequest& request, Millis limit, const Send& send) {
  const std::string target = std::move(request.target);
  const auto once = [&] {
    request.target = "/v" + to_string(version()) + target;
    const auto from = SteadyClock::now();
    try {
      return send();
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::unavailable) throw;
      const bool silent = SteadyClock::now() - from >= limit - kTimerSlack;
      if (silent && answers_ping()) stuck(request.method + " " + request.target, limit);
      unreachable(error);
    }
  };
  HttpResponse response = once();
  // Another engine may have taken the place of the one we asked.
  if (refuses_version(response)) {
    version_.with([](auto& version) { version.reset(); });
    response = once();
  }
  return response;
}

HttpResponse DockerTransport::send(HttpRequest request, Millis read_timeout) {
  std::unique_ptr<HttpClient> own;
  HttpClient& client = client_for(read_timeout, own);
  return with_version(request, read_timeout, [&] { return client.send(request); });
}

DockerTransport::StreamEnd DockerTransport::stream(
    HttpRequest request, std::string_view act,
    const std::function<bool(std::string_view)>& on_chunk, Millis idle_timeout,
    std::stop_token stop) {
  ReaderGuard guard;
  bool had_enough = false;
  SteadyClock::time_point last_heard = SteadyClock::now();
  if (request.on_head) {
    request.on_head = [&, on_head = std::move(request.on_head)](const HttpResponse& head) {
      last_heard = SteadyClock::now();
      guard.run([&] { on_head(head); });
    };
  }
  const auto guarded_chunk = [&](std::string_view chunk) {
    last_heard = SteadyClock::now();
    guard.run([&] { had_enough = !on_chunk(chunk); });
    return !had_enough;
  };
  HttpResponse response;
  try {
    response = with_version(request, kNoLimit, [&] {
      return quick_->stream(request, guarded_chunk, idle_timeout, stop);
    });
  } catch (const ReaderGuard::Thrown&) {
    guard.rethrow();
  }
  if (had_enough || stop.stop_requested()) return StreamEnd::reader;
  if (response.status / 100 != 2) fail(act, response);
  // The client does not tell the two ends apart, but silence is as long as its limit.
  const bool silent =
      idle_timeout > Millis{0} && SteadyClock::now() - last_heard >= idle_timeout - kTimerSlack;
  return silent ? StreamEnd::idle : StreamEnd::peer;
}

bool DockerTransport::answers_ping() const {
  HttpRequest request;
  request.target = "/_ping";
  try {
    return make_client_(kPing)->send(request).status == 200;
  } catch (const Error&) {
    return false;
  }
}

void DockerTransport::stuck(const std::string& call, Millis limit) {
  version_.with([](auto& version) { version.reset(); });
  throw Error(ErrorKind::unavailable,
              "cannot use the container engine '" + url_ +
                  "': it is stuck: it answers a ping, but '" + call + "' had no answer in " +
                  format_duration(limit),
              kStuckHint);
}

void DockerTransport::unreachable(const Error& error) {
  // It may come back as another version.
  version_.with([](auto& version) { version.reset(); });
  throw Error(ErrorKind::unavailable,
              "cannot reach the container engine '" + url_ + "': " + cause_of(error),
              hint_for(url_));
}

}  // namespace resmgr::engine
