// Whether a started service answers.
#ifndef RESMGR_AGENT_TASKS_READINESS_H_
#define RESMGR_AGENT_TASKS_READINESS_H_

#include <string>

#include "agent/catalog/catalog.h"
#include "common/clock.h"

namespace resmgr::tasks {

constexpr Millis kUsualPatience{3'000};

// One try, through the published port, as a browser would come. `address` is the one it is
// published on (a wildcard is asked through loopback). Waits for at most `patience` for the
// connection, and as long for the answer. Never throws.
//
// tcp: a connection is made and not closed at once: Docker's proxy accepts for a service that does
// not listen yet, and closes. http: any status from 200 to 399.
bool answers(const catalog::Probe& probe, const std::string& address, int port, Millis patience);

}  // namespace resmgr::tasks

#endif  // RESMGR_AGENT_TASKS_READINESS_H_
