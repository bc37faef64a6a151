// Secrets in files.
#ifndef RESMGR_COMMON_KEY_FILE_H_
#define RESMGR_COMMON_KEY_FILE_H_

#include <string>

namespace resmgr {

// As read_key_file() (common/config.h), without a warning.
std::string read_key_bytes(const std::string& path);

// Logs a warning, with what mends it, if every user of this host may read the file.
void warn_if_exposed(const std::string& path);

}  // namespace resmgr

#endif  // RESMGR_COMMON_KEY_FILE_H_
