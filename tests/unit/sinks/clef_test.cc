#include "agent/sinks/clef.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <limits>
#include <regex>
#include <set>

#include "common/error.h"
#include "common/time_format.h"
#include "common/wire.h"

namespace resmgr::sinks {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

const ClefSource kSource{"a0a0", "here"};

Instant at(const char* text) { return *parse_rfc3339(text); }

ClefEntry entry(std::string_view message_template) {
  ClefEntry made;
  made.time = at("2026-11-22T17:04:05.123Z");
  made.message_template = message_template;
  return made;
}

Json read(const std::string& line) { return parse_json(line, "line", DuplicateKeys::refuse); }

Event event(std::string_view type, const Json& details = Json::object()) {
  Event made;
  made.seq = 42;
  made.time = at("2026-11-22T17:04:05.123Z");
  made.type = type;
  made.details = dump_json(details);
  return made;
}

Event task_event(std::string_view type, const Json& details = Json::object(),
                 TaskStatus status = TaskStatus::running) {
  Event made = event(type, details);
  made.task_id = "0193-task";
  made.user_id = "0000-user";
  Task task;
  task.task_id = made.task_id;
  task.user_id = made.user_id;
  task.service_type = "jupyter";
  task.host = "here";
  task.container_id = "c0ffee";
  task.container_port = 40'001;
  task.created_at = made.time;
  task.start_time = at("2026-11-22T16:00:00Z");
  task.status = status;
  if (!is_active(status)) {
    task.stop_time = at("2026-11-22T16:01:02.500Z");
    task.status_reason = status == TaskStatus::error ? "ran out of memory" : "";
  }
  made.task = dump_json(wire::task_to_json(task));
  return made;
}

// As Seq shows it.
std::string shown(const Event& of) {
  const Json line = read(clef_line(of, kSource));
  std::string text = line.at("@mt").get<std::string>();
  for (const std::string_view token : clef_tokens(line.at("@mt").get_ref<const std::string&>())) {
    const Json& value = line.at(token);
    const std::string whole = "{" + std::string(token) + "}";
    text.replace(text.find(whole), whole.size(),
                 value.is_string() ? value.get<std::string>() : dump_json(value));
  }
  return text;
}

TEST(Clef, IsOneLineInTheOrderThatItIsReadIn) {
  ClefEntry made = entry("Task {TaskId} took {Millis} ms");
  made.level = log::Level::warning;
  made.properties = {{"TaskId", "abc"}, {"Millis", 215}, {"Ok", true}, {"Ratio", 0.5}};
  made.exception = "line 1\nline 2";
  EXPECT_EQ(clef_line(made),
            R"({"@t":"2026-11-22T17:04:05.123Z","@l":"Warning",)"
            R"("@mt":"Task {TaskId} took {Millis} ms","@i":")" +
                clef_event_id(made.message_template) +
                R"(","@x":"line 1\nline 2","Millis":215,"Ok":true,"Ratio":0.5,"TaskId":"abc"})");
}

TEST(Clef, LeavesOutTheLevelInformation) {
  ClefEntry made = entry("x");
  EXPECT_FALSE(read(clef_line(made)).contains("@l"));
  EXPECT_EQ(clef_level(clef_line(made)), log::Level::information);
  using log::Level;
  for (const Level level :
       {Level::verbose, Level::debug, Level::warning, Level::error, Level::fatal}) {
    made.level = level;
    EXPECT_EQ(read(clef_line(made))["@l"], clef_level_name(level));
    EXPECT_EQ(clef_level(clef_line(made)), level);
  }
  EXPECT_EQ(clef_level(std::string_view()), Level::information);
  EXPECT_EQ(clef_level(R"({"@t":"2026-11-22T17:04:05.123Z","@l":"Loud"})"), Level::information);
}

TEST(Clef, DoublesAnAtSignAheadOfAName) {
  ClefEntry made = entry("x");
  made.properties = {{"@t", "forged"}, {"@", 1}, {"a@b", 2}};
  const Json line = read(clef_line(made));
  EXPECT_EQ(line["@t"], "2026-11-22T17:04:05.123Z");
  EXPECT_EQ(line["@@t"], "forged");
  EXPECT_EQ(line["@@"], 1);
  EXPECT_EQ(line["a@b"], 2);
}

TEST(Clef, RendersOnlyWhatAsksForAFormat) {
  ClefEntry made = entry("{A:000} {B} {{C:0}} {D,5:x} {E:x}");
  made.properties = {{"A", 7}, {"B", 8}, {"D", "text"}};
  EXPECT_EQ(read(clef_line(made))["@r"], (Json{"7", "text", "{E:x}"}));
  EXPECT_FALSE(read(clef_line(entry("{A} {B,5}"))).contains("@r"));
}

// The hash's published test vectors.
TEST(Clef, HasOneIdATemplate) {
  EXPECT_EQ(clef_event_id(""), "00000000");
  EXPECT_EQ(clef_event_id("a"), "ca2e9442");
  EXPECT_EQ(clef_event_id("The quick brown fox jumps over the lazy dog"), "519e91f5");
}

TEST(Clef, SurvivesWhateverAValueHolds) {
  ClefEntry made = entry("{A}");
  made.properties = {{"A", "a\nb\"\\\x1b\xff{B}"}, {"N", std::numeric_limits<double>::quiet_NaN()}};
  const std::string line = clef_line(made);
  EXPECT_EQ(line.find('\n'), std::string::npos);
  EXPECT_EQ(read(line)["A"], "a\nb\"\\\x1b\xef\xbf\xbd{B}");
  EXPECT_EQ(read(line)["N"], Json());
}

TEST(Clef, ReplacesAnEventThatIsTooLarge) {
  const auto with = [](std::size_t bytes) {
    ClefEntry made = entry("{A}");
    made.properties = {{"A", std::string(bytes, 'x')}, {"TaskId", "abc"}};
    return made;
  };
  const std::size_t frame = clef_line(with(1)).size() - 1;
  EXPECT_EQ(clef_line(with(kClefMostBytes - frame)).size(), kClefMostBytes);
  const std::string line = clef_line(with(kClefMostBytes - frame + 1));
  EXPECT_LT(line.size(), 4'096U);
  const Json stand_in = read(line);
  EXPECT_EQ(stand_in["@l"], "Error");
  EXPECT_EQ(stand_in["@t"], "2026-11-22T17:04:05.123Z");
  EXPECT_EQ(stand_in["Bytes"], kClefMostBytes + 1);
  EXPECT_EQ(stand_in["TaskId"], "abc");
  EXPECT_THAT(stand_in["Sample"].get<std::string>(), StartsWith("{\"@t\":\"2026-11-22T17"));
}

TEST(Clef, TheReplacementIsSmallWhateverItReplaces) {
  ClefEntry made = entry("{A}");
  const std::string large(kClefMostBytes, '\x01');
  made.properties = {{"TaskId", large}, {"EventType", large}, {"Seq", 7}};
  const Json stand_in = read(clef_line(made));
  EXPECT_EQ(stand_in["Seq"], 7);
  EXPECT_FALSE(stand_in.contains("TaskId"));
  EXPECT_LT(clef_line(made).size(), 16'384U);
}

// https://clef-json.org
TEST(ClefLog, TiesAnEntryToItsTrace) {
  const std::vector<log::Field> fields = {{"Method", "GET"},
                                          {"TraceId", "4bf92f3577b34da6a3ce929d0e0e4736"},
                                          {"SpanId", "00f067aa0ba902b7"}};
  const log::Entry logged{at("2026-11-22T17:04:05.123Z"), log::Level::information,
                          "{Method} answered", log::Fields(fields)};
  const Json line = read(clef_line(logged, kSource));
  EXPECT_EQ(line["@tr"], "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_EQ(line["@sp"], "00f067aa0ba902b7");
  EXPECT_FALSE(line.contains("TraceId"));
}

TEST(ClefLog, KeepsTemplateAndProperties) {
  const std::vector<log::Field> fields = {
      {"RequestId", "r1"}, {"Millis", 1.5}, {"Exception", "boom"}};
  const log::Entry logged{at("2026-11-22T17:04:05.123Z"), log::Level::error,
                          "Request {RequestId} failed", log::Fields(fields)};
  Json line = read(clef_line(logged, kSource));
  line.erase("@i");
  EXPECT_EQ(line, Json::parse(R"({"@t": "2026-11-22T17:04:05.123Z", "@l": "Error",
      "@mt": "Request {RequestId} failed", "@x": "boom", "RequestId": "r1", "Millis": 1.5,
      "AgentId": "a0a0", "Host": "here", "Application": "resmgr-agent"})"));
}

TEST(ClefEvent, ReadsWellInSeq) {
  EXPECT_EQ(shown(task_event(event_type::kStarted)), "Task 0193-task started for 0000-user");
  EXPECT_EQ(shown(task_event(event_type::kReady)),
            "Task 0193-task of 0000-user is ready: jupyter on port 40001");
  EXPECT_EQ(shown(task_event(event_type::kEnded, {}, TaskStatus::stopped)),
            "Task 0193-task of 0000-user ended after 1m 02s: Stopped");
  EXPECT_EQ(shown(task_event(event_type::kEnded, {}, TaskStatus::error)),
            "Task 0193-task of 0000-user ended in error after 1m 02s: ran out of memory");
  EXPECT_EQ(shown(task_event(event_type::kStopRequested, {{"by", "idle"}})),
            "Task 0193-task of 0000-user is to be stopped (idle)");
  EXPECT_EQ(shown(event(event_type::kAgentStarted, {{"version", "1.2.3"}})),
            "Agent 1.2.3 started on here");
  EXPECT_EQ(shown(event(event_type::kAgentDrained, {{"name", "root"}, {"reason", ""}})),
            "root drains here: -");
  EXPECT_EQ(shown(task_event("task.from_the_future")),
            "Event task.from_the_future of task 0193-task");
  EXPECT_EQ(shown(event("agent.from_the_future")), "Event agent.from_the_future on here");
}

TEST(ClefEvent, HasThePropertiesOfTaskAndDetails) {
  const Json line = read(clef_line(
      task_event(event_type::kEnded, {{"endedBy", "user"}, {"cpuMs", 12}, {"TaskId", "forged"}},
                 TaskStatus::stopped),
      kSource));
  EXPECT_EQ(line["EventType"], "task.ended");
  EXPECT_EQ(line["Seq"], 42);
  EXPECT_EQ(line["AgentId"], "a0a0");
  EXPECT_EQ(line["Application"], "resmgr-agent");
  EXPECT_EQ(line["TaskId"], "0193-task");
  EXPECT_EQ(line["EndedBy"], "user");
  EXPECT_EQ(line["CpuMs"], 12);
  EXPECT_EQ(line["Service"], "jupyter");
  EXPECT_EQ(line["ContainerPort"], 40'001);
  EXPECT_EQ(line["DurationSeconds"], 62.5);
  EXPECT_FALSE(line.contains("UsageHash")) << "what is not known is not there";
}

TEST(ClefEvent, HasALevel) {
  using log::Level;
  const auto level = [](const Event& of) {
    EXPECT_EQ(clef_level(clef_line(of, kSource)), clef_level(of));
    return clef_level(of);
  };
  EXPECT_EQ(level(task_event(event_type::kStarted)), Level::information);
  EXPECT_EQ(level(task_event(event_type::kFailed, {}, TaskStatus::error)), Level::warning);
  EXPECT_EQ(level(task_event(event_type::kEnded, {}, TaskStatus::stopped)), Level::information);
  EXPECT_EQ(level(task_event(event_type::kEnded, {}, TaskStatus::error)), Level::warning);
  EXPECT_EQ(level(event(event_type::kJournalGap)), Level::error);
}

TEST(ClefOfEvents, NamesTheUserWhereTheirNameIsKnown) {
  const Event started = task_event(event_type::kStarted);
  Json line = read(clef_line(started, kSource, identity::UserProfile{"ada@example.org", "Ada"}));
  EXPECT_EQ(line.at("UserName"), "Ada");
  EXPECT_EQ(line.at("UserEmail"), "ada@example.org");
  line = read(clef_line(started, kSource, identity::UserProfile{}));
  EXPECT_FALSE(line.contains("UserName"));
  EXPECT_FALSE(line.contains("UserEmail"));
}

// common/event.h is the list of all types there are.
TEST(ClefEvent, EveryTypeHasATextOfItsOwn) {
  std::ifstream header(RESMGR_EVENT_HEADER);
  ASSERT_TRUE(header.is_open());
  const std::string text{std::istreambuf_iterator<char>(header), {}};
  const std::regex constant("k[A-Za-z]+\\[\\] = \"([a-z_.]+)\"");
  std::set<std::string> templates;
  int count = 0;
  for (std::sregex_iterator it(text.begin(), text.end(), constant), end; it != end; ++it) {
    const std::string type = (*it)[1];
    const Json line =
        read(clef_line(type.starts_with("task.") ? task_event(type) : event(type), kSource));
    EXPECT_THAT(line["@mt"].get<std::string>(), Not(HasSubstr("{EventType}"))) << type;
    EXPECT_FALSE(line.contains("@r")) << type;
    templates.insert(line["@mt"].get<std::string>());
    ++count;
  }
  EXPECT_GT(count, 15);
  EXPECT_EQ(templates.size(), static_cast<std::size_t>(count));
}

TEST(ClefEvent, SaysWhichEventCanNotBeRead) {
  Event bad = task_event(event_type::kStarted);
  bad.details = "{";
  try {
    clef_line(bad, kSource);
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::corrupt);
    EXPECT_THAT(error.message(), StartsWith("cannot read event '42': "));
  }
}

}  // namespace
}  // namespace resmgr::sinks
