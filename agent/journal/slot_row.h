// A warm container as the journal keeps it: one that is made before anybody asks for it.
#ifndef RESMGR_AGENT_JOURNAL_SLOT_ROW_H_
#define RESMGR_AGENT_JOURNAL_SLOT_ROW_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/clock.h"

namespace resmgr::journal {

enum class SlotPhase {
  making,    // a container is to be made and started
  warming,   // the engine started it; it is to become ready
  ready,     // a task may claim it
  claimed,   // a task has, and is to take it over; no slot any more once its name says so
  draining,  // it is to be stopped and removed, after which there is no slot any more
};
std::string_view to_string(SlotPhase phase);
std::optional<SlotPhase> slot_phase_from(std::string_view name);

struct SlotRow {
  std::string slot_id;  // UUIDv7; its container's name and labels bear it
  std::string service_type;
  std::string spec_hash;  // of all that decides how its container is made
  SlotPhase phase = SlotPhase::making;
  // Counts the changes of this row. An update must carry the version that it was read with.
  std::int64_t version = 0;
  Instant created_at{};
  std::string task_id;       // that claimed it; empty: none did
  std::string container_id;  // empty until it was started
  std::string image_id;      // that its container was made from; empty until it was started
  std::optional<Instant> started_at;  // the engine's own time
  // Limits that its container has.
  std::int64_t memory_bytes = 0;
  double cpus = 0;
};

}  // namespace resmgr::journal

#endif  // RESMGR_AGENT_JOURNAL_SLOT_ROW_H_
