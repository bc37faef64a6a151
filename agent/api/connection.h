// One connection, from accept to close: reads a request, has it admitted and handled, sends its
// answer, and so on. Requests that come close upon each other are served one after the other.
//
// For connection*.cc and shard.cc alone: Asio shows through.
#ifndef RESMGR_AGENT_API_CONNECTION_H_
#define RESMGR_AGENT_API_CONNECTION_H_

// Asio of Boost 1.74 uses std::exchange without including this.
#include <utility>

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>

#include <array>
#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "agent/api/input_buffer.h"
#include "agent/api/request_parser.h"
#include "agent/api/responder.h"
#include "agent/api/response_head.h"
#include "agent/api/shard.h"

namespace resmgr::api {

class Connection final : public std::enable_shared_from_this<Connection>, public Exchange::Door {
 public:
  Connection(Shard& shard, boost::asio::io_context& context, Accepted accepted);
  ~Connection() override;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void start();
  void close();
  // Whether it waits for a request, and not a byte of one has come.
  bool is_idle() const { return phase_ == Phase::head && input_.empty(); }
  bool is_reading_head() const { return phase_ == Phase::head; }
  bool has_charges() const { return charged_ > 0; }
  SteadyTime waiting_since() const { return since_; }
  void check_deadline(SteadyTime now);

  void wake() override;  // any thread

  // Where the shard keeps it.
  std::list<std::shared_ptr<Connection>>::iterator place;

 private:
  // Enough for the head of an ordinary request with its token.
  static constexpr std::size_t kFirstBuffer = 2 * 1024;

  enum class Phase { head, admitting, body, handling, writing, streaming, lingering, closed };

  void advance();
  bool step();
  bool step_head();
  bool step_body();
  void begin_body();
  void handle();
  void on_wake();
  void next_request();
  void refuse(int status, std::string_view name, std::string_view detail);

  // connection_io.cc
  void want_input();
  void on_readable();
  std::size_t receive(char* into, std::size_t bytes);
  bool make_room();
  void discard_input();
  void send_continue();
  void flush();
  void on_flushed();

  // connection_answer.cc
  void respond(Response response);
  void hand_over(const std::function<void(Handover)>& take_over);
  void append_answer_head(Response& response, Framing framing);
  void skip_unread_body();
  void finish_response();
  void report();
  void linger();
  void pump(Exchange::Mail mail);
  void start_stream(Response head);

  void enter(Phase phase, std::chrono::milliseconds limit);
  bool charge(std::size_t bytes);
  void give_back_charges(std::size_t but);
  std::size_t input_charge() const;

  Shard& shard_;
  ServerContext& context_;
  boost::asio::io_context& io_;
  boost::asio::generic::stream_protocol::socket socket_;
  AddressCounts::Lease lease_;
  Seat seat_;

  Phase phase_ = Phase::head;
  SteadyTime since_{};     // when the phase began
  SteadyTime deadline_{};  // of the phase
  SteadyTime request_began_{};
  bool advancing_ = false;
  bool watching_ = false;  // a wait for input is under way
  bool writing_ = false;   // a wait for room to write is under way
  bool first_request_ = true;

  InputBuffer input_;
  RequestParser parser_;
  std::shared_ptr<Exchange> exchange_;
  // Another thread may still hold the exchange: it can't serve for the next request.
  bool exchange_is_shared_ = false;
  std::size_t charged_ = 0;

  int status_ = 0;            // of the answer under way
  bool close_after_ = false;  // the answer
  bool unread_body_ = false;  // the peer may be sending what nobody will read
  std::string out_head_;
  std::string out_body_;
  std::array<std::string_view, 3> out_{};  // what is still to be written, in order
  std::size_t discarded_ = 0;
  // Of a stream.
  bool chunked_ = false;
  bool stream_ended_ = false;
  bool stream_aborted_ = false;
  std::optional<SteadyTime> stream_until_;
};

}  // namespace resmgr::api

#endif  // RESMGR_AGENT_API_CONNECTION_H_
