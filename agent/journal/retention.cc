#include "agent/journal/retention.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "common/error.h"
#include "common/event.h"
#include "common/json.h"
#include "common/log.h"

namespace resmgr::journal {
namespace {

// A batch takes a few milliseconds, and writers wait for no longer.
constexpr int kEventsAtOnce = 500;
constexpr int kTasksAtOnce = 100;
constexpr Millis kBetweenBatches{50};
constexpr Millis kBetweenRounds{60'000};

constexpr Millis kStep{60'000};  // clocks that are set right little by little make none
constexpr Millis kEvenFor{24LL * 3600 * 1000};

struct Portion {
  std::int64_t goal = 0;  // 0 = nothing is old enough
  std::int64_t pinned = 0;
  bool beyond_pins = false;
};

// The last of those events that are old enough, as far as all before it are. One from the future
// (the clock was wrong then) is as old as what follows it.
std::int64_t last_old_one(const std::vector<Event>& events, Instant cutoff, Instant now) {
  std::int64_t last = 0;
  for (const Event& event : events) {
    if (event.time < cutoff) {
      last = event.seq;
    } else if (event.time <= now) {
      break;
    }
  }
  return last;
}

}  // namespace

Retention::Retention(RetentionRules rules, Parts parts) : rules_(rules), parts_(std::move(parts)) {}

Retention::~Retention() { stop(); }

void Retention::run() {
  if (rules_.events <= Millis{0} && rules_.tasks <= Millis{0}) return;
  thread_ = std::jthread([this](std::stop_token stop) { loop(std::move(stop)); });
}

void Retention::stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void Retention::loop(std::stop_token stop) {
  while (!stop.stop_requested()) {
    bool more = false;
    try {
      more = step();
    } catch (const Error& error) {
      log::warning("Could not prune the journal: {Reason}", {{"Reason", error.message()}});
    } catch (const std::exception& error) {
      log::error("Could not prune the journal: {Reason}", {{"Reason", error.what()}});
    }
    std::unique_lock lock(mutex_);
    woken_.wait_for(lock, stop, more ? kBetweenBatches : kBetweenRounds, [] { return false; });
  }
}

bool Retention::clock_is_even() {
  const Millis since_boot = parts_.clock.since_boot();
  const Millis offset = parts_.clock.now().time_since_epoch() - since_boot;
  const Millis difference = offset - clock_offset_.value_or(offset);
  if (difference > kStep || difference < -kStep) {
    even_from_ = since_boot + kEvenFor;
    log::warning("The clock stepped by {Seconds} s: nothing is pruned for a day",
                 {{"Seconds", difference.count() / 1000}});
  }
  clock_offset_ = offset;
  return since_boot >= even_from_;
}

bool Retention::step() {
  if (!clock_is_even()) return false;
  const Instant now = parts_.clock.now();
  bool more = false;
  if (rules_.events > Millis{0}) more = prune_events(now - rules_.events, now);
  if (rules_.tasks > Millis{0}) more = prune_tasks(now - rules_.tasks) || more;
  return more;
}

bool Retention::prune_events(Instant cutoff, Instant now) {
  Portion batch;
  batch.pinned = parts_.pinned_to();
  parts_.journal.read([&](Reader& reader) {
    const auto events = reader.events_after(reader.pruned().events_to, kEventsAtOnce, "");
    batch.goal = last_old_one(events, cutoff, now);
    if (batch.goal <= batch.pinned) return;
    batch.beyond_pins = reader.used_bytes() > rules_.pin_max_bytes;
    if (batch.beyond_pins) return;
    batch.goal = 0;
    for (const Event& event : events) {
      if (event.seq <= batch.pinned) batch.goal = event.seq;
    }
  });
  if (batch.goal == 0) return false;
  if (batch.beyond_pins && !gap_told_) {
    log::error("Events up to {To} are pruned, and a destination has those up to {Pinned} only",
               {{"To", batch.goal}, {"Pinned", batch.pinned}});
  }
  gap_told_ = batch.beyond_pins;
  parts_.journal.transact([&](Transaction& transaction) {
    transaction.prune_events(batch.goal);
    if (!batch.beyond_pins) return;
    transaction.append(event_type::kJournalGap, now,
                       dump_json({{"after", batch.pinned}, {"upTo", batch.goal}}));
  });
  return true;
}

bool Retention::prune_tasks(Instant cutoff) {
  const std::int64_t pinned = parts_.pinned_to();
  const auto ids = parts_.journal.reading(
      [&](Reader& reader) { return reader.prunable_tasks(cutoff, pinned, kTasksAtOnce); });
  if (ids.empty()) return false;
  for (const std::string& id : ids) parts_.forget_output(id);
  parts_.journal.transact([&](Transaction& transaction) {
    for (const std::string& id : ids) transaction.prune_task(id, cutoff);
  });
  return std::ssize(ids) == kTasksAtOnce;
}

}  // namespace resmgr::journal
