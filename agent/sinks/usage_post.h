// What is posted of a task's usage. Pure.
#ifndef RESMGR_AGENT_SINKS_USAGE_POST_H_
#define RESMGR_AGENT_SINKS_USAGE_POST_H_

#include <optional>
#include <string>

#include "agent/identity/user_profiles.h"
#include "agent/journal/journal.h"

namespace resmgr::sinks {

// {usageHash, record, …}: the record's own bytes, which the hash is of, and beside it the members
// that a service which collects metrics asks for, made of the same numbers. None of these is 0 or
// empty, which such a service takes for missing: a measured 0 is the smallest number above it, and
// a name that is not known is the user's id.
std::string usage_post(const journal::StoredUsage& usage,
                       const std::optional<identity::UserProfile>& profile);

}  // namespace resmgr::sinks

#endif  // RESMGR_AGENT_SINKS_USAGE_POST_H_
