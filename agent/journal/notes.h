// What the agent has to remember beside tasks and events: rows of `meta` of its own.
#ifndef RESMGR_AGENT_JOURNAL_NOTES_H_
#define RESMGR_AGENT_JOURNAL_NOTES_H_

#include <optional>
#include <string>
#include <string_view>

#include "agent/journal/database.h"

namespace resmgr::journal {

std::optional<std::string> find_note(Database& database, std::string_view name);
void store_note(Database& database, std::string_view name, std::string_view text);
void delete_note(Database& database, std::string_view name);

}  // namespace resmgr::journal

#endif  // RESMGR_AGENT_JOURNAL_NOTES_H_
