#include "agent/tasks/admission.h"

#include <sys/statvfs.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/tasks/drain.h"
#include "agent/tasks/limits.h"
#include "agent/tasks/pool_plan.h"
#include "common/error.h"
#include "common/event.h"
#include "common/ids.h"
#include "common/json.h"
#include "common/time_format.h"

namespace resmgr::tasks {
namespace {

std::optional<Admission> replay(journal::Transaction& transaction, const StartIntent& intent,
                                Instant now) {
  if (intent.idempotency_key.empty()) return std::nullopt;
  transaction.forget_before(now - kIdempotencyAge + Millis{1});
  const auto record = transaction.idempotency(intent.requested_by, intent.idempotency_key);
  if (!record) return std::nullopt;
  if (record->body_hash == intent.body_hash) return Admission{record->task_id, true};
  Error error(ErrorKind::conflict,
              "cannot start a task: the idempotency key was used for another request",
              "take a new key for a new request");
  error.problem = "idempotency-key-reused";
  throw error;
}

void check_floor(const std::string& path, std::int64_t floor) {
  struct statvfs disk {};
  if (path.empty() || statvfs(path.c_str(), &disk) != 0) return;
  const auto free =
      static_cast<std::int64_t>(disk.f_bavail) * static_cast<std::int64_t>(disk.f_frsize);
  if (free >= floor) return;
  Error error(ErrorKind::unavailable,
              "cannot start a task: only " + format_size(free) + " of disk are free on the host, " +
                  format_size(floor) + " are wanted",
              "free disk space, or lower [limits] min_free_disk");
  error.problem = "disk-full";
  throw error;
}

// Gives the task the oldest warm container that is ready, if there is one as it is made now.
bool claim_warm(journal::Transaction& transaction, const std::string& warm_hash,
                journal::TaskRow& row) {
  if (warm_hash.empty()) return false;
  for (journal::SlotRow& slot : transaction.slots()) {
    if (slot.phase != journal::SlotPhase::ready || slot.spec_hash != warm_hash) continue;
    slot.phase = journal::SlotPhase::claimed;
    slot.task_id = row.task.task_id;
    transaction.update_slot(slot);
    row.warm.slot_id = slot.slot_id;
    row.warm.container_started_at = slot.started_at;
    return true;
  }
  return false;
}

// Warm containers never keep a start from what the limits leave to it.
std::vector<std::string> make_way(journal::Transaction& transaction, const AdmissionRules& rules) {
  if (rules.limits.memory_overcommit <= 0 && rules.limits.cpu_overcommit <= 0) return {};
  auto slots = transaction.slots();
  auto gone = giving_way(slots, transaction.reserved(), rules.limits, rules.capacity);
  for (journal::SlotRow& slot : slots) {
    if (std::find(gone.begin(), gone.end(), slot.slot_id) == gone.end()) continue;
    slot.phase = journal::SlotPhase::draining;
    transaction.update_slot(slot);
  }
  return gone;
}

}  // namespace

void check_free_disk(const std::string& data_dir, const std::string& engine_root,
                     std::int64_t floor) {
  if (floor <= 0) return;
  check_floor(data_dir, floor);
  check_floor(engine_root, floor);
}

Admission admit(journal::Transaction& transaction, const AdmissionRules& rules,
                const StartIntent& intent, const catalog::Service& service, Instant now) {
  if (auto earlier = replay(transaction, intent, now)) return *earlier;
  check_not_draining(transaction);
  check_limits(transaction, rules.limits, intent, service, now, rules.capacity);

  journal::TaskRow row;
  row.task.task_id = new_uuid_v7(now);
  row.task.user_id = intent.user_id;
  row.task.service_type = service.name;
  row.task.host = rules.host_name;
  row.task.created_at = now;
  row.spec_hash = service.spec_hash;
  row.memory_bytes = service.memory_bytes;
  row.cpus = service.cpus;
  const bool warm = claim_warm(transaction, rules.warm_hash, row);
  transaction.insert(row);
  transaction.append(event_type::kStartRequested, row, now,
                     dump_json({{"requestedBy", intent.requested_by}}));
  auto gave_way = make_way(transaction, rules);
  if (!intent.idempotency_key.empty()) {
    transaction.remember(intent.requested_by, intent.idempotency_key,
                         {intent.body_hash, row.task.task_id, now});
  }
  return {row.task.task_id, false, warm, std::move(gave_way)};
}

}  // namespace resmgr::tasks
