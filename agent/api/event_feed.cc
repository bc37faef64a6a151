#include "agent/api/event_feed.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "agent/api/task_json.h"
#include "common/error.h"
#include "common/json.h"
#include "common/log.h"

namespace resmgr::api {
namespace {

// Events that a follower gets before the next one has its turn.
constexpr int kPage = 64;

}  // namespace

std::string resync_line(const journal::Journal& journal, std::int64_t seq) {
  return dump_json({{"type", "resync"}, {"journal", journal.id()}, {"seq", seq}}) + "\n";
}

EventFeed::EventFeed(const FeedSources& sources, std::size_t most_followers)
    : journal_(sources.journal),
      starts_(sources.starts),
      most_followers_(most_followers),
      board_(sources),
      // Not when the first one comes, with the lock held that the listener takes.
      start_subscription_(starts_.subscribe([this] { follow_starts(); })) {}

EventFeed::~EventFeed() { stop(); }

bool EventFeed::has_room() const {
  const std::lock_guard lock(mutex_);
  return !stopping_ && followers_ < most_followers_;
}

void EventFeed::poke() {
  const std::lock_guard lock(mutex_);
  is_poked_ = true;
  poked_.notify_one();
}

// A start has come further.
void EventFeed::follow_starts() {
  const std::lock_guard lock(mutex_);
  if (progress_followers_ == 0 || progress_due_) return;
  progress_due_ = std::chrono::steady_clock::now() + ProgressBoard::kInterval;
  poked_.notify_one();
}

void EventFeed::add(const Stream& stream, Subscription subscription) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return stream.abort();
    if (!thread_.joinable()) {
      journal_subscription_ = journal_.subscribe([this](std::int64_t) { poke(); });
      thread_ = std::thread([this] { run(); });
    }
    ++followers_;
    // While nobody wanted to know nobody looked.
    if (subscription.progress && progress_followers_++ == 0) {
      progress_due_ = std::chrono::steady_clock::now();
    }
    added_.push_back({stream, std::move(subscription)});
  }
  // stop() detaches no stream, but ends each one; the server then ends the connections before the
  // feed can go.
  stream.on_change([this] { poke(); });
  poke();
}

EventFeed::Turn EventFeed::serve(Follower& follower) {
  Subscription& subscription = follower.subscription;
  if (follower.stream.gone()) return Turn::done;
  if (!follower.stream.has_room()) return Turn::waits;
  const std::int64_t head = journal_.head();
  const std::int64_t goal = std::min(head, subscription.up_to.value_or(head));
  if (subscription.after < goal) {
    bool pruned = false;
    const auto events = journal_.reading([&](journal::Reader& reader) {
      pruned = reader.pruned().events_to > subscription.after;
      return reader.events_after(subscription.after, kPage, subscription.user_id);
    });
    // It was so slow that what it is to get next is kept no longer.
    if (pruned) {
      subscription.after = goal;
      return follower.stream.write(resync_line(journal_, goal)) ? Turn::went_on : Turn::done;
    }
    std::string lines;
    for (const Event& event : events) {
      if (subscription.up_to && event.seq > *subscription.up_to) break;
      append_event(lines, event);
      lines += '\n';
      board_.note(event);
    }
    // A short page holds all there is for this follower up to the head of before.
    subscription.after = events.size() == kPage
                             ? events.back().seq
                             : std::max(goal, events.empty() ? goal : events.back().seq);
    if (!lines.empty() && !follower.stream.write(lines)) return Turn::done;
  }
  if (subscription.up_to && subscription.after >= *subscription.up_to) {
    follower.stream.end();
    return Turn::done;
  }
  if (subscription.after < goal) return Turn::went_on;
  return serve_progress(follower) ? Turn::waits : Turn::done;
}

// Whether the follower is still there.
bool EventFeed::serve_progress(Follower& follower) {
  if (!follower.subscription.progress) return true;
  while (follower.stream.has_room()) {
    const auto message = board_.next(follower.progress_seen, follower.subscription.user_id);
    if (!message) return true;
    if (!follower.stream.write(*message + "\n")) return false;
  }
  return !follower.stream.gone();
}

bool EventFeed::wait(bool more) {
  bool starts_due = false;
  {
    std::unique_lock lock(mutex_);
    const auto is_due = [this] {
      return progress_due_ && *progress_due_ <= std::chrono::steady_clock::now();
    };
    while (!more && !is_poked_ && !stopping_ && !is_due()) {
      if (const auto due = progress_due_) {
        poked_.wait_until(lock, *due);
      } else {
        poked_.wait(lock);
      }
    }
    is_poked_ = false;
    if (stopping_) return false;
    starts_due = is_due();
    if (starts_due) progress_due_.reset();
  }
  if (starts_due) look_at_starts();
  return true;
}

void EventFeed::look_at_starts() {
  try {
    board_.refresh();
  } catch (const Error& error) {
    // The next change brings it.
    log::warning("Progress of starts is late: {Reason}", {{"Reason", error.message()}});
  }
}

void EventFeed::run() {
  std::vector<Follower> followers;
  bool more = false;
  while (wait(more)) {
    {
      const std::lock_guard lock(mutex_);
      std::move(added_.begin(), added_.end(), std::back_inserter(followers));
      added_.clear();
    }
    more = false;
    std::size_t of_progress = 0;  // of those that are done
    const auto is_done = [&](Follower& follower) {
      Turn turn = Turn::done;
      try {
        turn = serve(follower);
      } catch (const Error& error) {
        log::warning("Event stream ended: {Reason}", {{"Reason", error.message()}});
        follower.stream.abort();
      }
      more = more || turn == Turn::went_on;
      of_progress += turn == Turn::done && follower.subscription.progress ? 1 : 0;
      return turn == Turn::done;
    };
    const auto kept = std::remove_if(followers.begin(), followers.end(), is_done);
    const auto done = static_cast<std::size_t>(std::distance(kept, followers.end()));
    followers.erase(kept, followers.end());
    const std::lock_guard lock(mutex_);
    followers_ -= done;
    progress_followers_ -= of_progress;
  }
  for (const Follower& follower : followers) follower.stream.abort();
}

void EventFeed::stop() {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(stopping_, true)) return;
    poked_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
  if (journal_subscription_) journal_.unsubscribe(*journal_subscription_);
  starts_.unsubscribe(start_subscription_);
  for (const Follower& follower : added_) follower.stream.abort();
  added_.clear();
}

}  // namespace resmgr::api
