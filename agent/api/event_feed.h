// Followers of the journal: events go to each as they are committed and as fast as it takes them,
// all on one thread that starts with the first follower.
#ifndef RESMGR_AGENT_API_EVENT_FEED_H_
#define RESMGR_AGENT_API_EVENT_FEED_H_

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "agent/api/progress_board.h"
#include "agent/api/responder.h"
#include "agent/journal/journal.h"

namespace resmgr::api {

// Tells a follower that the events up to `seq` don't bring it up to date: it reads the lists anew,
// and goes on from there.
std::string resync_line(const journal::Journal& journal, std::int64_t seq);

class EventFeed {
 public:
  EventFeed(const FeedSources& sources, std::size_t most_followers);
  ~EventFeed();  // as stop()
  EventFeed(const EventFeed&) = delete;
  EventFeed& operator=(const EventFeed&) = delete;

  struct Subscription {
    std::int64_t after = 0;             // sequence number
    std::optional<std::int64_t> up_to;  // the stream ends with it; empty: it follows
    std::string user_id;                // only events of this user's tasks; empty: all
    bool progress = false;              // of starts, too (progress_board.h), once it has all events
  };
  // Whether there is room for one more. Asked before the stream is opened: one too many is none
  // too many, since what counts is the order of magnitude.
  bool has_room() const;
  void add(const Stream& stream, Subscription subscription);

  // Ends every stream. Idempotent; nothing can be added afterwards.
  void stop();

 private:
  struct Follower {
    Stream stream;
    Subscription subscription;
    std::uint64_t progress_seen = 0;  // on the board
  };
  enum class Turn { waits, went_on, done };

  void run();
  // False: it is to end.
  bool wait(bool more);
  void look_at_starts();
  Turn serve(Follower& follower);
  bool serve_progress(Follower& follower);
  void poke();
  void follow_starts();

  journal::Journal& journal_;
  const tasks::StartTracker& starts_;
  const std::size_t most_followers_;
  mutable std::mutex mutex_;
  std::condition_variable poked_;
  bool is_poked_ = false;
  bool stopping_ = false;
  std::optional<std::chrono::steady_clock::time_point> progress_due_;  // a look at the starts is
  std::size_t progress_followers_ = 0;
  std::vector<Follower> added_;
  std::size_t followers_ = 0;
  std::optional<int> journal_subscription_;
  ProgressBoard board_;  // of the thread
  const int start_subscription_;
  std::thread thread_;
};

}  // namespace resmgr::api

#endif  // RESMGR_AGENT_API_EVENT_FEED_H_
