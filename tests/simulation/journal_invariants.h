// What holds in a journal once everything has settled, whatever the engine and whoever was killed.
#ifndef RESMGR_TESTS_SIMULATION_JOURNAL_INVARIANTS_H_
#define RESMGR_TESTS_SIMULATION_JOURNAL_INVARIANTS_H_

#include <string>
#include <vector>

#include "agent/journal/journal.h"

namespace resmgr::simulation {

// A sentence for each thing that is not as it should be: every task is Running or over; every
// intent has its outcome, and one only; each task whose container ran and ended has its usage
// record, with the hash that its row says; the rows equal the replay of the events. An `earlier`
// journal that was lost may hold the admissions.
std::vector<std::string> broken_in_journal(const journal::Journal& journal, bool earlier);

std::vector<journal::TaskRow> all_rows(const journal::Journal& journal);

}  // namespace resmgr::simulation

#endif  // RESMGR_TESTS_SIMULATION_JOURNAL_INVARIANTS_H_
