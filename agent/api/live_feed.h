// Subscribers of GET /api/live: WebSocket clients that get the journal's events as they are
// committed, one message an event. All are served by one thread, which starts with the first.
//
// Nothing is queued for a client: each message is one text for all who get it, the last few
// thousand are kept, and each client is sent the next one when it has taken the one before. Who
// asks for older events gets them from the journal, page by page. Who had caught up and then falls
// behind what is kept is closed (1013) and loses nothing: it comes back with the last number it
// got.
//
// While a task starts, who has all events gets how far it is, too (progress_board.h).
#ifndef RESMGR_AGENT_API_LIVE_FEED_H_
#define RESMGR_AGENT_API_LIVE_FEED_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "agent/api/progress_board.h"
#include "agent/api/responder.h"
#include "agent/api/server_options.h"

namespace resmgr::api {

struct Handover;

// Why the agent ends a client (RFC 6455, 7.4; 4000 and above are ours).
namespace live_close {
inline constexpr std::uint16_t kGoingAway = 1001;  // the agent stops
inline constexpr std::uint16_t kOurFault = 1011;   // the journal can't be read
inline constexpr std::uint16_t kTooSlow = 1013;    // try again, from the last number
inline constexpr std::uint16_t kTokenExpired = 4401;
}  // namespace live_close

struct LiveHandshake {
  std::string key;       // Sec-WebSocket-Key
  std::string protocol;  // the subprotocol that is spoken; empty: none was offered that we know
  std::string request_id;
};

struct LiveSubscription {
  std::int64_t after = 0;           // sequence number
  bool resync = false;              // it is told first that it must read the lists anew
  std::string user_id;              // only events of this user's tasks; empty: all
  std::optional<SteadyTime> until;  // the caller's token runs out then
};

// Thread-safe.
class LiveFeed {
 public:
  LiveFeed(const FeedSources& sources, const LiveOptions& options);
  ~LiveFeed();  // as stop()
  LiveFeed(const LiveFeed&) = delete;
  LiveFeed& operator=(const LiveFeed&) = delete;

  std::size_t clients() const;
  // Asked before a connection is handed over: a few too many are none too many.
  bool has_room() const;
  void add(Handover handover, LiveHandshake handshake, LiveSubscription subscription);

  // Closes every client (1001), and waits a moment for them to know. Idempotent; later ones are
  // dropped.
  void stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace resmgr::api

#endif  // RESMGR_AGENT_API_LIVE_FEED_H_
