#include "agent/api/live_client.h"

#include <boost/asio/buffer.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/core/string_type.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>

#include <cstddef>
#include <memory>

namespace resmgr::api {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
namespace websocket = boost::beast::websocket;
using boost::system::error_code;
using std::chrono::steady_clock;

// Nothing that a client says is heard; more than this in one message ends it (1009).
constexpr std::size_t kMostHeard = 4 * 1024;
constexpr std::chrono::seconds kHandshake{10};

using HandshakeRequest = http::request<http::empty_body>;

// What Beast looks at; that it is a proper handshake was seen before.
std::shared_ptr<HandshakeRequest> request_of(const LiveHandshake& handshake) {
  auto request = std::make_shared<HandshakeRequest>();
  request->version(11);
  request->method(http::verb::get);
  request->target("/");
  request->set(http::field::host, "agent");
  request->set(http::field::connection, "Upgrade");
  request->set(http::field::upgrade, "websocket");
  request->set(http::field::sec_websocket_version, "13");
  request->set(http::field::sec_websocket_key, handshake.key);
  return request;
}

}  // namespace

LiveClient::LiveClient(Hub& hub, asio::io_context& io, const LiveOptions& options,
                       Handover handover, LiveSubscription its_subscription)
    : subscription(std::move(its_subscription)),
      hub_(hub),
      options_(options),
      lease_(std::move(handover.lease)),
      seat_(std::move(handover.seat)),
      socket_(io.get_executor()) {
  error_code ec;
  socket_.next_layer().assign(asio::ip::tcp::v4(), handover.fd.get(), ec);
  // Where it can't be watched start() finds it closed.
  if (!ec) handover.fd.release();
}

void LiveClient::start(const LiveHandshake& handshake) {
  if (!socket_.next_layer().is_open()) return drop();
  websocket::stream_base::timeout timeout{};
  timeout.handshake_timeout = kHandshake;
  // A ping goes out in the middle of it.
  timeout.idle_timeout = 2 * options_.ping;
  timeout.keep_alive_pings = true;
  socket_.set_option(timeout);
  socket_.set_option(websocket::stream_base::decorator(
      [protocol = handshake.protocol, id = handshake.request_id](websocket::response_type& answer) {
        if (!protocol.empty()) answer.set(http::field::sec_websocket_protocol, protocol);
        answer.set("X-Request-Id", id);
      }));
  socket_.auto_fragment(false);
  socket_.text(true);
  socket_.read_message_max(kMostHeard);
  const auto request = request_of(handshake);
  socket_.async_accept(*request, [self = shared_from_this(), request](const error_code& ec) {
    if (ec || self->gone_) return self->drop();
    self->open_ = true;
    self->read();
    self->wake();
  });
}

// Reading is what answers pings and notices that the client is gone.
void LiveClient::read() {
  socket_.async_read_some(asio::buffer(ignored_),
                          [self = shared_from_this()](const error_code& ec, std::size_t) {
                            if (!ec) return self->read();
                            // While we close, the answer to that ends the reading.
                            if (!self->closing_) self->drop();
                          });
}

void LiveClient::wake() {
  if (open_ && !message_) advance(true);
}

void LiveClient::advance(bool waited) {
  if (closing_ || gone_) return;
  message_ = hub_.next(*this, waited);
  if (!message_) return;
  deadline_ = steady_clock::now() + options_.write;
  socket_.async_write(asio::buffer(*message_),
                      [self = shared_from_this()](const error_code& ec, std::size_t) {
                        self->message_.reset();
                        if (!ec) return self->advance(false);
                        if (!self->closing_) self->drop();
                      });
}

void LiveClient::close(std::uint16_t code, std::string_view reason) {
  if (closing_ || gone_) return;
  if (!open_) return drop();
  closing_ = true;
  deadline_ = steady_clock::now() + options_.close;
  // It waits for the message that is being written.
  socket_.async_close(
      websocket::close_reason(static_cast<websocket::close_code>(code),
                              boost::beast::string_view(reason.data(), reason.size())),
      [self = shared_from_this()](const error_code&) { self->drop(); });
}

void LiveClient::drop() {
  if (std::exchange(gone_, true)) return;
  error_code ignored;
  socket_.next_layer().close(ignored);
  lease_ = {};
  seat_ = {};
  hub_.gone(*this);
}

void LiveClient::check_deadlines(SteadyTime now) {
  if ((message_ || closing_) && now >= deadline_) return drop();
  if (subscription.until && now >= *subscription.until) {
    close(live_close::kTokenExpired, "the token has run out");
  }
}

}  // namespace resmgr::api
