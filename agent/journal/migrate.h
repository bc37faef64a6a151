// The schema's versions. Each migration is one transaction, and PRAGMA user_version says which was
// the last.
#ifndef RESMGR_AGENT_JOURNAL_MIGRATE_H_
#define RESMGR_AGENT_JOURNAL_MIGRATE_H_

#include <span>

#include "agent/journal/database.h"

namespace resmgr::journal {

struct Migration {
  int version;       // of the schema after it, from 1 without a gap
  const char* name;  // of its file, without .sql
  const char* sql;
};

// Those of migrations/*.sql, in order.
std::span<const Migration> migrations();

// The schema's version; 0 = the file is empty. Throws Error(corrupt) if it is newer than the last
// of `steps`, or if the file belongs to another program.
int schema_version(Database& database, std::span<const Migration> steps = migrations());

// Brings the schema up to the last of `steps`. Throws as schema_version(); a step that fails
// leaves what was there.
void migrate(Database& database, std::span<const Migration> steps = migrations());

}  // namespace resmgr::journal

#endif  // RESMGR_AGENT_JOURNAL_MIGRATE_H_
