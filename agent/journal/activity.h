// What the journal knows of a task's use, beside its row.
#ifndef RESMGR_AGENT_JOURNAL_ACTIVITY_H_
#define RESMGR_AGENT_JOURNAL_ACTIVITY_H_

#include <cstdint>
#include <optional>

#include "common/clock.h"

namespace resmgr::journal {

// What a container used since it started.
struct UsageSample {
  Instant time{};  // when it was taken
  std::int64_t cpu_ms = 0;
  std::int64_t peak_memory_bytes = 0;
  std::int64_t network_rx_bytes = 0;
  std::int64_t network_tx_bytes = 0;
};

struct Activity {
  std::optional<UsageSample> sample;  // the last one; empty: none was taken
  // The task is stopped neither for being idle nor for its age before these; empty: they were not
  // extended.
  std::optional<Instant> idle_until;
  std::optional<Instant> lifetime_until;
};

}  // namespace resmgr::journal

#endif  // RESMGR_AGENT_JOURNAL_ACTIVITY_H_
