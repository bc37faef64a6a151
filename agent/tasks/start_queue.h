// The lanes that wait for a start slot, and how long one is held. Private to the lanes, under whose
// lock all of it runs.
#ifndef RESMGR_AGENT_TASKS_START_QUEUE_H_
#define RESMGR_AGENT_TASKS_START_QUEUE_H_

#include <algorithm>
#include <deque>
#include <list>
#include <optional>
#include <string>
#include <unordered_map>

#include "common/clock.h"

namespace resmgr::tasks {

// First come first served within a user, round robin over users; what runs in the background comes
// after all of these. `Lane` has `user_id` and `background`.
template <typename Lane>
class StartQueue {
 public:
  // `slots` is how many there are.
  explicit StartQueue(int slots)
      : slots_(slots), free_(slots), most_in_background_(slots > 1 ? slots / 2 : 1) {}

  void push(Lane* lane) {
    if (lane->background) {
      background_.push_back(lane);
      return;
    }
    auto [user, is_new] = users_.try_emplace(lane->user_id);
    if (is_new) rotation_.push_back(lane->user_id);
    user->second.push_back(lane);
    ++waiting_;
  }

  // Whether pop() has one to give: there is a slot, and somebody who may have it.
  bool has_next() const {
    return free_ > 0 && (waiting_ > 0 || (!background_.empty() && background_may_start()));
  }

  // The one whose turn it is; it has a slot from now on.
  Lane* pop() {
    --free_;
    if (waiting_ == 0) {
      Lane* lane = background_.front();
      background_.pop_front();
      ++in_background_;
      return lane;
    }
    const std::string user_id = rotation_.front();
    rotation_.pop_front();
    const auto user = users_.find(user_id);
    Lane* lane = user->second.front();
    user->second.pop_front();
    --waiting_;
    if (user->second.empty()) {
      users_.erase(user);
    } else {
      rotation_.push_back(user_id);
    }
    return lane;
  }
  // The one that pop() would give.
  Lane* front() const {
    return waiting_ == 0 ? background_.front() : users_.at(rotation_.front()).front();
  }

  // It gives its slot back, which it held for so long.
  void give_back(const Lane& lane, Millis held) {
    ++free_;
    if (lane.background) --in_background_;
    constexpr double kNewest = 0.2;  // the weight of the newest in the mean
    const auto latest = static_cast<double>(held.count());
    mean_hold_ = mean_hold_ ? *mean_hold_ * (1 - kNewest) + latest * kNewest : latest;
  }

  void remove(Lane* lane) {
    if (lane->background) {
      std::erase(background_, lane);
      return;
    }
    const auto user = users_.find(lane->user_id);
    std::erase(user->second, lane);
    --waiting_;
    if (!user->second.empty()) return;
    users_.erase(user);
    rotation_.remove(lane->user_id);
  }

  // How many get a slot before this one, which waits and is in nobody's background. Who comes later
  // may come in between: the turns go round.
  int before(const Lane& lane) const {
    const auto& own = users_.at(lane.user_id);
    const auto rank = static_cast<int>(std::find(own.begin(), own.end(), &lane) - own.begin());
    int count = rank;
    bool passed = false;
    for (const std::string& user_id : rotation_) {
      if (user_id == lane.user_id) {
        passed = true;
        continue;
      }
      // Those whose turn is before this user's have one turn more until then.
      const auto others = static_cast<int>(users_.at(user_id).size());
      count += std::min(others, passed ? rank : rank + 1);
    }
    return count;
  }
  // Until so many have had their turn before; empty: nobody ever held a slot.
  std::optional<Millis> expected_wait(int before) const {
    if (!mean_hold_) return std::nullopt;
    const double turns = static_cast<double>(before + 1) / slots_;
    return Millis{static_cast<Millis::rep>(*mean_hold_ * turns)};
  }

  int waiting() const { return waiting_; }

 private:
  bool background_may_start() const { return in_background_ < most_in_background_; }

  const int slots_;
  int free_;
  const int most_in_background_;
  int in_background_ = 0;  // that hold a slot
  std::unordered_map<std::string, std::deque<Lane*>> users_;
  std::list<std::string> rotation_;
  int waiting_ = 0;  // of users_
  std::deque<Lane*> background_;
  std::optional<double> mean_hold_;  // milliseconds
};

}  // namespace resmgr::tasks

#endif  // RESMGR_AGENT_TASKS_START_QUEUE_H_
