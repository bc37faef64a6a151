// What an event of the journal says, for people: one text a type.
#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>

#include "agent/sinks/clef.h"
#include "common/error.h"
#include "common/time_format.h"

namespace resmgr::sinks {
namespace {

using log::Level;

struct Form {
  std::string_view type;
  Level level;
  std::string_view message_template;
};

constexpr auto kForms = std::to_array<Form>({
    {event_type::kAgentStarted, Level::information, "Agent {Version} started on {Host}"},
    {event_type::kAgentStopped, Level::information, "Agent {Version} stopped on {Host}"},
    {event_type::kAgentDrained, Level::warning, "{Name} drains {Host}: {Reason}"},
    {event_type::kAgentResumed, Level::information, "{Name} lets {Host} take tasks again"},
    {event_type::kReconcileRequested, Level::information,
     "{Name} asked for {Differences} differences to be settled on {Host}"},
    {event_type::kJournalRestored, Level::warning,
     "The journal of {Host} was restored, and is now journal {Journal}"},
    {event_type::kJournalRebuilt, Level::warning,
     "The journal of {Host} was made anew, and is now journal {Journal}"},
    {event_type::kJournalGap, Level::error,
     "Events after {After} and up to {UpTo} were pruned before every destination had them"},
    {event_type::kSinkGap, Level::error,
     "Sink {Sink} never gets events {First} to {Last}: they were pruned"},
    {event_type::kStartRequested, Level::information,
     "{RequestedBy} asked for a task of {Service} for {UserId}, which is {TaskId}"},
    {event_type::kImagePulled, Level::information,
     "The image of {Service} was pulled for task {TaskId}"},
    {event_type::kCreated, Level::information,
     "Container {ContainerId} was made for task {TaskId}"},
    {event_type::kStarted, Level::information, "Task {TaskId} started for {UserId}"},
    {event_type::kReady, Level::information,
     "Task {TaskId} of {UserId} is ready: {Service} on port {ContainerPort}"},
    {event_type::kStopRequested, Level::information,
     "Task {TaskId} of {UserId} is to be stopped ({By})"},
    {event_type::kEnded, Level::information,
     "Task {TaskId} of {UserId} ended after {Duration}: {Status}"},
    {event_type::kFailed, Level::warning, "Task {TaskId} of {UserId} could not start: {Reason}"},
    {event_type::kRemoved, Level::information, "The container of task {TaskId} was removed"},
    {event_type::kOom, Level::warning,
     "The kernel killed a process of task {TaskId}, which may use {MemoryBytes} bytes"},
    {event_type::kPortChanged, Level::information, "Task {TaskId} is on port {ContainerPort} now"},
    {event_type::kIdleWarning, Level::information,
     "Task {TaskId} of {UserId} will be stopped at {StopAt}: {Reason}"},
    {event_type::kIdleWarningWithdrawn, Level::information,
     "Task {TaskId} of {UserId} will not be stopped yet"},
    {event_type::kExtended, Level::information,
     "{RequestedBy} extended the limits of task {TaskId} of {UserId}"},
});
constexpr Form kEndedInError = {event_type::kEnded, Level::warning,
                                "Task {TaskId} of {UserId} ended in error after {Duration}: "
                                "{Reason}"};
constexpr Form kOfTask = {"", Level::information, "Event {EventType} of task {TaskId}"};
constexpr Form kOfHost = {"", Level::information, "Event {EventType} on {Host}"};

const Form& form_of(const EventView& event) {
  // Within a text of JSON a quotation mark would be escaped: only the member looks like that.
  const bool in_error = event.task.find("\"status\":\"Error\"") != std::string_view::npos;
  if (event.type == event_type::kEnded && in_error) return kEndedInError;
  const auto* const found = std::ranges::find(kForms, event.type, &Form::type);
  if (found != kForms.end()) return *found;
  return event.task_id.empty() ? kOfHost : kOfTask;
}

// "requestedBy" -> "RequestedBy"; two have the names that the agent's log gives them.
std::string property_name(const std::string& member) {
  if (member == "serviceType") return "Service";
  if (member == "statusReason") return "Reason";
  std::string name = member;
  if (!name.empty()) {
    name.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(name.front())));
  }
  return name;
}

void add_members(Json& properties, std::string_view text, const EventView& event) {
  if (text.empty()) return;
  Json members;
  try {
    members = parse_json(text, "event");
  } catch (const Error& error) {
    throw Error(ErrorKind::corrupt,
                "cannot read event '" + std::to_string(event.seq) + "': " + error.message());
  }
  if (!members.is_object()) return;
  for (auto& [name, value] : members.items()) {
    const bool says_nothing =
        value.is_null() || (value.is_string() && value.get_ref<const std::string&>().empty());
    if (!says_nothing) properties[property_name(name)] = std::move(value);
  }
}

// A token without a value would stand in the text as it is.
void fill_tokens(Json& properties, std::string_view message_template) {
  for (const std::string_view token : clef_tokens(message_template)) {
    if (!properties.contains(token)) properties[std::string(token)] = "-";
  }
}

}  // namespace

log::Level clef_level(const EventView& event) { return form_of(event).level; }

std::string clef_line(const EventView& event, const ClefSource& source,
                      const std::optional<identity::UserProfile>& user) {
  const Form& form = form_of(event);
  ClefEntry entry{event.time, form.level, form.message_template, Json::object(), {}};
  Json& properties = entry.properties;
  add_members(properties, event.task, event);
  add_members(properties, event.details, event);
  if (const auto seconds = properties.find("DurationSeconds"); seconds != properties.end()) {
    const double millis = seconds->is_number() ? seconds->get<double>() * 1'000 : 0;
    properties["Duration"] = format_duration(Millis{std::llround(millis)});
  }
  if (!event.task_id.empty()) properties["TaskId"] = event.task_id;
  if (!event.user_id.empty()) properties["UserId"] = event.user_id;
  if (user && !user->full_name.empty()) properties["UserName"] = user->full_name;
  if (user && !user->email.empty()) properties["UserEmail"] = user->email;
  properties["EventType"] = event.type;
  properties["Seq"] = event.seq;
  properties["AgentId"] = source.agent_id;
  properties["Host"] = source.host;
  properties["Application"] = "resmgr-agent";
  fill_tokens(properties, form.message_template);
  return clef_line(entry);
}

}  // namespace resmgr::sinks
