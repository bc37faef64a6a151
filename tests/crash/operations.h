// What an agent does while it is killed: together these reach every failpoint.
#ifndef RESMGR_TESTS_CRASH_OPERATIONS_H_
#define RESMGR_TESTS_CRASH_OPERATIONS_H_

#include <string>
#include <vector>

#include "tests/contract/tiny_registry.h"
#include "tests/support/agent_process.h"
#include "tests/support/postgres_server.h"

namespace resmgr::crash {

struct Operation {
  const char* name;
  // Without a failpoint: brings the agent's directories to where the history begins. It ends with
  // no agent running. May be empty.
  void (*before)(support::AgentProcess& agent);
  // With it. Throws Error where the agent is gone.
  void (*act)(support::AgentProcess& agent);
  bool journal_is_lost = false;  // on the way to where the history begins
};

const std::vector<Operation>& operations();

// The suite's server. Each agent has a schema of its own in it, which must be made before it
// starts.
support::PostgresServer& postgres();
std::string schema_of(const support::AgentProcess& agent);

// The services that they start, and where their rows go; `registry` has the image of one.
support::AgentOptions agent_options(engine::TinyRegistry& registry);

// The service whose tasks are stopped for their age at once.
inline constexpr char kPassing[] = "short-lived";

// The prefix of the volumes that go with their tasks.
inline constexpr char kScratch[] = "resmgr-crash-";

}  // namespace resmgr::crash

#endif  // RESMGR_TESTS_CRASH_OPERATIONS_H_
