#include "cli/change_feed.h"

#include <utility>

namespace resmgr::cli {
namespace {

// Between two looks while the events can't be followed, and between two attempts to follow them.
constexpr Millis kPolling{2'000};

}  // namespace

ChangeFeed::ChangeFeed(ApiClient& api, std::optional<JournalPosition> since)
    : api_(api),
      position_(std::move(since)),
      thread_([this](const std::stop_token& stop) { follow(stop); }) {}

ChangeFeed::~ChangeFeed() { thread_.request_stop(); }

ChangeFeed::News ChangeFeed::wait(Millis timeout) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, timeout, [this] { return news_.any(); });
  return std::exchange(news_, {});
}

void ChangeFeed::follow(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    try {
      api_.events(
          position_, true, [this] { on_open(); },
          [this](std::string_view line) { return take_line(line); }, stop);
    } catch (const Error&) {
      // Whoever looks again gets the same error, and reports it.
      failed_ = true;
      ask_for_reread();
    }
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, stop, kPolling, [] { return false; });
  }
}

void ChangeFeed::on_open() {
  // After a failure nothing was missed, but whoever was told of it is to hear that it is over.
  if (!position_ || failed_) ask_for_reread();
  failed_ = false;
}

bool ChangeFeed::take_line(std::string_view line) {
  Json event;
  try {
    event = parse_json(line, "event");
  } catch (const Error&) {
    ask_for_reread();
    return true;
  }
  const bool resync = string_or(event, "type") == "resync";
  const std::int64_t seq = integer_or(event, "seq", -1);
  if (!position_) position_.emplace();
  if (seq >= 0) position_->seq = seq;
  if (resync) {
    position_->journal_id = string_or(event, "journal");
    ask_for_reread();
  }
  const Json& task = object_at(event, "task");
  if (task.is_object()) {
    const std::lock_guard lock(mutex_);
    news_.tasks.push_back(task);
    changed_.notify_all();
  }
  return true;
}

void ChangeFeed::ask_for_reread() {
  const std::lock_guard lock(mutex_);
  news_.reread = true;
  changed_.notify_all();
}

}  // namespace resmgr::cli
