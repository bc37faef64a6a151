#include "agent/api/access_log.h"

#include <string_view>
#include <utility>
#include <vector>

#include "agent/api/address.h"
#include "agent/api/router.h"
#include "agent/api/trace_context.h"
#include "common/error.h"
#include "common/log.h"

namespace resmgr::api {
namespace {

constexpr std::chrono::seconds kSecond{1};

// Ties the entry to the caller's trace, where it has one.
void write_traced(log::Level level, std::string_view message_template, const Request& request,
                  std::vector<log::Field> fields, log::Readers readers = log::Readers::all) {
  if (const auto trace = parse_traceparent(request.header("traceparent"))) {
    fields.emplace_back("TraceId", trace->trace_id);
    fields.emplace_back("SpanId", trace->parent_id);
  }
  log::write(level, message_template, log::Fields(fields), readers);
}

void write_refused(const Request& request, int status, std::int64_t others, log::Readers readers) {
  write_traced(
      log::Level::information,
      "Refused {Method} {Route} of {Peer} with {Status} ({RequestId}), and {Others} others before",
      request,
      {{"Method", to_string(request.method)},
       {"Route", request.route == nullptr ? "-" : std::string_view(request.route->pattern)},
       {"Peer", shown_peer(request)},
       {"Status", status},
       {"RequestId", request.id},
       {"Others", others}},
      readers);
}

}  // namespace

std::optional<std::int64_t> Throttle::pass(std::chrono::steady_clock::time_point now) {
  const std::lock_guard lock(mutex_);
  if (!second_ || now >= *second_ + kSecond) {
    second_ = now;
    passed_ = 0;
  }
  if (passed_ == most_) {
    ++held_back_;
    return std::nullopt;
  }
  ++passed_;
  return std::exchange(held_back_, 0);
}

std::string shown_peer(const Request& request) {
  if (request.peer.uid) return "uid " + std::to_string(*request.peer.uid);
  if (request.peer.trusted_proxy) {
    const std::string_view list = request.header("X-Forwarded-For");
    try {
      return Address::parse(trimmed(list.substr(list.rfind(',') + 1))).text();
    } catch (const Error&) {
      return request.peer.address;
    }
  }
  return request.peer.address;
}

void AccessLog::write(const Request& request, int status, std::chrono::microseconds took) {
  // Anybody can cause these, in any number. What is open to all refuses the gateway's visitors
  // only.
  constexpr int kForbidden = 403;
  const bool is_stranger =
      !request.caller &&
      (request.route == nullptr || request.route->access != Access::open || status == kForbidden);
  if (is_stranger) return write_refusal(request, status);
  const bool changes = request.method != Method::get && request.method != Method::head;
  const log::Level level = changes ? log::Level::information : log::Level::debug;
  if (!log::enabled(level)) return;
  write_traced(level, "{Method} {Route} answered {Status} in {Millis} ms for {User} ({RequestId})",
               request,
               {{"Method", to_string(request.method)},
                {"Route", request.route->pattern},
                {"Status", status},
                {"Millis", static_cast<double>(took.count()) / 1000.0},
                {"User", request.caller ? request.caller->user_id : "-"},
                {"Name", request.caller ? request.caller->name : "-"},
                {"Path", request.path},
                {"Peer", shown_peer(request)},
                {"RequestId", request.id}});
}

void AccessLog::write_refusal(const Request& request, int status) {
  if (status == 204 || !log::enabled(log::Level::information)) return;
  const auto now = std::chrono::steady_clock::now();
  if (const auto others = printed_.pass(now)) {
    write_refused(request, status, *others, log::Readers::standard_error);
  }
  if (const auto others = collected_.pass(now)) {
    write_refused(request, status, *others, log::Readers::collector);
  }
}

}  // namespace resmgr::api
