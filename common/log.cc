#include "common/log.h"

#include <strings.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <mutex>
#include <nlohmann/json.hpp>
#include <shared_mutex>

#include "common/clock.h"
#include "common/error.h"
#include "common/log_sink.h"
#include "common/time_format.h"

namespace resmgr::log {
namespace {

struct LevelNames {
  Level level;
  std::string_view name;
  std::string_view abbreviation;
  int syslog_priority;  // sd-daemon(3)
};
constexpr std::array<LevelNames, 6> kLevels = {{
    {Level::verbose, "verbose", "VRB", 7},
    {Level::debug, "debug", "DBG", 7},
    {Level::information, "information", "INF", 6},
    {Level::warning, "warning", "WRN", 4},
    {Level::error, "error", "ERR", 3},
    {Level::fatal, "fatal", "FTL", 2},
}};

const LevelNames& names_of(Level level) { return kLevels.at(static_cast<std::size_t>(level)); }

std::atomic<Level> least_level{Level::warning};

constexpr int kNothing = static_cast<int>(kLevels.size());
std::atomic<int> least_collected{kNothing};  // a Level, or kNothing
// Held shared during each call of the collector, so that it can be taken away for good.
std::shared_mutex collector_mutex;
Collector* collector = nullptr;
std::atomic<bool> as_json{false};
std::atomic<bool> with_priority{false};

// Until configure(): one write(2) a line, and no library. A short write loses the rest of a line,
// which is better than to wait for a reader of standard error.
void print_plainly(std::string_view line) {
  const std::string whole = std::string(line) + "\n";
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, whole.data(), whole.size());
}

std::atomic<Sink> sink{&print_plainly};

std::string text_of(const Field::Value& value) {
  struct Visitor {
    std::string operator()(const std::string& text) const { return text; }
    std::string operator()(std::int64_t number) const { return std::to_string(number); }
    std::string operator()(double number) const { return nlohmann::json(number).dump(); }
    std::string operator()(bool flag) const { return flag ? "true" : "false"; }
  };
  return std::visit(Visitor{}, value);
}

// A value that holds line breaks or terminal sequences must not look like an entry of its own.
std::string without_control_characters(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7f) {
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else {
      std::array<char, 8> buffer{};
      std::snprintf(buffer.data(), buffer.size(), "\\x%02x", static_cast<unsigned>(byte));
      out += buffer.data();
    }
  }
  return out;
}

std::string json_line(Instant now, Level level, std::string_view message_template, Fields fields) {
  nlohmann::ordered_json entry;
  entry["time"] = format_rfc3339(now);
  entry["level"] = names_of(level).name;
  entry["message"] = render(message_template, fields);
  entry["template"] = message_template;
  for (const Field& field : fields) {
    std::string name(field.name);
    while (entry.contains(name)) name += '_';
    std::visit([&](const auto& value) { entry[name] = value; }, field.value);
  }
  return entry.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

std::string text_line(Instant now, Level level, std::string_view message_template, Fields fields) {
  const LevelNames& names = names_of(level);
  std::string line;
  if (with_priority) line += "<" + std::to_string(names.syslog_priority) + ">";
  line += format_rfc3339(now);
  line += ' ';
  line += names.abbreviation;
  line += ' ';
  line += without_control_characters(render(message_template, fields));
  return line;
}

bool is_printed(Level level) { return level >= least_level.load(std::memory_order_relaxed); }

bool is_collected(Level level) {
  return static_cast<int>(level) >= least_collected.load(std::memory_order_relaxed);
}

// The property's name in "{Name}", "{@Name:format}", "{Name,10}" without the braces.
std::string_view name_in(std::string_view token) {
  if (!token.empty() && (token.front() == '@' || token.front() == '$')) token.remove_prefix(1);
  return token.substr(0, token.find_first_of(",:"));
}

}  // namespace

void use_sink(Sink to, Appearance appearance) {
  sink = to;
  as_json = appearance == Appearance::json;
  with_priority = appearance == Appearance::text_with_priority;
}

Level level_from(std::string_view name) {
  const auto is = [&](std::string_view other) {
    return name.size() == other.size() && strncasecmp(name.data(), other.data(), name.size()) == 0;
  };
  for (const LevelNames& names : kLevels) {
    if (is(names.name)) return names.level;
  }
  if (is("info")) return Level::information;
  if (is("warn")) return Level::warning;
  if (is("trace")) return Level::verbose;
  throw Error(ErrorKind::config, "cannot use log level '" + std::string(name) + "': no such level",
              "use verbose, debug, information, warning, error or fatal");
}

void set_level(Level least) { least_level = least; }

void set_collector(Collector* to, Level least) {
  const std::unique_lock lock(collector_mutex);
  collector = to;
  least_collected = to == nullptr ? kNothing : static_cast<int>(least);
}

bool enabled(Level level) { return is_printed(level) || is_collected(level); }

void write(Level level, std::string_view message_template, Fields fields, Readers readers) {
  const bool printed = readers != Readers::collector && is_printed(level);
  const bool collected = readers != Readers::standard_error && is_collected(level);
  if (!printed && !collected) return;
  const Instant now = SystemClock().now();
  if (collected) {
    const std::shared_lock lock(collector_mutex);
    if (collector != nullptr) collector->collect({now, level, message_template, fields});
  }
  if (!printed) return;
  const std::string line = as_json ? json_line(now, level, message_template, fields)
                                   : text_line(now, level, message_template, fields);
  sink.load()(line);
}

std::string render(std::string_view message_template, Fields fields) {
  std::string out;
  std::string_view rest = message_template;
  while (!rest.empty()) {
    const std::size_t brace = rest.find_first_of("{}");
    out += rest.substr(0, brace);
    if (brace == std::string_view::npos) break;
    rest.remove_prefix(brace);
    if (rest.size() > 1 && rest[0] == rest[1]) {
      out += rest[0];
      rest.remove_prefix(2);
      continue;
    }
    const std::size_t end = rest.front() == '{' ? rest.find('}') : std::string_view::npos;
    if (end == std::string_view::npos) {
      out += rest.front();
      rest.remove_prefix(1);
      continue;
    }
    const std::string_view name = name_in(rest.substr(1, end - 1));
    const auto field =
        std::find_if(fields.begin(), fields.end(), [&](const Field& f) { return f.name == name; });
    out += field == fields.end() ? std::string(rest.substr(0, end + 1)) : text_of(field->value);
    rest.remove_prefix(end + 1);
  }
  return out;
}

}  // namespace resmgr::log
