// The last committed event's sequence number, and those who want to know when it grows.
#ifndef RESMGR_AGENT_JOURNAL_HEAD_H_
#define RESMGR_AGENT_JOURNAL_HEAD_H_

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include "common/clock.h"

namespace resmgr::journal {

// Thread-safe, but for advance() and announce(), which one thread at a time calls.
class Head {
 public:
  using Listener = std::function<void(std::int64_t head)>;

  explicit Head(std::int64_t seq) : seq_(seq) {}
  ~Head();
  Head(const Head&) = delete;
  Head& operator=(const Head&) = delete;

  std::int64_t value() const { return seq_.load(std::memory_order_acquire); }
  // Wakes who waits. `seq` is greater than value().
  void advance(std::int64_t seq);
  // Calls the listeners, without a lock.
  void announce();

  // Journal::wait_beyond(), subscribe(), unsubscribe().
  bool wait_beyond(std::int64_t seq, Millis timeout);
  int subscribe(Listener listener);
  void unsubscribe(int subscription);

 private:
  struct Subscription {
    Listener listener;
    std::thread::id running;  // who is in the listener; none: the default
  };

  std::atomic<std::int64_t> seq_;

  std::mutex wait_mutex_;
  std::condition_variable grown_;
  std::condition_variable left_;
  int waiting_ = 0;
  bool closing_ = false;

  std::mutex listener_mutex_;
  std::condition_variable returned_;
  std::map<int, std::shared_ptr<Subscription>> subscriptions_;
  int last_subscription_ = 0;
};

}  // namespace resmgr::journal

#endif  // RESMGR_AGENT_JOURNAL_HEAD_H_
