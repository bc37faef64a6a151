// A host that is being emptied for maintenance: it starts nothing more, and all else goes on. It is
// a note in the journal, so that it outlives the agent, and is read in the transaction that admits.
#ifndef RESMGR_AGENT_TASKS_DRAIN_H_
#define RESMGR_AGENT_TASKS_DRAIN_H_

#include <optional>
#include <string>

#include "agent/journal/journal.h"
#include "common/clock.h"

namespace resmgr::tasks {

// Who asks for it, for the audit.
struct Requester {
  std::string user_id;
  std::string name;  // login name, or the token's subject
};

struct Drain {
  std::string reason;  // in the operator's words; may be empty
  Instant since{};
};

// Empty: starts are admitted.
std::optional<Drain> current_drain(journal::Reader& reader);

// Where it is draining already, only a reason that is given is taken over.
Drain begin_drain(journal::Journal& journal, const std::string& reason, const Requester& by,
                  Instant now);
// No error if it is not draining.
void end_drain(journal::Journal& journal, const Requester& by, Instant now);

bool is_draining(journal::Transaction& transaction);
// Throws unavailable ("draining") while it is.
void check_not_draining(journal::Transaction& transaction);

}  // namespace resmgr::tasks

#endif  // RESMGR_AGENT_TASKS_DRAIN_H_
