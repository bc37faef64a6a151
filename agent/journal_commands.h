// resmgr-agent journal …: what an operator does to the journal beside the agent.
#ifndef RESMGR_AGENT_JOURNAL_COMMANDS_H_
#define RESMGR_AGENT_JOURNAL_COMMANDS_H_

#include <string>

#include "agent/settings.h"

namespace resmgr {

// Each returns the exit code, prints results to standard output and progress to a terminal, and
// throws Error.

// `file` empty: the agent's journal. 1 if anything is wrong with it.
int check_journal_file(const Settings& settings, const std::string& file);

int back_up_journal(const Settings& settings, const std::string& to);

// These two need the data directory for themselves: the agent must be stopped.
int restore_journal(const Settings& settings, const std::string& from);
int rebuild_journal(const Settings& settings);

}  // namespace resmgr

#endif  // RESMGR_AGENT_JOURNAL_COMMANDS_H_
