#include "agent/sinks/clef.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>
#include <variant>

#include "common/time_format.h"

namespace resmgr::sinks {
namespace {

// In the order of log::Level.
constexpr std::array<std::string_view, 6> kLevelNames = {"Verbose", "Debug", "Information",
                                                         "Warning", "Error", "Fatal"};
constexpr std::string_view kLevelMember = ",\"@l\":\"";
constexpr std::string_view kTimeMember = "{\"@t\":\"";
constexpr std::size_t kTimeLength = std::string_view("2026-11-22T17:04:05.123Z").size();

constexpr std::size_t kSampleBytes = 1'024;
constexpr char kTooLarge[] =
    "An entry of {Bytes} bytes was too large to be sent, and began: {Sample}";

std::string_view name_in(std::string_view token) {
  if (token.starts_with('@') || token.starts_with('$')) token.remove_prefix(1);
  return token.substr(0, token.find_first_of(",:"));
}

// Of the tokens that ask for a format: the values as the log prints them, for Seq can't format.
Json renderings(const ClefEntry& entry) {
  Json texts = Json::array();
  for (const std::string_view token : clef_tokens(entry.message_template)) {
    if (token.find(':') == std::string_view::npos) continue;
    const auto value = entry.properties.find(name_in(token));
    if (value == entry.properties.end()) {
      texts.push_back("{" + std::string(token) + "}");
    } else {
      texts.push_back(value->is_string() ? *value : Json(dump_json(*value)));
    }
  }
  return texts;
}

std::string unbounded_line(const ClefEntry& entry) {
  std::string line(kTimeMember);
  line += format_rfc3339(entry.time) + "\"";
  if (entry.level != log::Level::information) {
    line.append(kLevelMember).append(clef_level_name(entry.level)).append("\"");
  }
  const auto add = [&](const std::string& name, const Json& value) {
    line.append(",").append(dump_json(name)).append(":").append(dump_json(value));
  };
  add("@mt", entry.message_template);
  add("@i", clef_event_id(entry.message_template));
  if (const Json texts = renderings(entry); !texts.empty()) add("@r", texts);
  if (!entry.exception.empty()) add("@x", entry.exception);
  if (!entry.trace_id.empty()) add("@tr", entry.trace_id);
  if (!entry.span_id.empty()) add("@sp", entry.span_id);
  for (const auto& [name, value] : entry.properties.items()) {
    add(name.starts_with('@') ? "@" + name : name, value);
  }
  return line += "}";
}

// Null: it is a property like any other.
std::string* member_for(std::string_view field, ClefEntry& entry) {
  if (field == "Exception") return &entry.exception;
  if (field == "TraceId") return &entry.trace_id;
  if (field == "SpanId") return &entry.span_id;
  return nullptr;
}

// A long text in the place of each of these would make the replacement too large in its turn.
void keep_short(const Json& from, const char* name, Json& to) {
  constexpr std::size_t kLongest = 256;
  const auto member = from.find(name);
  if (member == from.end() || dump_json(*member).size() > kLongest) return;
  to[name] = *member;
}

}  // namespace

std::string clef_line(const ClefEntry& entry) {
  std::string line = unbounded_line(entry);
  if (line.size() <= kClefMostBytes) return line;
  ClefEntry stand_in{entry.time, log::Level::error, kTooLarge, Json::object()};
  for (const char* const name : {"AgentId", "Application", "EventType", "Host", "Seq", "TaskId"}) {
    keep_short(entry.properties, name, stand_in.properties);
  }
  stand_in.properties["Bytes"] = line.size();
  stand_in.properties["Sample"] = line.substr(0, kSampleBytes);
  return unbounded_line(stand_in);
}

std::string clef_line(const log::Entry& entry, const ClefSource& source) {
  ClefEntry out{entry.time, entry.level, entry.message_template, Json::object()};
  for (const log::Field& field : entry.fields) {
    const auto* const text = std::get_if<std::string>(&field.value);
    std::string* const member = text == nullptr ? nullptr : member_for(field.name, out);
    if (member != nullptr) {
      *member = *text;
      continue;
    }
    std::visit([&](const auto& value) { out.properties[std::string(field.name)] = value; },
               field.value);
  }
  out.properties["AgentId"] = source.agent_id;
  out.properties["Host"] = source.host;
  out.properties["Application"] = "resmgr-agent";
  return clef_line(out);
}

log::Level clef_level(std::string_view line) {
  line.remove_prefix(std::min(line.size(), kTimeMember.size() + kTimeLength + 1));
  if (!line.starts_with(kLevelMember)) return log::Level::information;
  line.remove_prefix(kLevelMember.size());
  const auto* const name = std::ranges::find(kLevelNames, line.substr(0, line.find('"')));
  // The spool may hold what another version wrote.
  if (name == kLevelNames.end()) return log::Level::information;
  return static_cast<log::Level>(name - kLevelNames.begin());
}

std::string_view clef_level_name(log::Level level) {
  return kLevelNames.at(static_cast<std::size_t>(level));
}

std::vector<std::string_view> clef_tokens(std::string_view message_template) {
  std::vector<std::string_view> tokens;
  std::string_view rest = message_template;
  for (;;) {
    const std::size_t open = rest.find('{');
    if (open == std::string_view::npos) return tokens;
    rest.remove_prefix(open + 1);
    if (rest.starts_with('{')) {
      rest.remove_prefix(1);
      continue;
    }
    const std::size_t close = rest.find('}');
    if (close == std::string_view::npos) return tokens;
    tokens.push_back(rest.substr(0, close));
    rest.remove_prefix(close + 1);
  }
}

// Jenkins's one-at-a-time hash over the text's UTF-16 code units, which are its bytes: templates
// are ASCII.
std::string clef_event_id(std::string_view message_template) {
  std::uint32_t hash = 0;
  for (const char c : message_template) {
    hash += static_cast<unsigned char>(c);
    hash += hash << 10;
    hash ^= hash >> 6;
  }
  hash += hash << 3;
  hash ^= hash >> 11;
  hash += hash << 15;
  std::array<char, 9> text{};
  std::snprintf(text.data(), text.size(), "%08x", hash);
  return text.data();
}

}  // namespace resmgr::sinks
