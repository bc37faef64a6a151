// The part of a connection that makes answers into bytes.
#include "agent/api/connection.h"

#include <array>
#include <charconv>
#include <utility>

#include "agent/api/problems.h"

namespace resmgr::api {
namespace {

// What an answer may leave behind in a connection that waits for the next request.
constexpr std::size_t kKeptBodyBytes = 1024;
constexpr std::string_view kEndOfChunk = "\r\n";
constexpr std::string_view kEndOfChunkAndBody = "\r\n0\r\n\r\n";
constexpr std::string_view kEndOfBody = "0\r\n\r\n";

void append_chunk_size(std::string& out, std::size_t size) {
  std::array<char, 20> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), size, 16).ptr;
  out.append(buffer.data(), end);
  out += "\r\n";
}

}  // namespace

// A refused request whose body has come already does not cost the connection.
void Connection::skip_unread_body() {
  if (!unread_body_ || parser_.fault() || !parser_.content_length()) return;
  if (*parser_.content_length() > input_.data().size() || phase_ == Phase::body) return;
  input_.consume(static_cast<std::size_t>(*parser_.content_length()));
  unread_body_ = false;
}

void Connection::append_answer_head(Response& response, Framing framing) {
  const Request& request = exchange_->request;
  context_.application.decorate(request, response);
  skip_unread_body();
  status_ = response.status;
  close_after_ =
      unread_body_ || !parser_.keep_alive() || shard_.draining() || framing == Framing::until_close;
  out_head_.clear();
  append_head(out_head_, response,
              {.framing = framing,
               .keep_alive = !close_after_,
               .version = request.version,
               .request_id = request.id,
               .date = shard_.date()});
}

void Connection::respond(Response response) {
  if (response.take_over) {
    // What the peer said to somebody who had not answered yet is no message.
    if (input_.empty()) return hand_over(response.take_over);
    response =
        problem_response(400, "invalid-request", "bytes came before the answer to the handshake",
                         exchange_->request);
    unread_body_ = true;
  }
  append_answer_head(response, Framing::length);
  out_body_ = std::move(response.body);
  if (exchange_->request.method == Method::head) out_body_.clear();
  out_ = {out_head_, out_body_, {}};
  enter(Phase::writing, context_.options.deadlines.write);
  flush();
}

void Connection::hand_over(const std::function<void(Handover)>& take_over) {
  boost::system::error_code ec;
  Handover handover{OwnedFd(socket_.release(ec)), std::move(lease_), std::move(seat_)};
  if (ec) return close();
  status_ = 101;
  phase_ = Phase::closed;
  report();
  exchange_->detach();
  shard_.remove(*this);
  take_over(std::move(handover));
}

void Connection::report() {
  if (status_ == 0) return;
  const auto took = std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::steady_clock::now() - request_began_);
  context_.application.finished(exchange_->request, std::exchange(status_, 0), took);
}

void Connection::finish_response() {
  report();
  out_body_.clear();
  if (out_body_.capacity() > kKeptBodyBytes) out_body_.shrink_to_fit();
  stream_ended_ = false;
  stream_until_.reset();
  if (close_after_) {
    linger();
  } else {
    next_request();
  }
}

// Closing at once could make the kernel throw away what the peer has not read yet: it is told that
// nothing more comes, and gets a moment to end the connection itself.
void Connection::linger() {
  exchange_->detach();
  boost::system::error_code ec;
  socket_.shutdown(boost::asio::socket_base::shutdown_send, ec);
  const bool has_unread = unread_body_ || !input_.empty();
  if (ec || (shard_.draining() && !has_unread)) return close();
  input_.release();
  give_back_charges(0);
  enter(Phase::lingering, context_.options.deadlines.linger);
  discarded_ = 0;
  want_input();
}

void Connection::start_stream(Response head) {
  const Request& request = exchange_->request;
  chunked_ = request.version != 10;
  append_answer_head(head, chunked_ ? Framing::chunked : Framing::until_close);
  stream_ended_ = request.method == Method::head;
  stream_aborted_ = false;
  enter(Phase::streaming, context_.options.deadlines.write);
  // To notice when the peer goes, though nothing may be written for long.
  want_input();
}

// Sends what a stream has got.
void Connection::pump(Exchange::Mail mail) {
  if (mail.head) {
    start_stream(std::move(*mail.head));
  } else if (phase_ != Phase::streaming) {
    return;
  } else {
    out_head_.clear();
  }
  stream_until_ = mail.until;
  out_ = {};
  if (!stream_ended_) {
    out_body_ = std::move(mail.bytes);
    stream_aborted_ = mail.aborted;
    stream_ended_ = mail.ended && !mail.aborted;
    if (chunked_ && !out_body_.empty()) {
      append_chunk_size(out_head_, out_body_.size());
      out_[2] = stream_ended_ ? kEndOfChunkAndBody : kEndOfChunk;
    } else if (chunked_ && stream_ended_) {
      out_[2] = kEndOfBody;
    }
    out_[1] = out_body_;
  }
  out_[0] = out_head_;
  const bool has_output = !out_[0].empty() || !out_[1].empty() || !out_[2].empty();
  if (has_output || stream_ended_ || stream_aborted_) flush();
}

}  // namespace resmgr::api
