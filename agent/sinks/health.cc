#include "agent/sinks/health.h"

#include <algorithm>
#include <utility>

#include "common/log.h"

namespace resmgr::sinks {
namespace {

// A destination that asks for more is asked again all the same.
constexpr Millis kLongestWish{3'600'000};

}  // namespace

Health::Health(std::string sink, const PumpOptions& options, const Clock& clock)
    : sink_(std::move(sink)), clock_(clock), backoff_(options.backoff_min, options.backoff_max) {}

void Health::succeed() {
  if (logged_) {
    log::info("Sink {Sink} works again after {Failures} failures and {Seconds} s",
              {{"Sink", sink_},
               {"Failures", failures_},
               {"Seconds", (clock_.since_boot() - down_since_).count() / 1'000}});
  }
  logged_.reset();
  failures_ = 0;
  backoff_.reset();
  shown_.with([&](Shown& shown) {
    shown.down.reset();
    shown.last_success = clock_.now();
    shown.last_error.clear();
    shown.hint.clear();
  });
}

Millis Health::fail(const Outcome& outcome) { return go_down(outcome, SinkState::failing); }

Millis Health::refuse(const Outcome& outcome) { return go_down(outcome, SinkState::refusing); }

Millis Health::go_down(const Outcome& outcome, SinkState state) {
  if (failures_++ == 0) down_since_ = clock_.since_boot();
  if (logged_ != state) {
    log::warning(
        "Sink {Sink} is {State}, and what it should get is kept: {Reason}",
        {{"Sink", sink_},
         {"State", to_string(state)},
         {"Reason", outcome.hint.empty() ? outcome.reason
                                         : outcome.reason + " (try: " + outcome.hint + ")"}});
    logged_ = state;
  }
  shown_.with([&](Shown& shown) {
    shown.down = state;
    shown.last_error = outcome.reason;
    shown.hint = outcome.hint;
    ++shown.failures;
  });
  return std::max(backoff_.next(), std::min(outcome.retry_after.value_or(Millis{0}), kLongestWish));
}

void Health::tell(SinkStatus& status) const {
  shown_.with([&](const Shown& shown) {
    if (shown.down) status.state = *shown.down;
    status.last_success = shown.last_success;
    status.last_error = shown.last_error;
    status.hint = shown.hint;
    status.failures = shown.failures;
  });
}

}  // namespace resmgr::sinks
