// Invariant of the journal: the rows of `tasks` equal the replay of the events, as far as these are
// kept. The rows are what everyone reads; the events are what everyone else is told.
#ifndef RESMGR_AGENT_JOURNAL_REPLAY_H_
#define RESMGR_AGENT_JOURNAL_REPLAY_H_

#include <string>
#include <vector>

#include "agent/journal/journal.h"

namespace resmgr::journal {

// Folds the events into each task's public row and compares with the table, and the table with its
// counts. Returns a sentence for each difference: empty = they are equal. Takes time and memory
// for all of the journal, in one view of it.
std::vector<std::string> compare_with_replay(const Journal& journal);

}  // namespace resmgr::journal

#endif  // RESMGR_AGENT_JOURNAL_REPLAY_H_
