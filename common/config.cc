#include "common/config.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <numeric>

#include "common/config_file.h"
#include "common/config_value.h"
#include "common/error.h"
#include "common/time_format.h"

namespace resmgr {
namespace {

char to_upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row.back();
}

// The fault of an override, empty if there is none.
std::string override_fault(const ConfigKey& key, std::string_view text, const std::string& from) {
  if (is_valid(key, text)) return {};
  const std::string shown = key.secret ? std::string() : " '" + std::string(text) + "'";
  return from + ": '" + full_name(key) + "'" + shown + " must be " +
         std::string(expectation(key.type));
}

[[noreturn]] void refuse_settings(const std::vector<std::string>& faults) {
  std::string message = "cannot use configuration:";
  if (faults.size() == 1) {
    message += " " + faults.front();
  } else {
    message += " " + std::to_string(faults.size()) + " faults";
    for (const std::string& fault : faults) message += "\n  " + fault;
  }
  throw Error(ErrorKind::config, message);
}

}  // namespace

std::string environment_name(const ConfigKey& key) {
  std::string name = "RESMGR_" + std::string(key.section) + "_" + std::string(key.name);
  std::transform(name.begin(), name.end(), name.begin(), to_upper);
  return name;
}

Config Config::load(std::span<const ConfigKey> keys, const std::string& file, bool file_required,
                    const Environment& environment, const Overrides& flags, Unknown unknown) {
  Config config;
  config.keys_ = keys;
  for (const ConfigKey& key : keys) {
    config.values_[full_name(key)] = {std::string(key.default_value), split_list(key.default_value),
                                      "default", false};
  }
  for (const auto& [name, text] : flags) {
    if (!config.values_.contains(name)) {
      throw Error(ErrorKind::internal, "cannot set '" + name + "' by a flag: no such key");
    }
  }
  FileContents contents = read_config_file(keys, file, file_required, unknown);
  for (FileValue& value : contents.values) {
    config.values_[full_name(*value.key)] = {std::move(value.text), std::move(value.items),
                                             std::move(value.origin), true};
  }
  std::vector<std::string>& faults = contents.faults;
  const auto set = [&](const ConfigKey& key, const std::string& text, const std::string& origin,
                       const std::string& from) {
    if (std::string fault = override_fault(key, text, from); !fault.empty()) {
      faults.push_back(std::move(fault));
    }
    config.values_[full_name(key)] = {text, split_list(text), origin, true};
  };
  for (const ConfigKey& key : keys) {
    const std::string origin = "environment " + environment_name(key);
    if (const auto text = environment(environment_name(key))) set(key, *text, origin, origin);
    if (const auto flag = flags.find(full_name(key)); flag != flags.end()) {
      set(key, flag->second, "flag", "flag --" + std::string(key.name));
    }
  }
  if (!faults.empty()) refuse_settings(faults);
  return config;
}

const Config::Value& Config::find(std::string_view section_dot_name, ConfigType type) const {
  const auto key = std::find_if(keys_.begin(), keys_.end(), [&](const ConfigKey& one) {
    return full_name(one) == section_dot_name;
  });
  if (key == keys_.end() || key->type != type) {
    throw Error(ErrorKind::internal, "cannot read configuration key '" +
                                         std::string(section_dot_name) +
                                         "': it is not in the table with that type");
  }
  return values_.find(section_dot_name)->second;
}

// The texts below were checked by load(); what is empty then has an empty default.
std::string Config::text(std::string_view section_dot_name) const {
  return find(section_dot_name, ConfigType::text).text;
}

bool Config::boolean(std::string_view section_dot_name) const {
  return parse_boolean(find(section_dot_name, ConfigType::boolean).text).value_or(false);
}

std::int64_t Config::integer(std::string_view section_dot_name) const {
  return parse_integer(find(section_dot_name, ConfigType::integer).text).value_or(0);
}

double Config::number(std::string_view section_dot_name) const {
  return parse_number(find(section_dot_name, ConfigType::number).text).value_or(0);
}

Millis Config::duration(std::string_view section_dot_name) const {
  return parse_duration(find(section_dot_name, ConfigType::duration).text).value_or(Millis{0});
}

std::int64_t Config::size(std::string_view section_dot_name) const {
  return parse_size(find(section_dot_name, ConfigType::size).text).value_or(0);
}

std::vector<std::string> Config::text_list(std::string_view section_dot_name) const {
  return find(section_dot_name, ConfigType::text_list).items;
}

bool Config::is_set(std::string_view section_dot_name) const {
  const auto value = values_.find(section_dot_name);
  return value != values_.end() && value->second.set;
}

std::string Config::origin(std::string_view section_dot_name) const {
  const auto value = values_.find(section_dot_name);
  return value == values_.end() ? "default" : value->second.origin;
}

std::vector<Config::Shown> Config::show() const {
  std::vector<Shown> shown;
  for (const ConfigKey& key : keys_) {
    const Value& value = values_.find(full_name(key))->second;
    const bool masked = key.secret && !value.text.empty();
    shown.push_back({full_name(key), masked ? "********" : value.text, value.origin});
  }
  return shown;
}

std::vector<std::string> Config::changed_in(const Config& other) const {
  std::vector<std::string> changed;
  for (const ConfigKey& key : keys_) {
    const std::string name = full_name(key);
    const Value& mine = values_.find(name)->second;
    const Value& its = other.values_.find(name)->second;
    const bool is_list = key.type == ConfigType::text_list;
    if (is_list ? mine.items != its.items : mine.text != its.text) changed.push_back(name);
  }
  return changed;
}

std::optional<std::string> process_environment(const std::string& name) {
  const char* const value = std::getenv(name.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

std::string nearest_name(std::string_view name, std::span<const std::string> known) {
  constexpr std::size_t kFarthest = 3;
  std::string nearest;
  // Of a short name everything would be near.
  std::size_t least = std::min(kFarthest + 1, std::max<std::size_t>(name.size(), 1));
  for (const std::string& one : known) {
    const std::size_t distance = edit_distance(name, one);
    if (distance >= least) continue;
    least = distance;
    nearest = one;
  }
  return nearest;
}

}  // namespace resmgr
