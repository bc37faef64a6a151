// What tasks used, row by row, for whoever sums it up.
#ifndef RESMGR_AGENT_JOURNAL_USAGE_ROWS_H_
#define RESMGR_AGENT_JOURNAL_USAGE_ROWS_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "agent/journal/database.h"
#include "common/clock.h"

namespace resmgr::journal {

// A task whose container was started. The texts live as long as the call that gives it.
struct UsageRow {
  std::string_view user_id;
  std::string_view service_type;
  std::string_view host;
  Instant start{};
  std::optional<Instant> stop;  // empty: it runs, and the counters are those of the last sample
  std::int64_t cpu_ms = 0;
  std::int64_t peak_memory_bytes = 0;
};

struct UsageRange {
  std::string user_id;          // empty: everyone's
  std::optional<Instant> from;  // those that ended before are left out
  std::optional<Instant> to;    // as those that were admitted then or later
};

using OnUsage = std::function<void(const UsageRow& row)>;

// In no order. What is known of a task that was pruned is its usage record. Throws Error(corrupt)
// where one can't be read.
void read_usage_rows(Database& database, const UsageRange& filter, const OnUsage& on_usage);

}  // namespace resmgr::journal

#endif  // RESMGR_AGENT_JOURNAL_USAGE_ROWS_H_
