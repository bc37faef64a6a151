// Invariant of the journal: the rows of `tasks` equal the replay of the events, as far as both are
// kept. The rows are what everyone reads; the events are what everyone else is told.
#ifndef RESMGR_AGENT_JOURNAL_REPLAY_H_
#define RESMGR_AGENT_JOURNAL_REPLAY_H_

#include <string>
#include <vector>

#include "agent/journal/journal.h"

namespace resmgr::journal {

// Compares each task's row with the one that its last event carries, the events' tasks with the
// rows, and the table with its counts. Returns a sentence for each difference: empty = they are
// equal. Takes time for all of the journal, in one view of it, and memory for the differences.
std::vector<std::string> compare_with_replay(const Journal& journal);
std::vector<std::string> compare_with_replay(Reader& reader);

}  // namespace resmgr::journal

#endif  // RESMGR_AGENT_JOURNAL_REPLAY_H_
