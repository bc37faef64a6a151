// Work that nobody waits for.
#ifndef RESMGR_COMMON_GIVE_WAY_H_
#define RESMGR_COMMON_GIVE_WAY_H_

#include <sys/resource.h>
#include <unistd.h>

namespace resmgr {

// From now on this thread gives way to others where cores are scarce, for as long as it lives;
// where a sandbox forbids it, nothing changes. Not for a thread that takes locks which requests
// wait for.
inline void give_way() {
  constexpr int kNice = 10;
  // Linux has a nice value a thread.
  setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), kNice);
}

}  // namespace resmgr

#endif  // RESMGR_COMMON_GIVE_WAY_H_
