#include "agent/tasks/idle_policy.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "agent/tasks/idle_text.h"

namespace resmgr::tasks {
namespace {

using Warning = IdleMemory::Warning;

// Sums of a few of these fit into an int64 of milliseconds.
constexpr Millis kLongest = std::chrono::hours{24 * 365 * 100};

constexpr int kSamplesMissed = 3;
constexpr Millis kLeastStale{60'000};

Millis bounded(Millis duration) { return std::clamp(duration, Millis{0}, kLongest); }

Instant wall_of(BootTime time, const Moment& now) { return now.wall + (time - now.boot); }

// Where a civil time from outside lies, seen from now.
BootTime boot_of(Instant wall, const Moment& now) {
  return now.boot + (std::clamp(wall, now.wall - kLongest, now.wall + kLongest) - now.wall);
}

std::optional<BootTime> pin(std::optional<IdleMemory::Pin>& kept, std::optional<Instant> wall,
                            const Moment& now) {
  if (!wall) {
    kept.reset();
    return std::nullopt;
  }
  if (!kept || kept->wall != *wall) kept = {*wall, boot_of(*wall, now)};
  return kept->boot;
}

// Of what has happened already. No container outlives a boot, so that it can't have happened
// before it either: that bounds what a clock that was wrong at the time can do.
std::optional<BootTime> pin_past(std::optional<IdleMemory::Pin>& kept, std::optional<Instant> wall,
                                 const Moment& now) {
  if (!pin(kept, wall, now)) return std::nullopt;
  kept->boot = std::clamp(kept->boot, BootTime{0}, now.boot);
  return kept->boot;
}

struct Limit {
  IdleAction action = IdleAction::none;
  bool withdrawn = false;
  BootTime warn_at{0};
  BootTime stop_at{0};
};

Limit apply_limit(BootTime from, Millis allowed, std::optional<BootTime> extended, Millis warn,
                  std::optional<Warning>& warning, BootTime now) {
  const BootTime reached = std::max(from + allowed, extended.value_or(from));
  const Millis ahead = warn < allowed ? warn : Millis{0};
  Limit limit;
  limit.warn_at = from + allowed - ahead;
  if (extended) limit.warn_at = std::max(limit.warn_at, *extended - warn);

  if (warning && (from > warning->from || reached > warning->limit)) {
    warning.reset();
    limit.withdrawn = true;
  }
  const bool was_warned = warning.has_value();
  if (was_warned) limit.warn_at = warning->at;
  const BootTime warned_at = was_warned ? warning->at : std::max(limit.warn_at, now);
  limit.stop_at = std::max(reached, warned_at + warn);
  if (now < limit.warn_at) return limit;
  if (was_warned || warn == Millis{0}) {
    if (now >= limit.stop_at) limit.action = IdleAction::stop;
  } else {
    limit.action = IdleAction::warn;
    limit.warn_at = now;
    warning = Warning{now, from, reached};
  }
  return limit;
}

SignalView view_of(const Signal& signal, const IdleRules& rules, const Moment& now) {
  SignalView view{signal.name, signal.state, wall_of(signal.observed, now), {}, {}, signal.detail};
  if (signal.last_busy) {
    const BootTime last = std::min(*signal.last_busy, now.boot);
    view.last_busy = wall_of(last, now);
    view.age = now.boot - last;
  }
  if (now.boot - signal.observed > rules.stale_after) {
    view.state = SignalState::unknown;
    view.detail = "was last heard of " + elapsed_text(now.boot - signal.observed) + " ago";
  }
  if (view.state == SignalState::busy) view.age = Millis{0};
  return view;
}

class Judgement {
 public:
  Judgement(const IdleRules& rules, const IdleFacts& facts, const IdleMemory& memory)
      : rules_(rules), facts_(facts), now_(facts.now) {
    verdict_.memory = memory;
  }

  IdleVerdict make() {
    for (const Signal& signal : facts_.signals) {
      verdict_.signals.push_back(view_of(signal, rules_, now_));
    }
    judge_idleness();
    judge_lifetime();
    return std::move(verdict_);
  }

 private:
  bool is_in_use() const {
    return facts_.signals.empty() ||
           std::any_of(verdict_.signals.begin(), verdict_.signals.end(),
                       [](const SignalView& view) { return view.state != SignalState::quiet; });
  }

  // When the last use was that anybody knows of; now, if it is in use.
  BootTime find_last_use(BootTime ready) {
    IdleMemory& memory = verdict_.memory;
    BootTime last = std::max(ready, memory.last_busy.value_or(ready));
    if (is_in_use()) last = now_.boot;
    for (const Signal& signal : facts_.signals) {
      if (signal.last_busy) last = std::max(last, std::min(*signal.last_busy, now_.boot));
    }
    memory.last_busy = last;
    return last;
  }

  void judge_idleness() {
    IdleMemory& memory = verdict_.memory;
    const auto ready = pin_past(memory.ready, facts_.ready_at, now_);
    const auto extended = pin(memory.idle_until, facts_.extended.idle_until, now_);
    const Millis timeout = bounded(rules_.timeout);
    const Millis warn = bounded(rules_.warn);
    // Also while nothing limits it: a catalog that is read again may.
    const BootTime since = ready ? find_last_use(*ready) : now_.boot;
    if (timeout == Millis{0} || !ready) {
      verdict_.withdrawn = memory.idle_warning.has_value();
      memory.idle_warning.reset();
      verdict_.idle_outlook = !ready && timeout > Millis{0} ? kNotReadyOutlook : kNeverIdleOutlook;
      return;
    }
    if (is_in_use()) {
      verdict_.withdrawn = memory.idle_warning.has_value();
      memory.idle_warning.reset();
      verdict_.idle_outlook = in_use_outlook(verdict_.signals, timeout);
      return;
    }
    const Limit limit = apply_limit(since, timeout, extended, warn, memory.idle_warning, now_.boot);
    verdict_.idle_since = wall_of(since, now_);
    verdict_.idle_warned = memory.idle_warning.has_value();
    verdict_.idle_stop_at = wall_of(limit.stop_at, now_);
    if (warn > Millis{0}) verdict_.idle_warn_at = wall_of(limit.warn_at, now_);
    const Outlook outlook = outlook_of(limit, verdict_.idle_warned, warn);
    verdict_.idle_outlook = idle_outlook(now_.boot - since, outlook);
    take(limit, IdleCause::idle,
         limit.action == IdleAction::stop ? was_idle_reason(now_.boot - since)
                                          : idle_warning_reason(now_.boot - since, outlook));
  }

  void judge_lifetime() {
    IdleMemory& memory = verdict_.memory;
    const BootTime started = *pin_past(memory.started, facts_.started_at, now_);
    const auto extended = pin(memory.lifetime_until, facts_.extended.lifetime_until, now_);
    const Millis most = bounded(rules_.lifetime_max);
    const Millis warn = bounded(rules_.warn);
    if (most == Millis{0}) {
      verdict_.withdrawn = verdict_.withdrawn || memory.lifetime_warning.has_value();
      memory.lifetime_warning.reset();
      verdict_.lifetime_outlook = kNoLifetimeOutlook;
      return;
    }
    const Limit limit =
        apply_limit(started, most, extended, warn, memory.lifetime_warning, now_.boot);
    verdict_.lifetime_warned = memory.lifetime_warning.has_value();
    verdict_.lifetime_stop_at = wall_of(limit.stop_at, now_);
    if (warn > Millis{0}) verdict_.lifetime_warn_at = wall_of(limit.warn_at, now_);
    const Outlook outlook = outlook_of(limit, verdict_.lifetime_warned, warn);
    const Millis by = extended ? std::max(*extended - (started + most), Millis{0}) : Millis{0};
    verdict_.lifetime_outlook = lifetime_outlook(most, by, outlook);
    take(limit, IdleCause::lifetime,
         limit.action == IdleAction::stop ? lifetime_reason(most, by)
                                          : lifetime_warning_reason(most, by, outlook));
  }

  Outlook outlook_of(const Limit& limit, bool warned, Millis warn) const {
    Outlook outlook;
    outlook.to_stop = std::max(limit.stop_at - now_.boot, Millis{0});
    if (!warned && warn > Millis{0}) {
      outlook.to_warning = std::max(limit.warn_at - now_.boot, Millis{0});
    }
    outlook.warned = warned;
    return outlook;
  }

  // A stop goes before a warning. A second warning at the same time waits for the next judgement.
  void take(const Limit& limit, IdleCause cause, std::string reason) {
    verdict_.withdrawn = verdict_.withdrawn || limit.withdrawn;
    if (limit.action == IdleAction::none || verdict_.action == IdleAction::stop) return;
    if (limit.action == IdleAction::warn && verdict_.action == IdleAction::warn) {
      verdict_.memory.lifetime_warning.reset();
      verdict_.lifetime_warned = false;
      return;
    }
    verdict_.action = limit.action;
    verdict_.cause = cause;
    verdict_.reason = std::move(reason);
  }

  const IdleRules& rules_;
  const IdleFacts& facts_;
  const Moment now_;
  IdleVerdict verdict_;
};

}  // namespace

std::string_view to_string(SignalState state) {
  switch (state) {
    case SignalState::busy:
      return "busy";
    case SignalState::quiet:
      return "quiet";
    case SignalState::unknown:
      return "unknown";
  }
  return "";
}

std::string_view to_string(IdleAction action) {
  switch (action) {
    case IdleAction::none:
      return "none";
    case IdleAction::warn:
      return "warn";
    case IdleAction::stop:
      return "stop";
  }
  return "";
}

std::string_view to_string(IdleCause cause) {
  return cause == IdleCause::idle ? "idle" : "lifetime";
}

Signal unknown_signal(std::string_view name, BootTime now, std::string detail) {
  return {std::string(name), SignalState::unknown, std::nullopt, now, std::move(detail)};
}

Signal touch_signal(std::optional<BootTime> last_touch, BootTime listening_since, BootTime now) {
  Signal signal{signal_name::kTouch, SignalState::quiet, listening_since, now, {}};
  if (last_touch) signal.last_busy = std::max(*last_touch, listening_since);
  signal.detail = last_touch ? "requests came through the gateway" : "no request was reported";
  return signal;
}

IdleRules IdleRules::of(const catalog::Service& service, Millis sample_interval) {
  return {service.idle.timeout, service.idle.warn, service.lifetime_max,
          std::max(kLeastStale, kSamplesMissed * bounded(sample_interval))};
}

IdleVerdict judge(const IdleRules& rules, const IdleFacts& facts, const IdleMemory& memory) {
  return Judgement(rules, facts, memory).make();
}

Extension extend(const IdleRules& rules, const IdleFacts& facts, const IdleVerdict& verdict,
                 Millis by) {
  const Millis more = bounded(by);
  Extension extended = facts.extended;
  if (rules.timeout > Millis{0}) {
    Instant stop_at = facts.now.wall + bounded(rules.timeout);
    if (const auto& until = verdict.memory.idle_until) {
      stop_at = std::max(stop_at, wall_of(until->boot, facts.now));
    }
    extended.idle_until = verdict.idle_stop_at.value_or(stop_at) + more;
  }
  if (verdict.lifetime_stop_at) extended.lifetime_until = *verdict.lifetime_stop_at + more;
  return extended;
}

}  // namespace resmgr::tasks
