// Lets callers that come together share one commit. There is no thread of its own: the first caller
// in the queue leads, does the work of all that stand behind it, and hands on to the next.
#ifndef RESMGR_AGENT_JOURNAL_GROUP_COMMIT_H_
#define RESMGR_AGENT_JOURNAL_GROUP_COMMIT_H_

#include <atomic>
#include <chrono>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "agent/journal/journal.h"

namespace resmgr::journal {

class GroupCommit {
 public:
  struct Request {
    const std::function<void(Transaction&)>* body = nullptr;
    Purpose purpose = Purpose::normal;
    std::exception_ptr error;  // set by `commit` if it failed
  };
  // Runs the bodies in order and commits. Must not throw.
  using Commit = std::function<void(std::span<Request* const>)>;
  // Runs after the callers were answered and before the next group. Must not throw.
  using AfterCommit = std::function<void()>;

  GroupCommit(Commit commit, AfterCommit after);
  GroupCommit(const GroupCommit&) = delete;
  GroupCommit& operator=(const GroupCommit&) = delete;

  // Returns when the request's group is committed; throws its error. Thread-safe. Calling it from
  // `commit`, from `after` or from a body throws Error(internal): it would wait for itself.
  void run(const std::function<void(Transaction&)>& body, Purpose purpose = Purpose::normal);

 private:
  enum class Turn : int { waiting, leading, answered };
  // A place in the queue. Places are used again and live as long as this: a caller may be gone
  // before the thread that answered it has returned from waking it.
  struct Place : Request {
    std::atomic<Turn> turn{Turn::waiting};

    void give(Turn next);
    Turn wait() const;
  };

  Place& queue_up(const std::function<void(Transaction&)>& body, Purpose purpose);
  void lead();
  void gather() const;
  std::exception_ptr leave(Place& place);

  Commit commit_;
  AfterCommit after_;

  std::mutex mutex_;
  std::deque<Place*> queue_;  // its front leads
  std::vector<std::unique_ptr<Place>> places_;
  std::vector<Place*> free_;
  std::atomic<std::size_t> queued_{0};  // queue_.size(), to be looked at without the lock

  // The leader's own. Of the last group: how many callers there seem to be, how long it took.
  std::vector<Request*> group_;
  std::size_t expected_ = 1;
  std::chrono::steady_clock::duration commit_time_{};
};

}  // namespace resmgr::journal

#endif  // RESMGR_AGENT_JOURNAL_GROUP_COMMIT_H_
