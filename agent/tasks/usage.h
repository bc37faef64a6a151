// The canonical usage record: what is billed, hashed and posted.
#ifndef RESMGR_AGENT_TASKS_USAGE_H_
#define RESMGR_AGENT_TASKS_USAGE_H_

#include <string>
#include <string_view>

#include "agent/engine/engine.h"
#include "agent/journal/activity.h"
#include "agent/journal/task_row.h"
#include "common/clock.h"

namespace resmgr::tasks {

// What the engine counts for a task, as the journal keeps it; `now` is when it was asked. Of a warm
// container it is what came after the claim; the peak of its memory is that of its whole life.
journal::UsageSample sample_of(const engine::Stats& stats, const journal::WarmStart& warm,
                               Instant now);

struct UsageRecord {
  std::string canonical;  // RFC 8785 bytes
  std::string hash;       // lower-case hex SHA-256 of them
};

// For a row that ended (apply_end) and whose container ran. The members are strings and integers
// only; times are RFC 3339, durations milliseconds. `nonce` makes the hash unguessable.
UsageRecord make_usage_record(const journal::TaskRow& row, std::string_view nonce);

}  // namespace resmgr::tasks

#endif  // RESMGR_AGENT_TASKS_USAGE_H_
