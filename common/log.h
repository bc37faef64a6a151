// Structured diagnostics of the agent (spdlog behind it). One line an entry on standard error:
// text for people, JSON when that is no TTY.
//
//   log::info("Task {TaskId} started in {Millis} ms", {{"TaskId", id}, {"Millis", 215}});
//
// Templates are Serilog's (https://messagetemplates.org): a constant text with named properties,
// so that a log server can group by it. Nothing secret may be a property.
#ifndef RESMGR_COMMON_LOG_H_
#define RESMGR_COMMON_LOG_H_

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "common/clock.h"

namespace resmgr::log {

enum class Level { verbose, debug, information, warning, error, fatal };

struct Field {
  using Value = std::variant<std::string, std::int64_t, double, bool>;
  Field(std::string_view its_name, std::string its_value)
      : name(its_name), value(std::move(its_value)) {}
  Field(std::string_view its_name, std::string_view its_value)
      : name(its_name), value(std::string(its_value)) {}
  Field(std::string_view its_name, const char* its_value)
      : name(its_name), value(std::string(its_value)) {}
  Field(std::string_view its_name, bool its_value) : name(its_name), value(its_value) {}
  Field(std::string_view its_name, double its_value) : name(its_name), value(its_value) {}
  template <std::integral T>
  Field(std::string_view its_name, T its_value)
      : name(its_name), value(static_cast<std::int64_t>(its_value)) {}

  std::string_view name;
  Value value;
};
// A view of some: of a list in the call itself, with which that is gone, or of a vector.
class Fields : public std::span<const Field> {
 public:
  Fields() = default;
  // NOLINTNEXTLINE(google-explicit-constructor): a list in braces is one
  Fields(std::initializer_list<Field> fields) : span(fields.begin(), fields.size()) {}
  explicit Fields(std::span<const Field> fields) : span(fields) {}
};

enum class Format { automatic, text, json };

// Call once, before threads start. Until then entries of `warning` and above go to standard error.
void configure(Level least, Format format);
// Case-insensitive names as in Level; "info", "warn" and "trace" too. Throws Error(config).
Level level_from(std::string_view name);
void set_level(Level least);
// Whether anybody wants entries of that level: asked first where fields cost something to make.
bool enabled(Level level);

// An entry as a collector gets it; valid during the call.
struct Entry {
  Instant time{};
  Level level = Level::information;
  std::string_view message_template;
  Fields fields;
};

// Reads along beside standard error.
class Collector {
 public:
  virtual ~Collector() = default;
  // From many threads at once. It must neither wait for anything nor write to the log.
  virtual void collect(const Entry& entry) noexcept = 0;
};

// Entries of `least` and above go to that one from now on; null: to none. When it returns nobody
// calls the earlier one any more.
void set_collector(Collector* to, Level least = Level::information);

enum class Readers { all, standard_error, collector };

void write(Level level, std::string_view message_template, Fields fields = {},
           Readers readers = Readers::all);
inline void debug(std::string_view t, Fields f = {}) { write(Level::debug, t, f); }
inline void info(std::string_view t, Fields f = {}) { write(Level::information, t, f); }
inline void warning(std::string_view t, Fields f = {}) { write(Level::warning, t, f); }
inline void error(std::string_view t, Fields f = {}) { write(Level::error, t, f); }

// The template with its properties put in: what the text format prints.
std::string render(std::string_view message_template, Fields fields);

}  // namespace resmgr::log

#endif  // RESMGR_COMMON_LOG_H_
