#include "agent/tasks/usage_report.h"

#include <algorithm>

#include "common/time_format.h"

namespace resmgr::tasks {
namespace {

using std::chrono::days;
using std::chrono::floor;

constexpr std::size_t kDateLength = 10;  // of 2026-11-01T…

std::string date_of(Instant time) { return format_rfc3339(time).substr(0, kDateLength); }

// How much of `total` falls into the first `part` of `whole`, rounded down, so that what falls
// between two such points adds up to the total.
std::int64_t share(std::int64_t total, Millis part, Millis whole) {
  if (part >= whole) return total;
  const long double ratio =
      static_cast<long double>(part.count()) / static_cast<long double>(whole.count());
  return static_cast<std::int64_t>(static_cast<long double>(total) * ratio);
}

}  // namespace

UsageReport::UsageReport(UsageGrouping grouping, std::optional<Instant> from,
                         std::optional<Instant> to, Instant now)
    : grouping_(grouping), from_(from), to_(to), now_(now) {
  if (!grouping.user && !grouping.service && !grouping.day && !grouping.host) sums_[{}] = {};
}

void UsageReport::add(const journal::UsageRow& row) {
  // A clock that stepped back makes no negative time.
  const Instant stop = std::max(row.start, row.stop.value_or(now_));
  const Instant begin = from_ ? std::max(row.start, *from_) : row.start;
  const Instant end = to_ ? std::min(stop, *to_) : stop;
  if (end < begin || (to_ && begin >= *to_)) return;
  // One that ended as it began did run; but where the range begins at another's very end, it did
  // not run in it.
  if (end == begin && begin != row.start) return;
  if (!grouping_.day) {
    add_part(row, begin, end, stop);
    return;
  }
  Instant at = begin;
  do {
    const Instant midnight = floor<days>(at) + days{1};
    const Instant until = std::min(end, midnight);
    add_part(row, at, until, stop);
    at = until;
  } while (at < end);
}

void UsageReport::add_part(const journal::UsageRow& row, Instant begin, Instant end, Instant stop) {
  UsageGroup group;
  if (grouping_.user) group.user_id = row.user_id;
  if (grouping_.service) group.service_type = row.service_type;
  if (grouping_.day) group.day = date_of(begin);
  if (grouping_.host) group.host = row.host;
  UsageSum& sum = sums_[std::move(group)];
  const Millis whole = stop - row.start;
  ++sum.tasks;
  sum.time += end - begin;
  sum.cpu_time += Millis{share(row.cpu_ms, end - row.start, whole) -
                         (begin == row.start ? 0 : share(row.cpu_ms, begin - row.start, whole))};
  sum.peak_memory_bytes = std::max(sum.peak_memory_bytes, row.peak_memory_bytes);
}

}  // namespace resmgr::tasks
