#include "agent/journal/slot_table.h"

#include <array>
#include <string>

#include "agent/journal/columns.h"
#include "common/error.h"

namespace resmgr::journal {
namespace {

#define RESMGR_SLOT_COLUMNS                                                              \
  "slot_id, service_type, spec_hash, phase, version, created_at, task_id, container_id," \
  " image_id, started_at, memory_bytes, cpus"

constexpr std::string_view kFindSlot =
    "SELECT " RESMGR_SLOT_COLUMNS " FROM slots WHERE slot_id = ?1";
// There are as many as containers are kept warm: few.
constexpr std::string_view kListSlots =
    "SELECT " RESMGR_SLOT_COLUMNS " FROM slots ORDER BY slot_id";
constexpr std::string_view kInsertSlot =
    "INSERT INTO slots (" RESMGR_SLOT_COLUMNS
    ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
constexpr std::string_view kUpdateSlot =
    "UPDATE slots SET phase = ?3, version = ?4, task_id = ?5, container_id = ?6, image_id = ?7,"
    " started_at = ?8 WHERE slot_id = ?1 AND version = ?2";
constexpr std::string_view kEraseSlot = "DELETE FROM slots WHERE slot_id = ?1 AND version = ?2";

SlotRow read_slot(const Statement& row) {
  Columns in(row);
  SlotRow result;
  result.slot_id = in.text();
  result.service_type = in.text();
  result.spec_hash = in.text();
  result.phase = in.named(&slot_phase_from);
  result.version = in.integer();
  result.created_at = in.time();
  result.task_id = in.text();
  result.container_id = in.text();
  result.image_id = in.text();
  result.started_at = in.optional_time();
  result.memory_bytes = in.integer();
  result.cpus = in.real();
  return result;
}

constexpr std::array kSlotPhases = {SlotPhase::making, SlotPhase::warming, SlotPhase::ready,
                                    SlotPhase::claimed, SlotPhase::draining};

void refuse_unless_written(const Database& database, const std::string& verb, const SlotRow& row) {
  if (database.changes() > 0) return;
  throw Error(ErrorKind::conflict,
              "cannot " + verb + " slot '" + row.slot_id + "': it changed since it was read");
}

}  // namespace

std::string_view to_string(SlotPhase phase) {
  switch (phase) {
    case SlotPhase::making:
      return "making";
    case SlotPhase::warming:
      return "warming";
    case SlotPhase::ready:
      return "ready";
    case SlotPhase::claimed:
      return "claimed";
    case SlotPhase::draining:
      return "draining";
  }
  return "draining";
}

std::optional<SlotPhase> slot_phase_from(std::string_view name) {
  for (const SlotPhase phase : kSlotPhases) {
    if (to_string(phase) == name) return phase;
  }
  return std::nullopt;
}

std::optional<SlotRow> find_slot(Database& database, std::string_view slot_id) {
  Query found(database, kFindSlot, slot_id);
  if (!found->step()) return std::nullopt;
  return read_slot(*found);
}

std::vector<SlotRow> list_slots(Database& database) {
  std::vector<SlotRow> rows;
  Query query(database, kListSlots);
  while (query->step()) rows.push_back(read_slot(*query));
  return rows;
}

void insert_slot(Database& database, Batch& batch, SlotRow& row) {
  row.version = 1;
  batch.write([&] {
    try {
      Query(database, kInsertSlot, row.slot_id, row.service_type, row.spec_hash,
            to_string(row.phase), row.version, to_millis(row.created_at), row.task_id,
            row.container_id, row.image_id, to_column(row.started_at), row.memory_bytes, row.cpus)
          .run();
    } catch (const DatabaseError& e) {
      if (!e.is_constraint()) throw;
      throw Error(ErrorKind::conflict,
                  "cannot insert slot '" + row.slot_id + "': it is there already");
    }
  });
}

void update_slot(Database& database, Batch& batch, SlotRow& row) {
  const std::int64_t stored = row.version++;
  batch.write([&] {
    Query(database, kUpdateSlot, row.slot_id, stored, to_string(row.phase), row.version,
          row.task_id, row.container_id, row.image_id, to_column(row.started_at))
        .run();
  });
  refuse_unless_written(database, "update", row);
}

void erase_slot(Database& database, Batch& batch, const SlotRow& row) {
  batch.write([&] { Query(database, kEraseSlot, row.slot_id, row.version).run(); });
  refuse_unless_written(database, "erase", row);
}

}  // namespace resmgr::journal
