// Reads the TOML file of a configuration.
#ifndef RESMGR_COMMON_CONFIG_FILE_H_
#define RESMGR_COMMON_CONFIG_FILE_H_

#include <span>
#include <string>
#include <vector>

#include "common/config.h"

namespace resmgr {

struct FileValue {
  const ConfigKey* key = nullptr;
  std::string text;                // as in the environment
  std::vector<std::string> items;  // of a list
  std::string origin;              // "file:line"
};

struct FileContents {
  std::vector<FileValue> values;
  std::vector<std::string> faults;  // "file:line:column: what is wrong"
};

// A file that is not there gives nothing, and a fault if it is `required`.
FileContents read_config_file(std::span<const ConfigKey> keys, const std::string& file,
                              bool required, Unknown unknown);

}  // namespace resmgr

#endif  // RESMGR_COMMON_CONFIG_FILE_H_
