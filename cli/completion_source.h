// What only the agent can say of a command line that is being typed.
#ifndef RESMGR_CLI_COMPLETION_SOURCE_H_
#define RESMGR_CLI_COMPLETION_SOURCE_H_

#include <vector>

#include "cli/completion.h"
#include "cli/surroundings.h"

namespace resmgr::cli {

// People wait for it at each press of Tab.
inline constexpr Millis kCompletionLimit{50};

// Asks the agent that the line means, and gives up after kCompletionLimit, whatever the agent, its
// name server or a file does. Empty where it is away, refuses, or is too slow: never throws.
std::vector<Candidate> told_by_agent(const Completion& completion,
                                     const Surroundings& surroundings);

}  // namespace resmgr::cli

#endif  // RESMGR_CLI_COMPLETION_SOURCE_H_
