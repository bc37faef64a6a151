#include "agent/catalog/table_reader.h"

#include <algorithm>
#include <sstream>
#include <tuple>

#include "common/config.h"
#include "common/time_format.h"

namespace resmgr::catalog {
namespace {

std::string in_quotes(std::string_view text) { return "'" + std::string(text) + "'"; }

std::string joined(const std::vector<std::string>& words) {
  std::string all;
  for (const std::string& word : words) all += (all.empty() ? "" : ", ") + word;
  return all;
}

// The value as it stands in the file, or what kind of thing it is where it is no scalar.
std::string shown(const toml::node& node) {
  constexpr std::size_t kMax = 60;
  if (node.is_table()) return "a table";
  if (node.is_array()) return "an array";
  std::ostringstream out;
  out << toml::node_view<const toml::node>(node);
  std::string text = out.str();
  if (text.size() > kMax) text = text.substr(0, kMax) + "…";
  return text;
}

}  // namespace

void FaultList::add(const toml::source_region& at, std::string what) {
  faults_.push_back({at.begin.line, at.begin.column, std::move(what)});
}

std::vector<Fault> FaultList::sorted() const {
  std::vector<Placed> placed = faults_;
  std::stable_sort(placed.begin(), placed.end(), [](const Placed& a, const Placed& b) {
    return std::tie(a.line, a.column) < std::tie(b.line, b.column);
  });
  std::vector<Fault> faults;
  for (const Placed& one : placed) {
    // What is made by dotted keys, and a document without a byte, has no position of its own.
    const std::string position =
        one.line == 0 ? "" : ":" + std::to_string(one.line) + ":" + std::to_string(one.column);
    faults.push_back({file_ + position, one.what});
  }
  return faults;
}

TableReader::TableReader(const toml::table& table, std::string name, std::vector<std::string> known,
                         FaultList& faults)
    : table_(table), name_(std::move(name)), faults_(&faults) {
  for (const auto& [key, node] : table) {
    const std::string unknown(key.str());
    if (std::find(known.begin(), known.end(), unknown) != known.end()) continue;
    std::string what = "unknown key " + in_quotes(unknown);
    if (!name_.empty()) what += " in " + name_;
    if (const std::string nearest = nearest_name(unknown, known); !nearest.empty()) {
      what += ": did you mean " + in_quotes(nearest) + "?";
    }
    faults_->add(key.source(),
                 what + (what.ends_with('?') ? " " : "; ") + "known are " + joined(known));
  }
}

void TableReader::wrong(std::string_view key, const toml::node& node,
                        std::string_view allowed) const {
  faults_->add(node.source(),
               in_quotes(key) + " is " + shown(node) + ", and must be " + std::string(allowed));
}

void TableReader::fault(std::string_view key, std::string what) const {
  faults_->add(position(key), std::move(what));
}

const toml::source_region& TableReader::position(std::string_view key) const {
  const toml::node* node = find(key);
  return node != nullptr ? node->source() : table_.source();
}

void TableReader::require(std::string_view key) const {
  if (has(key)) return;
  fault(key, in_quotes(key) + " is missing" + (name_.empty() ? "" : " in " + name_));
}

void TableReader::check_text(std::string_view key, const toml::node& node, const Rule& rule) const {
  const std::string& text = node.as_string()->get();
  if (text.find('\0') != std::string::npos) {
    faults_->add(node.source(), in_quotes(key) + " holds a NUL character");
  } else if (const Objection what = rule(text)) {
    faults_->add(node.source(), in_quotes(key) + " is " + shown(node) + ", and " + *what);
  }
}

std::optional<std::string> TableReader::text(std::string_view key, const Rule& rule) const {
  const toml::node* node = find(key);
  if (node == nullptr) return std::nullopt;
  if (!node->is_string()) {
    wrong(key, *node, "a text in quotes");
    return std::nullopt;
  }
  check_text(key, *node, rule);
  return node->as_string()->get();
}

std::optional<bool> TableReader::boolean(std::string_view key) const {
  const toml::node* node = find(key);
  if (node == nullptr) return std::nullopt;
  if (!node->is_boolean()) {
    wrong(key, *node, "true or false");
    return std::nullopt;
  }
  return node->as_boolean()->get();
}

std::optional<std::int64_t> TableReader::integer(std::string_view key, std::int64_t min,
                                                 std::int64_t max, std::string_view allowed) const {
  const toml::node* node = find(key);
  if (node == nullptr) return std::nullopt;
  const auto* value = node->as_integer();
  if (value == nullptr || value->get() < min || value->get() > max) {
    wrong(key, *node, allowed);
    return std::nullopt;
  }
  return value->get();
}

std::optional<double> TableReader::number(std::string_view key, double min, double max,
                                          std::string_view allowed) const {
  const toml::node* node = find(key);
  if (node == nullptr) return std::nullopt;
  const std::optional<double> value = node->is_number() ? node->value<double>() : std::nullopt;
  // Written so that a NaN is refused.
  if (!value || !(*value >= min && *value <= max)) {
    wrong(key, *node, allowed);
    return std::nullopt;
  }
  return value;
}

std::optional<Millis> TableReader::duration(std::string_view key, Millis min, Millis max,
                                            std::string_view allowed) const {
  const toml::node* node = find(key);
  if (node == nullptr) return std::nullopt;
  const auto* value = node->as_string();
  const std::optional<Millis> duration =
      value != nullptr ? parse_duration(value->get()) : std::nullopt;
  if (!duration || *duration < min || *duration > max) {
    wrong(key, *node, allowed);
    return std::nullopt;
  }
  return duration;
}

std::optional<std::int64_t> TableReader::size(std::string_view key, std::int64_t min,
                                              std::int64_t max, std::string_view allowed) const {
  const toml::node* node = find(key);
  if (node == nullptr) return std::nullopt;
  const auto* value = node->as_string();
  const std::optional<std::int64_t> size =
      value != nullptr ? parse_size(value->get()) : std::nullopt;
  if (!size || *size < min || *size > max) {
    wrong(key, *node, allowed);
    return std::nullopt;
  }
  return size;
}

std::vector<std::string> TableReader::texts(std::string_view key, const Rule& rule) const {
  const toml::node* node = find(key);
  if (node == nullptr) return {};
  if (!node->is_array()) {
    wrong(key, *node, "an array of texts");
    return {};
  }
  std::vector<std::string> all;
  for (const toml::node& item : *node->as_array()) {
    if (!item.is_string()) {
      faults_->add(item.source(), in_quotes(key) + " holds " + shown(item) +
                                      ", and must hold texts in quotes only");
      continue;
    }
    check_text(key, item, rule);
    all.push_back(item.as_string()->get());
  }
  return all;
}

std::vector<std::pair<std::string, std::string>> TableReader::pairs(std::string_view key,
                                                                    const Rule& name_rule,
                                                                    const Rule& value_rule) const {
  const toml::node* node = find(key);
  if (node == nullptr) return {};
  if (!node->is_table()) {
    wrong(key, *node, "a table of texts, { NAME = \"value\" }");
    return {};
  }
  std::vector<std::pair<std::string, std::string>> all;
  for (const auto& [name, value] : *node->as_table()) {
    const std::string text(name.str());
    if (const Objection what = name_rule(text)) {
      faults_->add(name.source(), in_quotes(text) + " in " + in_quotes(key) + " " + *what);
    }
    const auto* as_text = value.as_string();
    const Objection what =
        as_text == nullptr ? "must be a text in quotes" : value_rule(as_text->get());
    if (what) faults_->add(value.source(), in_quotes(std::string(key) + "." + text) + " " + *what);
    if (as_text != nullptr) all.emplace_back(text, as_text->get());
  }
  return all;
}

std::optional<TableReader> TableReader::table(std::string_view key,
                                              std::vector<std::string> known) const {
  const toml::node* node = find(key);
  if (node == nullptr) return std::nullopt;
  const std::string name = "[" + std::string(key) + "]";
  if (!node->is_table()) {
    wrong(key, *node, "a table, " + name);
    return std::nullopt;
  }
  return TableReader(*node->as_table(), name, std::move(known), *faults_);
}

std::vector<TableReader> TableReader::tables(std::string_view key,
                                             const std::vector<std::string>& known) const {
  const toml::node* node = find(key);
  if (node == nullptr) return {};
  const std::string name = "[[" + std::string(key) + "]]";
  if (!node->is_array()) {
    wrong(key, *node, "an array of tables, " + name);
    return {};
  }
  std::vector<TableReader> all;
  for (const toml::node& item : *node->as_array()) {
    if (item.is_table()) {
      all.emplace_back(*item.as_table(), name, known, *faults_);
    } else {
      wrong(key, item, "a table, " + name);
    }
  }
  return all;
}

std::optional<std::size_t> TableReader::choice_index(std::string_view key,
                                                     const std::vector<std::string>& names) const {
  const toml::node* node = find(key);
  if (node == nullptr) return std::nullopt;
  const auto* value = node->as_string();
  const auto found =
      value == nullptr ? names.end() : std::find(names.begin(), names.end(), value->get());
  if (found == names.end()) {
    wrong(key, *node, "one of " + joined(names));
    return std::nullopt;
  }
  return static_cast<std::size_t>(found - names.begin());
}

}  // namespace resmgr::catalog
