#include "agent/api/connection.h"

#include <boost/asio/post.hpp>

#include <algorithm>

#include "agent/api/problems.h"

namespace resmgr::api {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using std::chrono::steady_clock;

// So many requests of one connection in a row before others get their turn.
constexpr int kRequestsInARow = 32;

bool valid_request_id(std::string_view id) {
  return !id.empty() && id.size() <= 64 && std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '.' ||
           c == '_' || c == '-';
  });
}

}  // namespace

Connection::Connection(Shard& shard, asio::io_context& context, Accepted accepted)
    : shard_(shard),
      context_(shard.context()),
      io_(context),
      socket_(context),
      lease_(std::move(accepted.lease)),
      seat_(context_.connections),
      parser_(context_.limits),
      exchange_(std::make_shared<Exchange>(this)) {
  const int family = accepted.peer.uid ? AF_UNIX : AF_INET;
  socket_.assign(asio::generic::stream_protocol(family, 0), accepted.fd.get());
  accepted.fd.release();
  exchange_->request.peer = std::move(accepted.peer);
}

Connection::~Connection() {
  exchange_->detach();
  give_back_charges(0);
}

void Connection::start() {
  error_code ec;
  socket_.non_blocking(true, ec);
  if (ec) return close();
  enter(Phase::head, context_.options.deadlines.head);
  request_began_ = since_;
  want_input();
}

void Connection::close() {
  if (phase_ == Phase::closed) return;
  phase_ = Phase::closed;
  exchange_->detach();
  report();
  error_code ignored;
  socket_.close(ignored);
  shard_.remove(*this);
}

void Connection::enter(Phase phase, std::chrono::milliseconds limit) {
  phase_ = phase;
  since_ = steady_clock::now();
  deadline_ = since_ + limit;
}

bool Connection::charge(std::size_t bytes) {
  if (!context_.budget.take(bytes) &&
      !(shard_.free_buffers(*this) && context_.budget.take(bytes))) {
    return false;
  }
  charged_ += bytes;
  return true;
}

void Connection::give_back_charges(std::size_t but) {
  context_.budget.give(charged_ - but);
  charged_ = but;
}

std::size_t Connection::input_charge() const {
  return input_.capacity() > kFirstBuffer ? input_.capacity() - kFirstBuffer : 0;
}

// Goes on for as long as it can without waiting for anything.
void Connection::advance() {
  if (std::exchange(advancing_, true)) return;
  for (int steps = 0; step(); ++steps) {
    if (steps < 2 * kRequestsInARow) continue;
    asio::post(io_, [self = shared_from_this()] { self->advance(); });
    break;
  }
  advancing_ = false;
}

bool Connection::step() {
  switch (phase_) {
    case Phase::head:
      return step_head();
    case Phase::body:
      return step_body();
    default:
      return false;
  }
}

bool Connection::step_head() {
  if (input_.empty()) {
    if (shard_.draining()) {
      close();
    } else {
      want_input();
    }
    return false;
  }
  Request& request = exchange_->request;
  const std::size_t length = parser_.parse_head(input_.data(), request);
  if (length == 0 && !parser_.fault()) {
    want_input();
    return false;
  }
  const std::string_view wanted_id = request.header("X-Request-Id");
  request.id = valid_request_id(wanted_id) ? std::string(wanted_id) : shard_.next_request_id();
  if (parser_.fault()) {
    refuse(parser_.fault()->status, parser_.fault()->name, parser_.fault()->detail);
    return true;
  }
  input_.consume(length);
  phase_ = Phase::admitting;
  Admission admission = context_.application.admit(exchange_);
  switch (admission.verdict) {
    case Admission::Verdict::proceed:
      begin_body();
      return true;
    case Admission::Verdict::refuse:
      unread_body_ = !parser_.done();
      respond(std::move(*admission.refusal));
      return true;
    case Admission::Verdict::pending:
      exchange_is_shared_ = true;
      return false;
  }
  return false;
}

void Connection::begin_body() {
  if (parser_.done()) return handle();
  const std::size_t most = context_.limits.body_bytes;
  const auto expected = static_cast<std::size_t>(parser_.content_length().value_or(most));
  if (expected > kFirstBuffer && !charge(expected)) {
    return refuse(503, "unavailable", "too many large requests are being received");
  }
  enter(Phase::body, context_.options.deadlines.body);
  if (parser_.expects_continue() && input_.empty()) send_continue();
}

bool Connection::step_body() {
  Request& request = exchange_->request;
  const std::size_t used = parser_.parse_body(input_.data(), request);
  input_.consume(used);
  if (parser_.fault()) {
    refuse(parser_.fault()->status, parser_.fault()->name, parser_.fault()->detail);
  } else if (parser_.done()) {
    handle();
  } else if (used == 0) {
    want_input();
    return false;
  }
  return true;
}

void Connection::handle() {
  phase_ = Phase::handling;
  std::optional<Response> response = context_.application.handle(exchange_);
  if (response) return respond(std::move(*response));
  exchange_is_shared_ = true;
}

void Connection::refuse(int status, std::string_view name, std::string_view detail) {
  Request& request = exchange_->request;
  if (request.id.empty()) request.id = shard_.next_request_id();
  unread_body_ = true;
  respond(problem_response(status, name, detail, request));
}

void Connection::next_request() {
  if (!exchange_is_shared_) {
    exchange_->request.reset();
  } else {
    exchange_->detach();
    auto fresh = std::make_shared<Exchange>(this);
    // Another thread may still read the old request; what is copied changes no more.
    fresh->request.peer = exchange_->request.peer;
    fresh->request.socket_caller = exchange_->request.socket_caller;
    exchange_ = std::move(fresh);
    exchange_is_shared_ = false;
  }
  parser_.reset();
  first_request_ = false;
  unread_body_ = false;
  const auto& deadlines = context_.options.deadlines;
  if (input_.empty()) input_.release();
  give_back_charges(input_charge());
  if (input_.empty()) {
    enter(Phase::head, deadlines.idle);
  } else {
    enter(Phase::head, deadlines.head);
  }
  request_began_ = since_;
}

void Connection::check_deadline(SteadyTime now) {
  if (phase_ == Phase::handling || phase_ == Phase::admitting || phase_ == Phase::streaming) {
    if (stream_until_ && *stream_until_ <= now) return close();
    if (exchange_->due(now)) on_wake();
    // While a piece waits to be written there is a deadline for it.
    if (!writing_) return;
  }
  if (now < deadline_) return;
  switch (phase_) {
    case Phase::head:
      if (input_.empty()) return close();
      refuse(408, "request-timeout", "the request's head did not come in time");
      return advance();
    case Phase::body:
      refuse(408, "request-timeout", "the request's body did not come in time");
      return advance();
    default:
      return close();
  }
}

void Connection::wake() {
  // Called under the exchange's lock, which close() takes before the shard can go.
  asio::post(io_, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->on_wake();
  });
}

void Connection::on_wake() {
  if (phase_ != Phase::admitting && phase_ != Phase::handling && phase_ != Phase::streaming) return;
  if (writing_) return;
  Exchange::Mail mail = exchange_->collect(steady_clock::now());
  if (mail.answer) {
    unread_body_ = phase_ == Phase::admitting && !parser_.done();
    respond(std::move(*mail.answer));
  } else if (mail.stream) {
    pump(std::move(mail));
  } else if (mail.proceed && phase_ == Phase::admitting) {
    begin_body();
  } else {
    return;
  }
  advance();
}

}  // namespace resmgr::api
