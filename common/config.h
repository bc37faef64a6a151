// Configuration: a table of keys, and their values from a TOML file, the environment and flags,
// each remembering where it came from. Flag beats environment beats file beats default.
#ifndef RESMGR_COMMON_CONFIG_H_
#define RESMGR_COMMON_CONFIG_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/clock.h"

namespace resmgr {

enum class ConfigType { text, boolean, integer, number, duration, size, text_list };

struct ConfigKey {
  std::string_view section;  // "server"
  std::string_view name;     // "listen"
  ConfigType type;
  std::string_view default_value;  // as in the environment; lists are comma-separated
  std::string_view help;           // one line, for the man page and config show
  bool secret = false;             // masked in config show
  bool only_environment = false;   // a file of many settings is no place for it
};

// The variable of a key: RESMGR_ + section + _ + name, in capitals: RESMGR_POSTGRES_URL. In the
// environment a list is comma-separated, and an empty value is a value.
std::string environment_name(const ConfigKey& key);

// What is in a file and not among the keys: a fault, or (sections, or keys too) somebody else's
// business. One file can hold what several programs read.
enum class Unknown { refuse, pass_over_sections, pass_over_all };

class Config {
 public:
  using Environment = std::function<std::optional<std::string>(const std::string& name)>;
  // "section.name" -> value as in the environment.
  using Overrides = std::map<std::string, std::string>;

  // Throws Error(config) naming file:line:column, what is wrong, and the nearest known key for an
  // unknown one; all faults of the file in one message, a line each. A `file` that does not exist
  // is an error only if `file_required`. `keys` must outlive the Config. Faulty variables and flags
  // are named in the same message. An empty value is allowed where the default is empty too; as a
  // number, duration or size it reads 0.
  static Config load(std::span<const ConfigKey> keys, const std::string& file, bool file_required,
                     const Environment& environment, const Overrides& flags,
                     Unknown unknown = Unknown::refuse);

  // The value; asking for a key that is not in the table, or with the wrong type, is a defect and
  // throws Error(internal).
  std::string text(std::string_view section_dot_name) const;
  bool boolean(std::string_view section_dot_name) const;
  std::int64_t integer(std::string_view section_dot_name) const;
  double number(std::string_view section_dot_name) const;
  Millis duration(std::string_view section_dot_name) const;
  std::int64_t size(std::string_view section_dot_name) const;  // bytes
  std::vector<std::string> text_list(std::string_view section_dot_name) const;

  // Whether anything but the default gave it.
  bool is_set(std::string_view section_dot_name) const;
  // "default", "environment RESMGR_…", "flag", or "file:line".
  std::string origin(std::string_view section_dot_name) const;

  struct Shown {
    std::string key;    // "server.listen"
    std::string value;  // secrets are "********"
    std::string origin;
  };
  std::vector<Shown> show() const;

  // "section.name" of the keys that have another value in `other`, which is of the same table.
  std::vector<std::string> changed_in(const Config& other) const;

 private:
  struct Value {
    std::string text;                // scalar, as in the environment
    std::vector<std::string> items;  // of a list
    std::string origin;
    bool set = false;
  };
  const Value& find(std::string_view section_dot_name, ConfigType type) const;
  std::span<const ConfigKey> keys_;
  std::map<std::string, Value, std::less<>> values_;
};

// The process's environment.
std::optional<std::string> process_environment(const std::string& name);

// The name among `known` that is nearest to `name` (edit distance up to 3), or empty.
std::string nearest_name(std::string_view name, std::span<const std::string> known);

// The bytes of a key file less one trailing newline; "base64:" in front marks encoded ones. Throws
// Error(config) naming the file; warns in the log if others may read it.
std::string read_key_file(const std::string& path);

}  // namespace resmgr

#endif  // RESMGR_COMMON_CONFIG_H_
