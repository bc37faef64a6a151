// How a configuration value reads, and what it may be.
#ifndef RESMGR_COMMON_CONFIG_VALUE_H_
#define RESMGR_COMMON_CONFIG_VALUE_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/config.h"

namespace resmgr {

// "server.listen".
std::string full_name(const ConfigKey& key);

// What a value of the type must look like, after "must be ": "a duration such as 90s or 15m".
std::string_view expectation(ConfigType type);

// Whether `text` is a value of the key, written as in the environment. An empty one is, for a key
// whose default is empty too.
bool is_valid(const ConfigKey& key, std::string_view text);

std::optional<bool> parse_boolean(std::string_view text);
std::optional<std::int64_t> parse_integer(std::string_view text);
std::optional<double> parse_number(std::string_view text);
// Comma-separated; white space around an item is dropped, and so are empty items.
std::vector<std::string> split_list(std::string_view text);
std::string join_list(const std::vector<std::string>& items);

}  // namespace resmgr

#endif  // RESMGR_COMMON_CONFIG_VALUE_H_
