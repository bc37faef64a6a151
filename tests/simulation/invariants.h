// What holds once everything has settled, whatever went wrong before.
#ifndef RESMGR_TESTS_SIMULATION_INVARIANTS_H_
#define RESMGR_TESTS_SIMULATION_INVARIANTS_H_

#include <string>
#include <vector>

#include "tests/simulation/rig.h"

namespace resmgr::simulation {

// A sentence for each thing that is not as it should be: empty = all holds. By the design's
// numbers:
// 1. At most one container per task. 2. Every intent ends in an outcome. 3. Each task whose
// container ran and ended has exactly one usage record, with the engine's own times. 5. The rows
// equal the replay of the events. 6. No foreign container was touched. 7. No container, volume or
// port leaks. Beside these: what callers were told is so, nobody waits in vain, and no task ended
// without a cause.
std::vector<std::string> broken_invariants(const Rig& rig);

// What holds at every moment, whatever is on the way: never more than the limits allow.
std::vector<std::string> broken_limits(const Rig& rig);

}  // namespace resmgr::simulation

#endif  // RESMGR_TESTS_SIMULATION_INVARIANTS_H_
