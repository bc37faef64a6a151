#include "common/config_file.h"

#include <toml++/toml.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <set>
#include <sstream>

#include "common/config_value.h"
#include "common/file_bytes.h"

namespace resmgr {
namespace {

// A wrong path should not fill the memory.
constexpr std::size_t kLargestFile = std::size_t{4} << 20;

class FileReader {
 public:
  FileReader(std::span<const ConfigKey> keys, const std::string& file, Unknown unknown)
      : keys_(keys), file_(file), unknown_(unknown) {}

  FileContents read(bool required) {
    if (const auto text = bytes(required)) parse(*text);
    return std::move(contents_);
  }

 private:
  std::optional<std::string> bytes(bool required) {
    FileBytes read = read_file_bytes(file_, kLargestFile);
    if (read.error == 0) return std::move(read.bytes);
    if (read.error != ENOENT || required) {
      contents_.faults.push_back(file_ + ": " + std::strerror(read.error));
    }
    return std::nullopt;
  }

  void parse(const std::string& text) {
    try {
      const toml::table root = toml::parse(text, file_);
      for (const auto& [name, node] : root) read_section(name.str(), name.source(), node);
    } catch (const toml::parse_error& e) {
      fault(e.source(), std::string(e.description()));
    }
    // The library's tables are sorted by name; people read from top to bottom.
    std::stable_sort(faults_.begin(), faults_.end(), [](const Fault& a, const Fault& b) {
      return std::pair(a.line, a.column) < std::pair(b.line, b.column);
    });
    for (const Fault& one : faults_) contents_.faults.push_back(one.text);
  }

  void read_section(std::string_view name, const toml::source_region& source,
                    const toml::node& node) {
    const bool known = std::any_of(keys_.begin(), keys_.end(),
                                   [&](const ConfigKey& key) { return key.section == name; });
    const toml::table* const table = node.as_table();
    if (!known && unknown_ != Unknown::refuse) return;
    if (!known && table != nullptr) {
      fault(source, "unknown section [" + std::string(name) + "]" + suggestion(name, sections()));
    } else if (!known) {
      fault(source,
            "unknown key '" + std::string(name) + "' outside of a section" + elsewhere(name));
    } else if (table == nullptr) {
      fault(source, "'" + std::string(name) + "' must be a section: [" + std::string(name) + "]");
    } else {
      for (const auto& [key, value] : *table) read_key(name, key.str(), key.source(), value);
    }
  }

  void read_key(std::string_view section, std::string_view name, const toml::source_region& source,
                const toml::node& node) {
    const auto key = std::find_if(keys_.begin(), keys_.end(), [&](const ConfigKey& one) {
      return one.section == section && one.name == name;
    });
    if (key == keys_.end() && unknown_ == Unknown::pass_over_all) return;
    if (key == keys_.end()) {
      std::string hint = suggestion(name, names_in(section));
      if (hint.empty()) hint = elsewhere(name);
      fault(source,
            "unknown key '" + std::string(name) + "' in [" + std::string(section) + "]" + hint);
      return;
    }
    if (key->only_environment) {
      fault(source, "'" + full_name(*key) + "' can't stand in this file: give " +
                        std::string(name) + "_file, or set " + environment_name(*key));
      return;
    }
    FileValue value{&*key, {}, {}, file_ + ":" + std::to_string(source.begin.line)};
    if (take(node, value)) {
      contents_.values.push_back(std::move(value));
    } else {
      fault(node.source(),
            "'" + full_name(*key) + "' must be " + std::string(expectation(key->type)));
    }
  }

  static bool take(const toml::node& node, FileValue& value) {
    if (value.key->type == ConfigType::text_list) return take_list(node, value);
    const std::optional<std::string> text = scalar(node, value.key->type);
    if (!text) return false;
    value.text = *text;
    return is_valid(*value.key, value.text);
  }

  static bool take_list(const toml::node& node, FileValue& value) {
    const toml::array* const array = node.as_array();
    if (array == nullptr) return false;
    for (const toml::node& item : *array) {
      const auto* const text = item.as_string();
      if (text == nullptr) return false;
      value.items.push_back(text->get());
    }
    value.text = join_list(value.items);
    return true;
  }

  // As in the environment; empty if the node is not of the TOML type that `type` is written in.
  static std::optional<std::string> scalar(const toml::node& node, ConfigType type) {
    const bool is_number = type == ConfigType::number;
    if (const auto* const text = node.as_string()) {
      const bool quoted =
          type == ConfigType::text || type == ConfigType::duration || type == ConfigType::size;
      return quoted ? std::optional(text->get()) : std::nullopt;
    }
    if (const auto* const flag = node.as_boolean(); flag && type == ConfigType::boolean) {
      return flag->get() ? "true" : "false";
    }
    if (const auto* const integer = node.as_integer()) {
      const bool bare = type == ConfigType::integer || type == ConfigType::size || is_number;
      return bare ? std::optional(std::to_string(integer->get())) : std::nullopt;
    }
    if (const auto* const number = node.as_floating_point(); number && is_number) {
      std::ostringstream text;
      text.precision(17);
      text << number->get();
      return text.str();
    }
    return std::nullopt;
  }

  std::vector<std::string> sections() const {
    std::set<std::string> names;
    for (const ConfigKey& key : keys_) names.emplace(key.section);
    return {names.begin(), names.end()};
  }

  std::vector<std::string> names_in(std::string_view section) const {
    std::vector<std::string> names;
    for (const ConfigKey& key : keys_) {
      if (key.section == section) names.emplace_back(key.name);
    }
    return names;
  }

  static std::string suggestion(std::string_view name, const std::vector<std::string>& known) {
    const std::string nearest = nearest_name(name, known);
    return nearest.empty() ? "" : "; did you mean '" + nearest + "'?";
  }

  // A key under the wrong section.
  std::string elsewhere(std::string_view name) const {
    const auto key = std::find_if(keys_.begin(), keys_.end(),
                                  [&](const ConfigKey& one) { return one.name == name; });
    if (key == keys_.end()) return suggestion(name, sections());
    return "; it belongs into [" + std::string(key->section) + "]";
  }

  struct Fault {
    toml::source_index line;
    toml::source_index column;
    std::string text;
  };

  void fault(const toml::source_region& at, const std::string& what) {
    faults_.push_back({at.begin.line, at.begin.column,
                       file_ + ":" + std::to_string(at.begin.line) + ":" +
                           std::to_string(at.begin.column) + ": " + what});
  }

  std::span<const ConfigKey> keys_;
  const std::string& file_;
  const Unknown unknown_;
  FileContents contents_;
  std::vector<Fault> faults_;
};

}  // namespace

FileContents read_config_file(std::span<const ConfigKey> keys, const std::string& file,
                              bool required, Unknown unknown) {
  return FileReader(keys, file, unknown).read(required);
}

}  // namespace resmgr
