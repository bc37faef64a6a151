// Typed access to TOML tables that collects every fault instead of ending at the first one.
#ifndef RESMGR_AGENT_CATALOG_TABLE_READER_H_
#define RESMGR_AGENT_CATALOG_TABLE_READER_H_

#include <toml++/toml.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/catalog/catalog.h"
#include "agent/catalog/rules.h"
#include "common/clock.h"

namespace resmgr::catalog {

// What was found wrong in one file, in order of position.
class FaultList {
 public:
  explicit FaultList(std::string file) : file_(std::move(file)) {}

  void add(const toml::source_region& at, std::string what);
  bool empty() const { return faults_.empty(); }
  std::vector<Fault> sorted() const;

 private:
  struct Placed {
    toml::source_index line;
    toml::source_index column;
    std::string what;
  };
  std::string file_;
  std::vector<Placed> faults_;
};

using Rule = std::function<Objection(const std::string& text)>;

// Every getter is empty for a key that is missing, and for one that is wrong, which becomes a
// fault. `allowed` ends the sentence "'key' is …, and must be <allowed>".
class TableReader {
 public:
  // Keys that are not `known` are faults, with the nearest known one. `name` is as people write
  // it, "[resources]"; empty for the file's top level. Table and faults must outlive the reader.
  TableReader(const toml::table& table, std::string name, std::vector<std::string> known,
              FaultList& faults);

  bool has(std::string_view key) const { return table_.contains(key); }
  std::optional<std::string> text(std::string_view key, const Rule& rule) const;
  std::optional<bool> boolean(std::string_view key) const;
  std::optional<std::int64_t> integer(std::string_view key, std::int64_t min, std::int64_t max,
                                      std::string_view allowed) const;
  std::optional<double> number(std::string_view key, double min, double max,
                               std::string_view allowed) const;
  std::optional<Millis> duration(std::string_view key, Millis min, Millis max,
                                 std::string_view allowed) const;
  std::optional<std::int64_t> size(std::string_view key, std::int64_t min, std::int64_t max,
                                   std::string_view allowed) const;
  std::vector<std::string> texts(std::string_view key, const Rule& rule) const;
  // A table of texts, in order of its keys. Faults don't show the values: they may be secrets.
  std::vector<std::pair<std::string, std::string>> pairs(std::string_view key,
                                                         const Rule& name_rule,
                                                         const Rule& value_rule) const;
  std::optional<TableReader> table(std::string_view key, std::vector<std::string> known) const;
  std::vector<TableReader> tables(std::string_view key,
                                  const std::vector<std::string>& known) const;

  template <typename T>
  std::optional<T> choice(std::string_view key,
                          const std::vector<std::pair<std::string, T>>& values) const {
    std::vector<std::string> names;
    names.reserve(values.size());
    for (const auto& [name, value] : values) names.push_back(name);
    const std::optional<std::size_t> index = choice_index(key, names);
    return index ? std::optional<T>(values[*index].second) : std::nullopt;
  }

  void require(std::string_view key) const;
  // A fault at the key's value, or at the table where the key is missing.
  void fault(std::string_view key, std::string what) const;
  const toml::source_region& position(std::string_view key) const;

 private:
  const toml::node* find(std::string_view key) const { return table_.get(key); }
  std::optional<std::size_t> choice_index(std::string_view key,
                                          const std::vector<std::string>& names) const;
  void wrong(std::string_view key, const toml::node& node, std::string_view allowed) const;
  void check_text(std::string_view key, const toml::node& node, const Rule& rule) const;

  const toml::table& table_;
  std::string name_;
  FaultList* faults_;
};

}  // namespace resmgr::catalog

#endif  // RESMGR_AGENT_CATALOG_TABLE_READER_H_
