// What an agent does while it is killed: together these reach every failpoint.
#ifndef RESMGR_TESTS_CRASH_OPERATIONS_H_
#define RESMGR_TESTS_CRASH_OPERATIONS_H_

#include <string>
#include <vector>

#include "tests/support/agent_process.h"

namespace resmgr::crash {

struct Operation {
  const char* name;
  // Without a failpoint: brings the agent's directories to where the history begins. It ends with
  // no agent running. May be empty.
  void (*before)(support::AgentProcess& agent);
  // With it. Throws Error where the agent is gone.
  void (*act)(support::AgentProcess& agent);
  bool journal_is_lost = false;  // on the way to where the history begins
  bool keeps_warm = false;       // the agent keeps one container of the service kWarm
};

const std::vector<Operation>& operations();

}  // namespace resmgr::crash

#endif  // RESMGR_TESTS_CRASH_OPERATIONS_H_
