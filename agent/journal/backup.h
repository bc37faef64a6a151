// Copies of a journal, and a journal from a copy.
#ifndef RESMGR_AGENT_JOURNAL_BACKUP_H_
#define RESMGR_AGENT_JOURNAL_BACKUP_H_

#include <string>
#include <string_view>

#include "agent/journal/check.h"
#include "common/clock.h"

namespace resmgr::journal {

// Copies the journal as it is at one moment, also while an agent uses it, into one file without a
// log; mode 0600, checked, and on disk before it has its name. Throws Error(conflict) if `to` is
// there, corrupt if the journal is damaged, unavailable if a file can't be read or written.
void back_up(const std::string& journal, const std::string& to, const CheckProgress& progress = {});

struct Installed {
  std::string journal_id;
  std::string earlier_id;  // what the id was; empty if nobody knows
  std::string aside;       // where the journal that lay there is kept; empty if there was none
};

// Puts a copy of `backup` in the journal's place, under a new id: its events from here on are
// others than those that destinations may have got from the old one. Nobody may have the journal
// open. Throws Error(corrupt), and leaves the journal alone, if the backup is not good.
Installed restore(const std::string& backup, const std::string& journal, Instant now,
                  const CheckProgress& progress = {});

// Puts a new, empty journal in the old one's place, with the usage records that can still be read
// there. Nobody may have the journal open.
struct Rebuilt : Installed {
  int usage_records = 0;  // that were carried over
};
Rebuilt rebuild(const std::string& journal, Instant now);

}  // namespace resmgr::journal

#endif  // RESMGR_AGENT_JOURNAL_BACKUP_H_
