// Named places at which a test kills the process, so that every crash has its history.
//
// In a build with RESMGR_FAILPOINTS the environment variable RESMGR_FAILPOINT names one, as
// "name" or "name:n" (the n-th time it is reached, from 1): there the process ends as by kill -9.
// Other builds contain nothing of this.
#ifndef RESMGR_COMMON_FAILPOINT_H_
#define RESMGR_COMMON_FAILPOINT_H_

namespace resmgr {

#ifdef RESMGR_FAILPOINTS
void failpoint(const char* name);
#else
inline void failpoint(const char*) {}
#endif

}  // namespace resmgr

#endif  // RESMGR_COMMON_FAILPOINT_H_
