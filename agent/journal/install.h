// Puts another file in the journal's place: what a restore and a rebuild end with.
#ifndef RESMGR_AGENT_JOURNAL_INSTALL_H_
#define RESMGR_AGENT_JOURNAL_INSTALL_H_

#include <string>

#include "common/clock.h"

namespace resmgr::journal {

// Throws Error(corrupt), with what to do, if an install() was cut off: the journal's own log may be
// gone from beside it.
void refuse_half_installed(const std::string& journal);

// Where the new file is to be made; removes what an earlier try left there.
std::string begin_install(const std::string& journal);

// Takes the new file, which nobody has open and which needs no log, as the journal, which nobody
// may have open either. What lay there is kept, with its log, as <journal>.<time>; returns its
// name, empty if there was none. Cut off at any instruction it can be begun anew, and nothing of
// the old journal is lost. Throws Error(unavailable).
std::string install(const std::string& journal, Instant now);

}  // namespace resmgr::journal

#endif  // RESMGR_AGENT_JOURNAL_INSTALL_H_
