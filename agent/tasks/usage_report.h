// What was used, summed up by user, service, day and host.
#ifndef RESMGR_AGENT_TASKS_USAGE_REPORT_H_
#define RESMGR_AGENT_TASKS_USAGE_REPORT_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/journal/usage_rows.h"
#include "common/clock.h"

namespace resmgr::tasks {

// Which of these a sum is told apart by. None: there is one sum of all.
struct UsageGrouping {
  bool user = false;
  bool service = false;
  bool day = false;  // of UTC
  bool host = false;
};

// Empty where it is not told apart by that.
struct UsageGroup {
  std::string user_id;
  std::string service_type;
  std::string day;  // 2026-11-01
  std::string host;

  // clang-tidy takes the 0 that the compiler compares with for a null pointer.
  auto operator<=>(const UsageGroup&) const = default;  // NOLINT(modernize-use-nullptr)
};

struct UsageSum {
  std::int64_t tasks = 0;  // that ran in it: one that runs over midnight counts on both days
  Millis time{0};
  Millis cpu_time{0};
  std::int64_t peak_memory_bytes = 0;  // the greatest of one task
};

// A task counts for the part of its time that lies in [from, to), up to `now` while it runs. Its
// CPU time is spread evenly over its time, as nobody knows when it was used; the parts add up to
// the whole, to the millisecond.
class UsageReport {
 public:
  UsageReport(UsageGrouping grouping, std::optional<Instant> from, std::optional<Instant> to,
              Instant now);

  void add(const journal::UsageRow& row);
  // In the order of their keys. Without any grouping there is one, also where nothing was added.
  const std::map<UsageGroup, UsageSum>& sums() const { return sums_; }

 private:
  void add_part(const journal::UsageRow& row, Instant begin, Instant end, Instant stop);

  UsageGrouping grouping_;
  std::optional<Instant> from_;
  std::optional<Instant> to_;
  Instant now_;
  std::map<UsageGroup, UsageSum> sums_;
};

}  // namespace resmgr::tasks

#endif  // RESMGR_AGENT_TASKS_USAGE_REPORT_H_
