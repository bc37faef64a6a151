// The table `slots`.
#ifndef RESMGR_AGENT_JOURNAL_SLOT_TABLE_H_
#define RESMGR_AGENT_JOURNAL_SLOT_TABLE_H_

#include <optional>
#include <string_view>
#include <vector>

#include "agent/journal/batch.h"
#include "agent/journal/database.h"
#include "agent/journal/slot_row.h"

namespace resmgr::journal {

std::optional<SlotRow> find_slot(Database& database, std::string_view slot_id);
// Oldest first.
std::vector<SlotRow> list_slots(Database& database);

// As Transaction has them.
void insert_slot(Database& database, Batch& batch, SlotRow& row);
void update_slot(Database& database, Batch& batch, SlotRow& row);
void erase_slot(Database& database, Batch& batch, const SlotRow& row);

}  // namespace resmgr::journal

#endif  // RESMGR_AGENT_JOURNAL_SLOT_TABLE_H_
