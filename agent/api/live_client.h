// One subscriber of GET /api/live: the WebSocket (RFC 6455) at its end.
//
// For live_*.cc alone: Asio and Beast show through.
#ifndef RESMGR_AGENT_API_LIVE_CLIENT_H_
#define RESMGR_AGENT_API_LIVE_CLIENT_H_

// Asio of Boost 1.74 uses std::exchange without including this.
#include <utility>

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/websocket/stream.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agent/api/kept_events.h"
#include "agent/api/live_feed.h"
#include "agent/api/server_context.h"

namespace resmgr::api {

// All of it happens on the feed's thread.
class LiveClient final : public std::enable_shared_from_this<LiveClient> {
 public:
  class Hub {
   public:
    virtual ~Hub() = default;
    // What the client is to get next; null: nothing for now, or it was closed just then. `waited`:
    // it had taken all that there was.
    virtual LiveMessage next(LiveClient& client, bool waited) = 0;
    // Nothing more will be asked for it.
    virtual void gone(LiveClient& client) = 0;
  };

  LiveClient(Hub& hub, boost::asio::io_context& io, const LiveOptions& options, Handover handover,
             LiveSubscription subscription);
  LiveClient(const LiveClient&) = delete;
  LiveClient& operator=(const LiveClient&) = delete;

  // Answers the handshake.
  void start(const LiveHandshake& handshake);
  // There is something new. Sends it, unless the client is still at the message before.
  void wake();
  // Status codes: RFC 6455, 7.4.
  void close(std::uint16_t code, std::string_view reason);
  // At once, without a word.
  void drop();
  void check_deadlines(SteadyTime now);

  LiveSubscription subscription;
  bool follows = false;              // has had everything when it got what it is at
  std::uint64_t progress_seen = 0;   // on the board
  std::vector<LiveMessage> backlog;  // read from the journal for it alone; the next one is last
  // Where the hub keeps it.
  std::list<std::shared_ptr<LiveClient>>::iterator place;

 private:
  // The protocol of a socket that is connected is but a name to Asio: unix sockets are served too.
  using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp,
                                                  boost::asio::io_context::executor_type>;

  void read();
  void advance(bool waited);

  Hub& hub_;
  const LiveOptions& options_;
  AddressCounts::Lease lease_;  // given back once it is gone
  Seat seat_;
  boost::beast::websocket::stream<Socket, /*deflateSupported=*/false> socket_;
  bool open_ = false;
  bool closing_ = false;
  bool gone_ = false;
  LiveMessage message_;             // being written
  SteadyTime deadline_{};           // of the message, or of the close
  std::array<char, 64> ignored_{};  // what it says
};

}  // namespace resmgr::api

#endif  // RESMGR_AGENT_API_LIVE_CLIENT_H_
