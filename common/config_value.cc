#include "common/config_value.h"

#include <charconv>
#include <cmath>

#include "common/time_format.h"

namespace resmgr {

std::string full_name(const ConfigKey& key) {
  return std::string(key.section) + "." + std::string(key.name);
}

std::string_view expectation(ConfigType type) {
  switch (type) {
    case ConfigType::text:
      return "a text";
    case ConfigType::boolean:
      return "true or false";
    case ConfigType::integer:
      return "an integer";
    case ConfigType::number:
      return "a number";
    case ConfigType::duration:
      return "a duration such as \"90s\", \"15m\", \"8h\" or \"2d\"";
    case ConfigType::size:
      return "a size such as \"512MiB\" or \"10GB\"";
    case ConfigType::text_list:
      return "a list of texts such as [\"a\", \"b\"]";
  }
  return "a value";
}

bool is_valid(const ConfigKey& key, std::string_view text) {
  if (text.empty() && key.default_value.empty()) return true;
  switch (key.type) {
    case ConfigType::text:
    case ConfigType::text_list:
      return true;
    case ConfigType::boolean:
      return parse_boolean(text).has_value();
    case ConfigType::integer:
      return parse_integer(text).has_value();
    case ConfigType::number:
      return parse_number(text).has_value();
    case ConfigType::duration:
      return parse_duration(text).has_value();
    case ConfigType::size:
      return parse_size(text).has_value();
  }
  return false;
}

std::optional<bool> parse_boolean(std::string_view text) {
  if (text == "true") return true;
  if (text == "false") return false;
  return std::nullopt;
}

std::optional<std::int64_t> parse_integer(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<double> parse_number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) {
    return std::nullopt;
  }
  return value;
}

std::vector<std::string> split_list(std::string_view text) {
  constexpr std::string_view kWhiteSpace = " \t";
  std::vector<std::string> items;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    std::string_view item = text.substr(0, comma);
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
    item.remove_prefix(std::min(item.find_first_not_of(kWhiteSpace), item.size()));
    item = item.substr(0, item.find_last_not_of(kWhiteSpace) + 1);
    if (!item.empty()) items.emplace_back(item);
  }
  return items;
}

std::string join_list(const std::vector<std::string>& items) {
  std::string text;
  for (const std::string& item : items) {
    if (!text.empty()) text += ",";
    text += item;
  }
  return text;
}

}  // namespace resmgr
