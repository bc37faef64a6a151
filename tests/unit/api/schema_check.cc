#include "tests/unit/api/schema_check.h"

#include <algorithm>
#include <array>
#include <regex>

#include "common/ids.h"
#include "common/time_format.h"

namespace resmgr::api {
namespace {

constexpr std::array<std::string_view, 20> kKeywords = {"$ref",        "additionalProperties",
                                                        "allOf",       "anyOf",
                                                        "const",       "default",
                                                        "description", "enum",
                                                        "examples",    "format",
                                                        "items",       "maxLength",
                                                        "maximum",     "minLength",
                                                        "minimum",     "pattern",
                                                        "properties",  "required",
                                                        "title",       "type"};

bool is_of_type(const Json& value, std::string_view type) {
  if (type == "null") return value.is_null();
  if (type == "string") return value.is_string();
  if (type == "boolean") return value.is_boolean();
  if (type == "integer") return value.is_number_integer();
  if (type == "number") return value.is_number();
  if (type == "object") return value.is_object();
  return type == "array" && value.is_array();
}

bool fits_type(const Json& value, const Json& type) {
  if (type.is_string()) return is_of_type(value, type.get<std::string>());
  return std::any_of(type.begin(), type.end(),
                     [&](const Json& one) { return is_of_type(value, one.get<std::string>()); });
}

bool fits_format(const std::string& text, const std::string& format) {
  if (format == "uuid") return parse_uuid(text).has_value();
  if (format == "date-time") return parse_rfc3339(text).has_value();
  return format == "date" || format == "uri" || format == "uri-reference";
}

bool fits_bounds(const Json& value, const Json& schema) {
  if (value.is_number()) {
    return !(schema.contains("minimum") && value < schema["minimum"]) &&
           !(schema.contains("maximum") && value > schema["maximum"]);
  }
  const std::size_t size = value.is_string() ? value.get_ref<const std::string&>().size() : 0;
  return !value.is_string() || (size >= schema.value("minLength", 0U) &&
                                size <= schema.value("maxLength", std::size_t{1} << 20));
}

}  // namespace

const Json& SchemaCheck::resolve(const Json& node) const {
  const auto reference = node.find("$ref");
  if (reference == node.end()) return node;
  return resolve(document_.at(Json::json_pointer(reference->get<std::string>().substr(1))));
}

std::vector<std::string> SchemaCheck::faults(const Json& value, const Json& schema) const {
  std::vector<std::string> faults;
  check(value, schema, "", true, faults);
  return faults;
}

void SchemaCheck::check(const Json& value, const Json& node, const std::string& where, bool closed,
                        std::vector<std::string>& faults) const {
  const Json& schema = resolve(node);
  const auto fault = [&](const std::string& what) {
    faults.push_back(where + ": " + dump_json(value).substr(0, 80) + " " + what);
  };
  for (const auto& [keyword, wanted] : schema.items()) {
    if (std::find(kKeywords.begin(), kKeywords.end(), keyword) == kKeywords.end()) {
      fault("can't be held against " + keyword);
    }
  }
  if (schema.contains("type") && !fits_type(value, schema["type"])) {
    return fault("is not of type " + schema["type"].dump());
  }
  if (schema.contains("const") && value != schema["const"]) fault("is not the constant");
  if (schema.contains("enum") &&
      std::find(schema["enum"].begin(), schema["enum"].end(), value) == schema["enum"].end()) {
    fault("is not one of " + schema["enum"].dump());
  }
  if (!fits_bounds(value, schema)) fault("is out of bounds");
  if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    if (schema.contains("format") && !fits_format(text, schema["format"])) {
      fault("is no " + schema["format"].get<std::string>());
    }
    if (schema.contains("pattern") &&
        !std::regex_search(text, std::regex(schema["pattern"].get<std::string>()))) {
      fault("is not like " + schema["pattern"].get<std::string>());
    }
  }
  if (value.is_array() && schema.contains("items")) {
    for (std::size_t i = 0; i < value.size(); ++i) {
      check(value[i], schema["items"], where + "/" + std::to_string(i), true, faults);
    }
  }
  if (value.is_object()) {
    check_members(value, schema, where, faults);
    std::set<std::string> known;
    if (closed && known_members(schema, known)) {
      for (const auto& [name, member] : value.items()) {
        if (known.count(name) == 0) fault("has " + name + ", which is not described");
      }
    }
  }
  if (schema.contains("allOf")) {
    for (const Json& part : schema["allOf"]) check(value, part, where, false, faults);
  }
  if (schema.contains("anyOf") &&
      std::none_of(schema["anyOf"].begin(), schema["anyOf"].end(),
                   [&](const Json& one) { return this->faults(value, one).empty(); })) {
    fault("is none of anyOf");
  }
}

void SchemaCheck::check_members(const Json& value, const Json& schema, const std::string& where,
                                std::vector<std::string>& faults) const {
  if (schema.contains("required")) {
    for (const Json& name : schema["required"]) {
      if (!value.contains(name)) faults.push_back(where + ": lacks " + name.get<std::string>());
    }
  }
  if (!schema.contains("properties")) return;
  for (const auto& [name, of_member] : schema["properties"].items()) {
    if (value.contains(name)) check(value[name], of_member, where + "/" + name, true, faults);
  }
}

bool SchemaCheck::known_members(const Json& node, std::set<std::string>& names) const {
  const Json& schema = resolve(node);
  if (schema.value("additionalProperties", false)) return false;
  // Each of these is held against the value by itself.
  if (schema.contains("anyOf")) return false;
  bool knows = schema.contains("properties");
  if (knows) {
    for (const auto& member : schema["properties"].items()) names.insert(member.key());
  }
  if (schema.contains("allOf")) {
    for (const Json& part : schema["allOf"]) {
      if (!known_members(part, names)) return false;
      knows = true;
    }
  }
  return knows;
}

}  // namespace resmgr::api
