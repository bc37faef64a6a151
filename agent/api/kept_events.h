// The last events as the messages that GET /api/live sends, for all who follow.
#ifndef RESMGR_AGENT_API_KEPT_EVENTS_H_
#define RESMGR_AGENT_API_KEPT_EVENTS_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "common/event.h"

namespace resmgr::api {

// One text for all who get it.
using LiveMessage = std::shared_ptr<const std::string>;

LiveMessage message_of(const Event& event);

// Of one thread.
class KeptEvents {
 public:
  // What is beyond one of these is forgotten, the oldest first.
  KeptEvents(std::size_t most_messages, std::size_t most_bytes)
      : most_messages_(most_messages), most_bytes_(most_bytes) {}

  // Forgets everything; the next one is that after `head`.
  void restart(std::int64_t head);
  void keep(const Event& event);

  // Every event after floor() and up to read_to() is here.
  std::int64_t floor() const { return floor_; }
  std::int64_t read_to() const { return read_to_; }

  // The first one after `after` that is of that user's tasks (empty: of anyone's); null: there is
  // none. `after` becomes the number of the last one that was looked at.
  LiveMessage next(std::int64_t& after, const std::string& user_id) const;

 private:
  struct Kept {
    std::int64_t seq;
    std::string user_id;
    LiveMessage text;
  };

  const std::size_t most_messages_;
  const std::size_t most_bytes_;
  std::deque<Kept> kept_;
  std::size_t bytes_ = 0;
  std::int64_t floor_ = 0;
  std::int64_t read_to_ = 0;
};

}  // namespace resmgr::api

#endif  // RESMGR_AGENT_API_KEPT_EVENTS_H_
