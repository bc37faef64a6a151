#include "agent/journal/group_commit.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "common/error.h"

namespace resmgr::journal {
namespace {

// Bounds how long the first of a group waits for the last one's body.
constexpr std::ptrdiff_t kMostInGroup = 128;

constexpr std::chrono::milliseconds kLongestGather{2};

// Whose group this thread is committing.
thread_local const GroupCommit* leading = nullptr;

class Leading {
 public:
  explicit Leading(const GroupCommit* who) : before_(std::exchange(leading, who)) {}
  ~Leading() { leading = before_; }
  Leading(const Leading&) = delete;
  Leading& operator=(const Leading&) = delete;

 private:
  const GroupCommit* before_;
};

}  // namespace

void GroupCommit::Place::give(Turn next) {
  turn.store(next, std::memory_order_release);
  turn.notify_one();
}

GroupCommit::Turn GroupCommit::Place::wait() const {
  turn.wait(Turn::waiting, std::memory_order_acquire);
  return turn.load(std::memory_order_acquire);
}

GroupCommit::GroupCommit(Commit commit, AfterCommit after)
    : commit_(std::move(commit)), after_(std::move(after)) {
  // A leader that ran out of memory half-way would leave all others waiting.
  group_.reserve(kMostInGroup);
}

void GroupCommit::run(const std::function<void(Transaction&)>& body, Purpose purpose) {
  if (leading == this) {
    throw Error(ErrorKind::internal, "cannot begin transaction: this thread is inside of one");
  }
  Place& place = queue_up(body, purpose);
  if (place.wait() == Turn::leading) lead();
  if (const std::exception_ptr error = leave(place)) std::rethrow_exception(error);
}

GroupCommit::Place& GroupCommit::queue_up(const std::function<void(Transaction&)>& body,
                                          Purpose purpose) {
  const std::lock_guard lock(mutex_);
  if (free_.empty()) {
    free_.reserve(places_.size() + 1);
    free_.push_back(places_.emplace_back(std::make_unique<Place>()).get());
  }
  Place& place = *free_.back();
  queue_.push_back(&place);
  free_.pop_back();
  place.body = &body;
  place.purpose = purpose;
  place.turn.store(queue_.size() == 1 ? Turn::leading : Turn::waiting, std::memory_order_relaxed);
  queued_.store(queue_.size(), std::memory_order_relaxed);
  return place;
}

std::exception_ptr GroupCommit::leave(Place& place) {
  std::exception_ptr error = std::exchange(place.error, nullptr);
  const std::lock_guard lock(mutex_);
  free_.push_back(&place);
  return error;
}

void GroupCommit::lead() {
  const Leading here(this);
  gather();
  {
    const std::lock_guard lock(mutex_);
    group_.assign(queue_.begin(), queue_.begin() + std::min(std::ssize(queue_), kMostInGroup));
  }
  const auto begun = std::chrono::steady_clock::now();
  commit_(group_);
  commit_time_ = std::chrono::steady_clock::now() - begun;
  {
    // The leader itself stays in front until the end: nobody else leads meanwhile.
    const std::lock_guard lock(mutex_);
    expected_ = queue_.size();
    queue_.erase(queue_.begin() + 1, queue_.begin() + std::ssize(group_));
  }
  for (Request* const follower : std::span(group_).subspan(1)) {
    static_cast<Place*>(follower)->give(Turn::answered);
  }
  after_();
  const std::lock_guard lock(mutex_);
  queue_.pop_front();
  queued_.store(queue_.size(), std::memory_order_relaxed);
  if (!queue_.empty()) queue_.front()->give(Turn::leading);
}

// Callers that were just answered often come again at once, and would find this group gone: then
// two halves would take turns, each with a sync of its own. So it waits for as many as there were,
// for a small part of a commit's time. With one caller at a time it never waits.
void GroupCommit::gather() const {
  const auto missing = [&] { return queued_.load(std::memory_order_relaxed) < expected_; };
  if (!missing()) return;
  const auto most = std::min<std::chrono::steady_clock::duration>(commit_time_ / 8, kLongestGather);
  const auto deadline = std::chrono::steady_clock::now() + most;
  while (missing() && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
}

}  // namespace resmgr::journal
