// Whether a start is admitted: decided in the journal transaction that admits it, so that two
// racing requests can't both pass.
#ifndef RESMGR_AGENT_TASKS_ADMISSION_H_
#define RESMGR_AGENT_TASKS_ADMISSION_H_

#include <cstdint>
#include <string>

#include "agent/catalog/catalog.h"
#include "agent/journal/journal.h"
#include "agent/tasks/task_service.h"
#include "common/clock.h"

namespace resmgr::tasks {

inline constexpr Millis kIdempotencyAge{24LL * 3600 * 1000};

// Throws unavailable if less than `floor` bytes are free where the data directory lies, or where
// the engine keeps its data (`engine_root`, if that can be seen from here). 0: nothing is asked.
void check_free_disk(const std::string& data_dir, const std::string& engine_root,
                     std::int64_t floor);

// What decides about a start, beside what the journal knows.
struct AdmissionRules {
  std::string host_name;
  Limits limits;
  HostCapacity capacity;
  std::string warm_hash;  // of warm containers that the task may claim; empty: none
};

// Inside a transaction: the task that the key admitted before, or a new row. Throws conflict
// ("idempotency-key-reused"), unavailable ("draining") and LimitError, with the tasks that hold the
// limit.
Admission admit(journal::Transaction& transaction, const AdmissionRules& rules,
                const StartIntent& intent, const catalog::Service& service, Instant now);

}  // namespace resmgr::tasks

#endif  // RESMGR_AGENT_TASKS_ADMISSION_H_
