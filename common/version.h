// The version of both programs, as CMakeLists.txt has it (Semantic Versioning 2.0.0).
#ifndef RESMGR_COMMON_VERSION_H_
#define RESMGR_COMMON_VERSION_H_

namespace resmgr {

extern const char* const kVersion;

}  // namespace resmgr

#endif  // RESMGR_COMMON_VERSION_H_
