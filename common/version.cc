#include "common/version.h"

namespace resmgr {

const char* const kVersion = RESMGR_VERSION;

}  // namespace resmgr
