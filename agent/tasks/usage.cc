#include "agent/tasks/usage.h"

#include <algorithm>
#include <cstdint>

#include "common/crypto.h"
#include "common/jcs.h"
#include "common/json.h"
#include "common/time_format.h"

namespace resmgr::tasks {
namespace {

constexpr int kRecordVersion = 1;

}  // namespace

journal::UsageSample sample_of(const engine::Stats& stats, const journal::WarmStart& warm,
                               Instant now) {
  const auto since = [](std::int64_t total, std::int64_t before) {
    return std::max<std::int64_t>(total - before, 0);
  };
  return {now, since(stats.cpu_time.count(), warm.cpu_ms), stats.peak_memory_bytes,
          since(stats.network_rx_bytes, warm.network_rx_bytes),
          since(stats.network_tx_bytes, warm.network_tx_bytes)};
}

UsageRecord make_usage_record(const journal::TaskRow& row, std::string_view nonce) {
  const Task& task = row.task;
  const Instant start = task.start_time.value();
  const Instant stop = task.stop_time.value();
  const Json record = {
      {"version", kRecordVersion},
      {"taskId", task.task_id},
      {"userId", task.user_id},
      {"serviceType", task.service_type},
      {"containerId", task.container_id},
      {"host", task.host},
      {"startTime", format_rfc3339(start)},
      {"stopTime", format_rfc3339(stop)},
      {"durationMs", (stop - start).count()},
      {"cpuMs", row.cpu_ms},
      {"peakMemoryBytes", row.peak_memory_bytes},
      {"exitCode", task.exit_code.value_or(-1)},
      {"endedBy", row.ended_by},
      {"precision", std::string(to_string(task.precision))},
      {"nonce", std::string(nonce)},
  };
  UsageRecord usage;
  usage.canonical = canonical_json(record);
  usage.hash = sha256_hex(usage.canonical);
  return usage;
}

}  // namespace resmgr::tasks
