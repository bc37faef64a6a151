#include "agent/api/kept_events.h"

#include <algorithm>
#include <utility>

#include "agent/api/task_json.h"

namespace resmgr::api {

LiveMessage message_of(const Event& event) {
  std::string text;
  append_event(text, event);
  return std::make_shared<const std::string>(std::move(text));
}

void KeptEvents::restart(std::int64_t head) {
  kept_.clear();
  bytes_ = 0;
  floor_ = read_to_ = head;
}

void KeptEvents::keep(const Event& event) {
  kept_.push_back({event.seq, event.user_id, message_of(event)});
  bytes_ += kept_.back().text->size();
  read_to_ = event.seq;
  while (kept_.size() > most_messages_ || bytes_ > most_bytes_) {
    floor_ = kept_.front().seq;
    bytes_ -= kept_.front().text->size();
    kept_.pop_front();
  }
}

LiveMessage KeptEvents::next(std::int64_t& after, const std::string& user_id) const {
  const auto begin =
      std::upper_bound(kept_.begin(), kept_.end(), after,
                       [](std::int64_t seq, const Kept& event) { return seq < event.seq; });
  for (auto event = begin; event != kept_.end(); ++event) {
    after = event->seq;
    if (user_id.empty() || user_id == event->user_id) return event->text;
  }
  return nullptr;
}

}  // namespace resmgr::api
