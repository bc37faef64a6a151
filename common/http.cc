#include "common/http.h"

#include <poll.h>
#include <strings.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <mutex>
#include <optional>

#include "common/error.h"
#include "common/file_bytes.h"
#include "common/http_connection.h"
#include "common/http_tls.h"
#include "common/http_url.h"
#include "common/time_format.h"
#include "common/version.h"

namespace resmgr {
namespace {

using Steady = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::size_t kMostIdle = 16;
// A peer closes idle connections when it likes. A request that can't be repeated safely takes only
// a connection that was in use a moment ago; another may take an older one, and is repeated.
constexpr milliseconds kFreshEnoughForAny{1'000};
constexpr milliseconds kOldestIdle{60'000};
// The library counts in milliseconds in an int, which 20 days fit into.
constexpr milliseconds kForEver = std::chrono::hours{24 * 20};

bool is_repeatable(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "DELETE";
}

bool is_success(int status) { return status >= 200 && status < 300; }

HttpHeaders headers_of(const httplib::Response& response) {
  return {response.headers.begin(), response.headers.end()};
}

// What happened to one attempt.
struct Attempt {
  bool complete = false;
  httplib::Error error = httplib::Error::Success;
  std::optional<HttpResponse> response;  // once its head came
  bool too_large = false;
  bool ended_by_us = false;
  std::exception_ptr thrown;  // by a callback
  Steady::time_point last_activity;

  // Calls what the caller gave us as if the library were not in between.
  void call_back(NoSigpipe& no_sigpipe, const std::function<void()>& fn) {
    no_sigpipe.restore();
    try {
      fn();
    } catch (...) {
      thrown = std::current_exception();
    }
    no_sigpipe.block();
  }
};

using OnChunk = std::function<bool(std::string_view)>;

void check_free_of_controls(std::string_view what, std::string_view text, unsigned char least) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < least || byte == 0x7f) {
      throw Error(
          ErrorKind::internal,
          "cannot send HTTP request: a control character or a space in its " + std::string(what));
    }
  }
}

class PooledHttpClient final : public HttpClient {
 public:
  explicit PooledHttpClient(HttpEndpoint endpoint)
      : endpoint_(std::move(endpoint)), url_(parse_http_url(endpoint_.url)) {
    if (!endpoint_.ca_file.empty() && access(endpoint_.ca_file.c_str(), R_OK) != 0) {
      throw Error(ErrorKind::config,
                  "cannot read CA file '" + endpoint_.ca_file + "': " + std::strerror(errno));
    }
  }

  HttpResponse send(const HttpRequest& request) override {
    std::unique_ptr<HttpConnection> connection = take(request.method);
    const auto began = Steady::now();
    Attempt attempt = run(*connection, request, nullptr, {});
    // An old connection broke, and no byte of an answer came. If the request was not even written
    // the peer can't have acted on it.
    const bool broke = connection->was_reused() && !attempt.complete && !attempt.response &&
                       Steady::now() - began < endpoint_.read_timeout;
    if (broke && (attempt.error == httplib::Error::Write || is_repeatable(request.method))) {
      connection = open(endpoint_.read_timeout);
      attempt = run(*connection, request, nullptr, {});
    }
    HttpResponse response = result_of(attempt, *connection, request);
    if (attempt.complete) give_back(std::move(connection));
    return response;
  }

  HttpResponse stream(const HttpRequest& request, const OnChunk& on_chunk,
                      milliseconds idle_timeout, std::stop_token stop) override {
    const milliseconds wait = idle_timeout > milliseconds{0} ? idle_timeout : kForEver;
    // A fresh one: only then is a stop never missed between the look at the token and the wait.
    const std::unique_ptr<HttpConnection> connection = open(wait);
    Attempt attempt;
    {
      const std::stop_callback stopper(stop, [&] { connection->stop(); });
      if (!stop.stop_requested()) attempt = run(*connection, request, &on_chunk, stop);
    }
    if (attempt.thrown) std::rethrow_exception(attempt.thrown);
    const bool idle = attempt.error == httplib::Error::Read && attempt.response &&
                      Steady::now() - attempt.last_activity >= wait - milliseconds{1};
    if (stop.stop_requested() || attempt.ended_by_us || idle) {
      return attempt.response.value_or(HttpResponse{});
    }
    return result_of(attempt, *connection, request);
  }

 private:
  std::unique_ptr<HttpConnection> open(milliseconds read_timeout) const {
    return std::make_unique<HttpConnection>(url_, endpoint_, read_timeout);
  }

  std::unique_ptr<HttpConnection> take(std::string_view method) {
    const auto now = Steady::now();
    const milliseconds oldest = is_repeatable(method) ? kOldestIdle : kFreshEnoughForAny;
    std::unique_ptr<HttpConnection> found;
    {
      const std::lock_guard lock(mutex_);
      if (!idle_.empty() && now - idle_.back()->last_used < oldest) {
        found = std::move(idle_.back());
        idle_.pop_back();
      }
    }
    const bool usable =
        found && found->is_quiet() && found->ca_version() == file_version(endpoint_.ca_file);
    if (usable) return found;
    return open(endpoint_.read_timeout);
  }

  // Also drops what nobody took for long. Connections are closed outside of the lock.
  void give_back(std::unique_ptr<HttpConnection> connection) {
    if (!connection->is_open()) return;
    std::vector<std::unique_ptr<HttpConnection>> dropped;
    const auto now = Steady::now();
    connection->last_used = now;
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(connection));
    const auto keep = std::find_if(idle_.begin(), idle_.end(), [&](const auto& one) {
      return now - one->last_used < kOldestIdle;
    });
    const auto surplus = idle_.size() > kMostIdle ? idle_.size() - kMostIdle : 0;
    const auto first = std::max(keep, idle_.begin() + static_cast<std::ptrdiff_t>(surplus));
    std::move(idle_.begin(), first, std::back_inserter(dropped));
    idle_.erase(idle_.begin(), first);
  }

  httplib::Request to_library(const HttpRequest& request) const {
    check_free_of_controls("target", request.target, 0x21);
    check_free_of_controls("method", request.method, 0x21);
    httplib::Request out;
    out.method = request.method;
    out.path = url_.prefix + request.target;
    out.body = request.body;
    for (const auto& [name, value] : request.headers) {
      check_free_of_controls("header", name, 0x21);
      check_free_of_controls("header", value, 0x20);
      out.headers.emplace(name, value);
    }
    const auto otherwise = [&](const char* name, const std::string& value) {
      if (!value.empty() && !out.headers.contains(name)) out.headers.emplace(name, value);
    };
    otherwise("Host", url_.host_header());
    otherwise("User-Agent", std::string("resmgr/") + kVersion);
    if (!request.body.empty()) {
      check_free_of_controls("content type", request.content_type, 0x20);
      otherwise("Content-Type", request.content_type);
    }
    return out;
  }

  // `on_chunk` null: the body is collected whatever the status.
  Attempt run(HttpConnection& connection, const HttpRequest& request, const OnChunk* on_chunk,
              const std::stop_token& stop) const {
    NoSigpipe no_sigpipe;
    Attempt attempt;
    httplib::Request out = to_library(request);
    out.response_handler = [&](const httplib::Response& head) {
      attempt.response = HttpResponse{head.status, headers_of(head), {}};
      attempt.last_activity = Steady::now();
      if (on_chunk != nullptr && request.on_head && is_success(head.status)) {
        attempt.call_back(no_sigpipe, [&] { request.on_head(*attempt.response); });
        if (attempt.thrown) return false;
      }
      // It has no body (RFC 9110, section 15.4.5), but the library would wait for one.
      return head.status != 304;
    };
    out.content_receiver = [&](const char* data, std::size_t size, std::uint64_t, std::uint64_t) {
      HttpResponse& response = *attempt.response;
      if (on_chunk != nullptr && is_success(response.status)) {
        attempt.call_back(no_sigpipe, [&] { attempt.ended_by_us = !(*on_chunk)({data, size}); });
        attempt.last_activity = Steady::now();
        return !attempt.ended_by_us && !attempt.thrown;
      }
      attempt.too_large = response.body.size() + size > endpoint_.max_body_bytes;
      if (!attempt.too_large) response.body.append(data, size);
      return !attempt.too_large;
    };
    httplib::Response in;
    attempt.complete = connection.send(out, in, attempt.error, stop);
    // The library does not show the head of an answer that can have no body (204, or to HEAD).
    if (attempt.complete && !attempt.response) {
      attempt.response = HttpResponse{in.status, headers_of(in), {}};
    }
    return attempt;
  }

  // The answer, or the error that stands for the lack of one.
  HttpResponse result_of(Attempt& attempt, const HttpConnection& connection,
                         const HttpRequest& request) const {
    if (attempt.complete || (attempt.response && attempt.response->status == 304)) {
      return std::move(*attempt.response);
    }
    const std::string thing = "'" + url_.to_string() + "': ";
    if (attempt.too_large) {
      throw Error(ErrorKind::rejected,
                  "cannot read answer of " + thing + "it is over " +
                      format_size(static_cast<std::int64_t>(endpoint_.max_body_bytes)));
    }
    if (attempt.error == httplib::Error::Connection) {
      throw NotConnected("cannot connect to " + thing + connection.connect_cause());
    }
    if (const auto failure = tls_failure(connection, attempt.error, url_, endpoint_.ca_file)) {
      throw NotConnected("cannot connect to " + thing + failure->cause, failure->hint);
    }
    throw Error(ErrorKind::unavailable,
                "cannot get answer to " + request.method + " from " + thing + io_cause(attempt));
  }

  static std::string io_cause(const Attempt& attempt) {
    if (attempt.error == httplib::Error::Write) return "the connection broke while it was sent";
    if (attempt.response) return "the connection broke in the middle of the answer";
    return "the connection was closed, or no answer came in time";
  }

  const HttpEndpoint endpoint_;
  const HttpUrl url_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<HttpConnection>> idle_;  // the last used one is last
};

}  // namespace

std::string_view HttpResponse::header(std::string_view name) const {
  const auto found = std::find_if(headers.begin(), headers.end(), [&](const auto& header) {
    return header.first.size() == name.size() &&
           strncasecmp(header.first.data(), name.data(), name.size()) == 0;
  });
  if (found == headers.end()) return {};
  return found->second;
}

std::unique_ptr<HttpClient> make_http_client(const HttpEndpoint& endpoint) {
  return std::make_unique<PooledHttpClient>(endpoint);
}

}  // namespace resmgr
