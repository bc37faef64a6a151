// The threads of the pumps, and what is asked of them from outside.
#include <algorithm>
#include <utility>

#include "agent/sinks/pump.h"
#include "agent/sinks/status.h"
#include "common/error.h"
#include "common/log.h"

namespace resmgr::sinks {

std::string_view to_string(SinkState state) {
  switch (state) {
    case SinkState::current:
      return "current";
    case SinkState::sending:
      return "sending";
    case SinkState::failing:
      return "failing";
    case SinkState::refusing:
      return "refusing";
  }
  return "failing";
}

Pump::~Pump() {
  request_stop();
  join();
}

void Pump::run() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = false;
  }
  thread_ = std::jthread([this](const std::stop_token& stop) { loop(stop); });
}

void Pump::request_stop() {
  const std::lock_guard lock(mutex_);
  if (thread_.get_stop_token().stop_requested()) return;
  last_moment_ = std::chrono::steady_clock::now() + options_.last_flush;
  thread_.request_stop();
}

void Pump::join() {
  if (!thread_.joinable()) return;
  {
    std::unique_lock lock(mutex_);
    cut_off_ = !changed_.wait_until(lock, last_moment_, [&] { return ended_; });
    if (cut_off_) sink_->interrupt();
  }
  thread_.join();
}

bool Pump::cut_off() {
  const std::lock_guard lock(mutex_);
  return cut_off_ || std::chrono::steady_clock::now() >= last_moment_;
}

void Pump::loop(const std::stop_token& stop) {
  const int subscription = journal_.subscribe([this](std::int64_t) {
    const std::lock_guard lock(mutex_);
    grown_ = true;
    changed_.notify_all();
  });
  while (!stop.stop_requested()) {
    const auto wait = step();
    if (wait != Millis{0}) pause(stop, wait);
  }
  while (!cut_off() && !health_.is_down() && step() == Millis{0}) {
  }
  if (!cut_off()) flush();
  journal_.unsubscribe(subscription);
  const std::lock_guard lock(mutex_);
  ended_ = true;
  changed_.notify_all();
}

void Pump::pause(const std::stop_token& stop, std::optional<Millis> wait) {
  // A destination that is away is left in peace, whatever comes.
  const bool down = health_.is_down();
  const auto wanted = [&] { return woken_ || (grown_ && !down); };
  std::unique_lock lock(mutex_);
  if (wait) {
    changed_.wait_for(lock, stop, *wait, wanted);
  } else {
    changed_.wait(lock, stop, wanted);
  }
  if (woken_) health_.forget_backoff();
  woken_ = false;
  grown_ = false;
}

SinkStatus Pump::status() const {
  SinkStatus status;
  status.name = name();
  const std::int64_t seen = shown_seen_;
  status.lag_events = std::max<std::int64_t>(0, journal_.head() - seen);
  if (status.lag_events > 0) status.state = SinkState::sending;
  journal_.read([&](journal::Reader& reader) {
    const auto oldest = reader.events_after(seen, 1, "");
    if (!oldest.empty()) {
      status.lag = std::max(Millis{0}, clock_.now() - oldest.front().time);
    }
    status.dead_letters = reader.cursors().letter_count(name());
    if (const auto cursor = reader.cursors().cursor(name())) status.pins_after = cursor->seq;
  });
  health_.tell(status);
  return status;
}

void Pump::wake() {
  const std::lock_guard lock(mutex_);
  woken_ = true;
  changed_.notify_all();
}

int Pump::retry() {
  const int count = journal_.writing(
      [&](journal::Transaction& transaction) { return transaction.cursors().make_due(name()); });
  letters_due_ = true;
  wake();
  return count;
}

std::vector<journal::DeadLetter> Pump::letters(std::int64_t after, int limit) const {
  return journal_.reading(
      [&](journal::Reader& reader) { return reader.cursors().letters(name(), after, limit); });
}

Pumps::Pumps(const PumpOptions& options, journal::Journal& journal, const Clock& clock)
    : options_(options), journal_(journal), clock_(clock) {}

Pumps::~Pumps() { stop(); }

void Pumps::add(std::unique_ptr<Sink> sink) {
  pumps_.push_back(std::make_unique<Pump>(options_, journal_, std::move(sink), clock_));
}

void Pumps::run() {
  std::vector<std::string> names;
  for (const auto& pump : pumps_) names.emplace_back(pump->name());
  try {
    journal_.transact([&](journal::Transaction& transaction) {
      transaction.cursors().attach(names, journal_.pruned_to(), clock_.now());
    });
  } catch (const Error& error) {
    // On a full disk the agent starts all the same. Nothing is pruned there either, and the first
    // position that can be saved makes a cursor that is missing.
    log::warning("Could not record which destinations there are: {Reason}",
                 {{"Reason", error.message()}});
  }
  for (const auto& pump : pumps_) pump->run();
}

void Pumps::stop() {
  // All of them flush at once.
  for (const auto& pump : pumps_) pump->request_stop();
  for (const auto& pump : pumps_) pump->join();
}

std::vector<SinkStatus> Pumps::statuses() const {
  std::vector<SinkStatus> statuses;
  for (const auto& pump : pumps_) statuses.push_back(pump->status());
  return statuses;
}

std::int64_t Pumps::pinned_to() const {
  return journal_.reading([](journal::Reader& reader) {
    std::int64_t least = reader.cursors().head();
    for (const auto& cursor : reader.cursors().cursors()) {
      if (cursor.attached) least = std::min(least, cursor.seq);
    }
    return least;
  });
}

void Pumps::wake(std::string_view name) { find(name).wake(); }

int Pumps::retry(std::string_view name) { return find(name).retry(); }

std::vector<journal::DeadLetter> Pumps::letters(std::string_view name, std::int64_t after,
                                                int limit) const {
  return find(name).letters(after, limit);
}

Pump& Pumps::find(std::string_view name) const {
  const auto found = std::ranges::find(pumps_, name, [](const auto& pump) { return pump->name(); });
  if (found != pumps_.end()) return **found;
  throw Error(ErrorKind::not_found, "cannot find sink '" + std::string(name.substr(0, 64)) +
                                        "': none of that name is "
                                        "configured");
}

}  // namespace resmgr::sinks
