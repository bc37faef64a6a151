#include "common/http_call.h"

#include <time.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "common/time_format.h"

namespace resmgr {
namespace {

using std::chrono::steady_clock;

// Requests a stop when its time is over, unless it is destroyed before.
class Deadline {
 public:
  Deadline(Millis after, std::stop_source& stop)
      : until_(steady_clock::now() + after), thread_([this, &stop](const std::stop_token& ended) {
          std::unique_lock lock(mutex_);
          changed_.wait_until(lock, ended, until_, [] { return false; });
          if (!ended.stop_requested()) stop.request_stop();
        }) {}

  bool is_over() const { return steady_clock::now() >= until_; }

 private:
  const steady_clock::time_point until_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::jthread thread_;  // ends before what it uses
};

HttpEndpoint bounded(HttpEndpoint endpoint, Millis whole, std::size_t most_bytes) {
  endpoint.read_timeout = whole;
  endpoint.connect_timeout = std::min(endpoint.connect_timeout, whole);
  endpoint.max_body_bytes = most_bytes;
  return endpoint;
}

}  // namespace

HttpCaller::HttpCaller(HttpEndpoint endpoint, Millis whole, std::size_t most_bytes)
    : client_(make_http_client(bounded(std::move(endpoint), whole, most_bytes))),
      whole_(whole),
      most_bytes_(most_bytes) {}

HttpResponse HttpCaller::send(const HttpRequest& request) {
  std::stop_source stop;
  const std::stop_callback forward(interrupted_.get_token(), [&] { stop.request_stop(); });
  Deadline deadline(whole_, stop);
  std::string body;
  bool too_large = false;
  const auto keep = [&](std::string_view chunk) {
    too_large = body.size() + chunk.size() > most_bytes_;
    if (!too_large) body += chunk;
    return !too_large;
  };
  const auto give_up = [&] {
    const std::string cause = deadline.is_over() ? "none came within " + format_duration(whole_)
                                                 : "it was given up for the agent's stop";
    return Error(ErrorKind::unavailable, "cannot get answer: " + cause);
  };
  if (is_interrupted()) throw give_up();
  HttpResponse response;
  try {
    response = client_->stream(request, keep, Millis{0}, stop.get_token());
  } catch (const Error&) {
    // The client's own timeout may have been noticed before the deadline's.
    if (stop.stop_requested() || deadline.is_over()) throw give_up();
    throw;
  }
  if (stop.stop_requested()) throw give_up();
  if (too_large) {
    throw Error(ErrorKind::rejected, "cannot read answer: it is over " +
                                         format_size(static_cast<std::int64_t>(most_bytes_)));
  }
  // Only the body of a 2xx answer is streamed.
  if (!body.empty()) response.body = std::move(body);
  return response;
}

std::optional<Millis> retry_after(const HttpResponse& response, Instant now) {
  const std::string text(response.header("Retry-After"));
  if (text.empty()) return std::nullopt;
  // More than any wish that is honoured, and its milliseconds still fit.
  constexpr std::int64_t kMostSeconds = 1'000'000'000;
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  const bool is_number = end == text.data() + text.size();
  if (is_number && error == std::errc::result_out_of_range) return Millis{1'000 * kMostSeconds};
  if (is_number && error == std::errc() && seconds >= 0) {
    return Millis{1'000 * std::min(seconds, kMostSeconds)};
  }
  std::tm date{};
  const char* const rest = strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &date);
  if (rest == nullptr || *rest != '\0') return std::nullopt;
  const Instant then = instant_from_millis(1'000LL * timegm(&date));
  return std::max(Millis{0}, then - now);
}

}  // namespace resmgr
