// Named places at which a test kills the process, so that every crash has its history.
//
// In a build with RESMGR_FAILPOINTS:
// - RESMGR_FAILPOINT names one, as "name" or "name:n" (the n-th time that it is reached, from 1):
//   there the process ends as by kill -9.
// - RESMGR_FAILPOINT_TRACE names a file to which each one that is reached is appended, a line each,
//   before anything else happens there: what a run reached, and where it ended.
// Other builds contain nothing of this.
#ifndef RESMGR_COMMON_FAILPOINT_H_
#define RESMGR_COMMON_FAILPOINT_H_

#include <functional>
#include <string_view>

#include "common/failpoint_names.h"

namespace resmgr {

#ifdef RESMGR_FAILPOINTS
void failpoint(FailpointName name);

// On this thread, failpoints call `handler` instead of doing what the environment says; an empty
// one undoes that. It may throw: what is not a std::exception passes through the whole agent, and
// is what a kill of the process is to a test that lives in it.
using FailpointHandler = std::function<void(std::string_view name)>;
void set_failpoint_handler(FailpointHandler handler);
#else
inline void failpoint(FailpointName) {}
#endif

}  // namespace resmgr

#endif  // RESMGR_COMMON_FAILPOINT_H_
