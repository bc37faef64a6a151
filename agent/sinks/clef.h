// Entries as Seq reads them: compact log event format (CLEF), one JSON object a line.
//
// A template and its named properties are kept apart, so that Seq can group by the one and search
// for the others: 'Task {TaskId} started for {UserId}'.
#ifndef RESMGR_AGENT_SINKS_CLEF_H_
#define RESMGR_AGENT_SINKS_CLEF_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/identity/user_profiles.h"
#include "common/clock.h"
#include "common/event.h"
#include "common/json.h"
#include "common/log.h"

namespace resmgr::sinks {

// Bytes of an event, without its line feed, that Seq takes.
inline constexpr std::size_t kClefMostBytes = 262'144;

struct ClefEntry {
  Instant time{};
  log::Level level = log::Level::information;
  std::string_view message_template;  // Serilog's (https://messagetemplates.org)
  Json properties = Json::object();
  std::string exception = {};  // empty: none
  std::string trace_id = {};   // of a distributed trace; empty: none
  std::string span_id = {};
};

// The line, without its line feed. One over kClefMostBytes is replaced by an error that says so and
// how it begins. Text that is no UTF-8 is replaced, never thrown upon.
std::string clef_line(const ClefEntry& entry);

// Who speaks: properties of every line.
struct ClefSource {
  std::string agent_id;
  std::string host;
};

// An event of the journal; with a text of its own for each type, and one for those not known here.
// `user` is the task's owner, where more than the id is known. Throws Error(corrupt) where what it
// holds is no JSON.
std::string clef_line(const EventView& event, const ClefSource& source,
                      const std::optional<identity::UserProfile>& user = std::nullopt);
// The level that the line has.
log::Level clef_level(const EventView& event);

// An entry of the agent's log. A field `Exception` becomes the entry's exception, and the fields
// `TraceId` and `SpanId` tie it to a trace.
std::string clef_line(const log::Entry& entry, const ClefSource& source);

// The level of a line that was made here.
log::Level clef_level(std::string_view line);
// "Verbose" … "Fatal".
std::string_view clef_level_name(log::Level level);

// What stands between the braces of each of the template's tokens.
std::vector<std::string_view> clef_tokens(std::string_view message_template);

// The event id that a template has: the same for as long as it has the same text, and the one that
// Serilog's own formatter gives it. 8 hexadecimal digits.
std::string clef_event_id(std::string_view message_template);

}  // namespace resmgr::sinks

#endif  // RESMGR_AGENT_SINKS_CLEF_H_
