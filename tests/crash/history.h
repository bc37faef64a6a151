// One history on the real engine: an operation, a kill in it, and what the next agent makes of it.
#ifndef RESMGR_TESTS_CRASH_HISTORY_H_
#define RESMGR_TESTS_CRASH_HISTORY_H_

#include <map>
#include <string>
#include <vector>

#include "tests/crash/operations.h"

namespace resmgr::crash {

struct Outcome {
  // How often the operation reached each failpoint before it was killed, or to its end.
  std::map<std::string, int> reached;
  bool killed = false;  // at the failpoint: by SIGKILL, and that was the last it reached
  std::vector<std::string> faults;  // what does not hold afterwards
  std::string log;                  // of the agent that came after
};

// `failpoint` as RESMGR_FAILPOINT has it; empty: no kill. It takes some seconds. Thread-safe.
Outcome live(const Operation& operation, const std::string& failpoint);

}  // namespace resmgr::crash

#endif  // RESMGR_TESTS_CRASH_HISTORY_H_
