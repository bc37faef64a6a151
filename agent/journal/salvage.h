// What can still be read of a damaged journal, and may never be lost: the usage records.
#ifndef RESMGR_AGENT_JOURNAL_SALVAGE_H_
#define RESMGR_AGENT_JOURNAL_SALVAGE_H_

#include <string>
#include <vector>

#include "agent/journal/journal.h"

namespace resmgr::journal {

struct Salvaged {
  TaskRow row;  // ended; as it was, or as its record tells it
  std::string record;
  std::string hash;
};

// The records whose hash is right, by whatever part of the file can be read. Never throws for what
// can't: there is nothing then.
std::vector<Salvaged> salvage(const std::string& file);

// Puts them in a journal, each with its row and an event; how many there were.
int put_salvaged(Journal& journal, std::vector<Salvaged> salvaged, Instant now);

}  // namespace resmgr::journal

#endif  // RESMGR_AGENT_JOURNAL_SALVAGE_H_
