// Followers of the journal: events go to each as they are committed and as fast as it takes them,
// all on one thread that starts with the first follower.
#ifndef RESMGR_AGENT_API_EVENT_FEED_H_
#define RESMGR_AGENT_API_EVENT_FEED_H_

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "agent/api/responder.h"
#include "agent/journal/journal.h"

namespace resmgr::api {

// Tells a follower that the events up to `seq` don't bring it up to date: it reads the lists anew,
// and goes on from there.
std::string resync_line(const journal::Journal& journal, std::int64_t seq);

class EventFeed {
 public:
  EventFeed(journal::Journal& journal, std::size_t most_followers);
  ~EventFeed();  // as stop()
  EventFeed(const EventFeed&) = delete;
  EventFeed& operator=(const EventFeed&) = delete;

  struct Subscription {
    std::int64_t after = 0;             // sequence number
    std::optional<std::int64_t> up_to;  // the stream ends with it; empty: it follows
    std::string user_id;                // only events of this user's tasks; empty: all
  };
  // Whether there is room for one more. Asked before the stream is opened: one too many is none
  // too many, since what counts is the order of magnitude.
  bool has_room() const;
  void add(Stream stream, Subscription subscription);

  // Ends every stream. Idempotent; nothing can be added afterwards.
  void stop();

 private:
  struct Follower {
    Stream stream;
    Subscription subscription;
  };
  enum class Turn { waits, went_on, done };

  void run();
  Turn serve(Follower& follower);
  void poke();

  journal::Journal& journal_;
  const std::size_t most_followers_;
  mutable std::mutex mutex_;
  std::condition_variable poked_;
  bool is_poked_ = false;
  bool stopping_ = false;
  std::vector<Follower> added_;
  std::size_t followers_ = 0;
  std::optional<int> journal_subscription_;
  std::thread thread_;
};

}  // namespace resmgr::api

#endif  // RESMGR_AGENT_API_EVENT_FEED_H_
