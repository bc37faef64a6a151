#include "agent/journal/head.h"

#include <exception>
#include <utility>

#include "common/log.h"

namespace resmgr::journal {
namespace {

void call(const Head::Listener& listener, std::int64_t head) {
  try {
    listener(head);
  } catch (const std::exception& e) {
    log::error("A listener to the journal failed: {Reason}", {{"Reason", e.what()}});
  }
}

}  // namespace

Head::~Head() {
  std::unique_lock lock(wait_mutex_);
  closing_ = true;
  grown_.notify_all();
  left_.wait(lock, [&] { return waiting_ == 0; });
}

void Head::advance(std::int64_t seq) {
  seq_.store(seq, std::memory_order_release);
  // Who waits looks at the number under the lock, and so either sees it or is woken.
  const std::lock_guard lock(wait_mutex_);
  if (waiting_ > 0) grown_.notify_all();
}

bool Head::wait_beyond(std::int64_t seq, Millis timeout) {
  if (value() > seq) return true;
  std::unique_lock lock(wait_mutex_);
  ++waiting_;
  grown_.wait_for(lock, timeout, [&] { return closing_ || value() > seq; });
  if (--waiting_ == 0 && closing_) left_.notify_all();
  return value() > seq;
}

void Head::announce() {
  std::unique_lock lock(listener_mutex_);
  // By number, for a listener may subscribe and unsubscribe.
  int last = 0;
  for (;;) {
    const auto next = subscriptions_.upper_bound(last);
    if (next == subscriptions_.end()) return;
    last = next->first;
    const std::shared_ptr<Subscription> subscription = next->second;
    subscription->running = std::this_thread::get_id();
    lock.unlock();
    call(subscription->listener, value());
    lock.lock();
    subscription->running = {};
    returned_.notify_all();
  }
}

int Head::subscribe(Listener listener) {
  const std::lock_guard lock(listener_mutex_);
  subscriptions_.emplace(++last_subscription_,
                         std::make_shared<Subscription>(Subscription{std::move(listener), {}}));
  return last_subscription_;
}

// A listener that takes itself off is still running when this returns, and not called again.
void Head::unsubscribe(int subscription) {
  std::unique_lock lock(listener_mutex_);
  const auto found = subscriptions_.find(subscription);
  if (found == subscriptions_.end()) return;
  const std::shared_ptr<Subscription> taken = found->second;
  subscriptions_.erase(found);
  returned_.wait(lock, [&] {
    return taken->running == std::thread::id() || taken->running == std::this_thread::get_id();
  });
}

}  // namespace resmgr::journal
