// The part of a connection that receives and sends bytes.
#include "agent/api/connection.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>

namespace resmgr::api {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using Socket = asio::generic::stream_protocol::socket;

// What a peer that was refused may still send before nobody reads it any more.
constexpr std::size_t kMostDiscarded = 1 << 20;
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

bool would_block(const error_code& ec) {
  return ec == asio::error::would_block || ec == asio::error::try_again ||
         ec == asio::error::interrupted;
}

}  // namespace

void Connection::want_input() {
  if (std::exchange(watching_, true)) return;
  socket_.async_wait(Socket::wait_read, [self = shared_from_this()](const error_code& ec) {
    self->watching_ = false;
    if (!ec && self->phase_ != Phase::closed) self->on_readable();
  });
}

// Makes room for input. False if there can't be any: the connection was refused or is to wait.
bool Connection::make_room() {
  if (input_.free_bytes() > 0) return true;
  const std::size_t most = std::max(context_.limits.head_bytes, kFirstBuffer);
  const std::size_t held = input_.data().size();
  if (input_.capacity() == 0 || held < input_.capacity()) {
    input_.make_room(std::max(input_.capacity(), kFirstBuffer));
    return true;
  }
  if (input_.capacity() < most) {
    const std::size_t larger = std::min(2 * input_.capacity(), most);
    if (!charge(larger - input_.capacity())) {
      if (phase_ != Phase::streaming) {
        refuse(503, "unavailable", "too many large requests are being received");
      }
      return false;
    }
    input_.make_room(larger);
    return true;
  }
  if (phase_ == Phase::body) refuse(400, "malformed-request", "a chunk's frame is too long");
  return false;
}

// 0: nothing came, or the connection is closed.
std::size_t Connection::receive(char* into, std::size_t bytes) {
  error_code ec;
  const std::size_t received = socket_.receive(asio::buffer(into, bytes), 0, ec);
  if (!ec) return received;
  if (would_block(ec)) {
    want_input();
  } else {
    close();
  }
  return 0;
}

void Connection::on_readable() {
  if (phase_ == Phase::lingering) return discard_input();
  // Between request and answer nobody reads: what comes waits in the kernel.
  if (phase_ != Phase::head && phase_ != Phase::body && phase_ != Phase::streaming) return;
  if (!make_room()) return advance();
  const bool is_first_byte = phase_ == Phase::head && input_.empty();
  const std::size_t received = receive(input_.free_begin(), input_.free_bytes());
  if (received == 0) return;
  input_.commit(received);
  if (phase_ == Phase::streaming) return want_input();
  if (is_first_byte && !first_request_) {
    enter(Phase::head, context_.options.deadlines.head);
    request_began_ = since_;
  }
  advance();
}

void Connection::discard_input() {
  // Past the bound the peer's own send blocks until the deadline ends the connection.
  if (discarded_ >= kMostDiscarded) return;
  const std::size_t received = receive(shard_.scratch(), Shard::kScratchBytes);
  if (received == 0) return;
  discarded_ += received;
  want_input();
}

void Connection::send_continue() {
  error_code ec;
  const std::size_t sent = socket_.write_some(asio::buffer(kContinue), ec);
  // A peer that left no room for these few bytes does not read its answers.
  if (ec || sent != kContinue.size()) close();
}

void Connection::flush() {
  while (true) {
    std::array<asio::const_buffer, 3> buffers;
    std::transform(out_.begin(), out_.end(), buffers.begin(), [](std::string_view part) {
      return asio::const_buffer(part.data(), part.size());
    });
    if (asio::buffer_size(buffers) == 0) return on_flushed();
    error_code ec;
    std::size_t sent = socket_.write_some(buffers, ec);
    if (ec && !would_block(ec)) return close();
    if (ec) break;
    for (std::string_view& part : out_) {
      const std::size_t of_part = std::min(sent, part.size());
      part.remove_prefix(of_part);
      sent -= of_part;
    }
  }
  deadline_ = std::chrono::steady_clock::now() + context_.options.deadlines.write;
  writing_ = true;
  socket_.async_wait(Socket::wait_write, [self = shared_from_this()](const error_code& ec) {
    self->writing_ = false;
    if (ec || self->phase_ == Phase::closed) return;
    self->flush();
    self->advance();
  });
}

void Connection::on_flushed() {
  if (phase_ != Phase::streaming || stream_ended_) return finish_response();
  if (stream_aborted_) return close();
  // Not at once: a quick writer must not keep others waiting.
  asio::post(io_, [self = shared_from_this()] { self->on_wake(); });
}

}  // namespace resmgr::api
