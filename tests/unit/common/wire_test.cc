#include "common/wire.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/error.h"
#include "common/time_format.h"

namespace resmgr::wire {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr char kTaskId[] = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f";
constexpr char kUserId[] = "11111111-1111-4111-8111-111111111111";

Instant at(std::string_view text) { return parse_rfc3339(text).value(); }

Task ended_task() {
  Task task;
  task.task_id = kTaskId;
  task.user_id = kUserId;
  task.service_type = "jupyter";
  task.container_id = "c0ffee";
  task.container_port = 32768;
  task.host = "host-1";
  task.created_at = at("2026-11-22T17:04:04Z");
  task.start_time = at("2026-11-22T17:04:05.123Z");
  task.stop_time = at("2026-11-22T18:06:08.623Z");
  task.status = TaskStatus::stopped;
  task.status_reason = "stopped by its user";
  task.precision = Precision::bounded;
  task.usage_hash = "abc";
  task.exit_code = 143;
  return task;
}

TEST(TaskJson, OfATaskThatEnded) {
  EXPECT_EQ(task_to_json(ended_task()), Json::parse(R"({
    "taskId": "017f22e2-79b0-7cc3-98c4-dc0c0c07398f",
    "userId": "11111111-1111-4111-8111-111111111111",
    "serviceType": "jupyter",
    "containerId": "c0ffee",
    "containerPort": 32768,
    "host": "host-1",
    "createdAt": "2026-11-22T17:04:04.000Z",
    "startTime": "2026-11-22T17:04:05.123Z",
    "stopTime": "2026-11-22T18:06:08.623Z",
    "duration": "PT1H2M3.5S",
    "durationSeconds": 3723.5,
    "status": "Stopped",
    "statusReason": "stopped by its user",
    "precision": "bounded",
    "exitCode": 143,
    "usageHash": "abc"
  })"));
}

TEST(TaskJson, HasNullForWhatIsNotYet) {
  Task task;
  task.task_id = kTaskId;
  task.user_id = kUserId;
  task.service_type = "hello";
  task.host = "host-1";
  const Json json = task_to_json(task);
  EXPECT_EQ(json.size(), 16U);
  for (const char* const name :
       {"containerId", "containerPort", "startTime", "stopTime", "duration", "durationSeconds",
        "statusReason", "precision", "exitCode", "usageHash"}) {
    ASSERT_TRUE(json.contains(name)) << name;
    EXPECT_TRUE(json[name].is_null()) << name;
  }
  EXPECT_EQ(json["status"], "Starting");
}

TEST(TaskJson, WritesSecondsWithNoMoreThanThreeDecimals) {
  Task task = ended_task();
  for (const auto& [millis, text] : {std::pair(1, "0.001"), std::pair(999, "0.999"),
                                     std::pair(1'100, "1.1"), std::pair(86'400'007, "86400.007")}) {
    task.stop_time = *task.start_time + Millis{millis};
    EXPECT_EQ(task_to_json(task)["durationSeconds"].dump(), text);
  }
}

void expect_same(const Task& a, const Task& b) {
  EXPECT_EQ(task_to_json(a), task_to_json(b));
  EXPECT_EQ(a.created_at, b.created_at);
  EXPECT_EQ(a.precision, b.precision);
}

TEST(TaskJson, IsReadBack) {
  expect_same(task_from_json(task_to_json(ended_task())), ended_task());
  Task fresh;
  fresh.task_id = kTaskId;
  expect_same(task_from_json(task_to_json(fresh)), fresh);
}

TEST(TaskJson, PassesOverUnknownMembers) {
  Json json = task_to_json(ended_task());
  json["iframeUrl"] = "http://127.0.0.1/";
  json["events"] = Json::array();
  expect_same(task_from_json(json), ended_task());
}

TEST(TaskJson, OfAnotherProgramMayLackMembers) {
  const Task task = task_from_json({{"taskId", kTaskId}, {"status", "Running"}});
  EXPECT_EQ(task.task_id, kTaskId);
  EXPECT_EQ(task.status, TaskStatus::running);
  EXPECT_EQ(task.container_port, 0);
  EXPECT_EQ(task.exit_code, std::nullopt);
}

TEST(TaskJson, IsRefusedIfItIsNoTask) {
  const Json good = task_to_json(ended_task());
  const auto changed = [&](const char* name, const Json& value) {
    Json json = good;
    json[name] = value;
    return json;
  };
  for (const Json& wrong :
       {Json(), Json::array(), Json("x"), Json::object(), changed("taskId", nullptr),
        changed("taskId", 1), changed("status", nullptr), changed("status", "Sleeping"),
        changed("startTime", "yesterday"), changed("startTime", 5), changed("containerPort", "80"),
        changed("containerPort", 1.5), changed("exitCode", 5'000'000'000), changed("host", true),
        changed("precision", "rough")}) {
    try {
      task_from_json(wrong);
      ADD_FAILURE() << wrong;
    } catch (const Error& e) {
      EXPECT_EQ(e.kind(), ErrorKind::rejected);
    }
  }
}

TEST(EventJson, CarriesTheTaskOrItsDetails) {
  Event event;
  event.seq = 7;
  event.time = at("2026-11-22T17:04:05.123Z");
  event.type = event_type::kStarted;
  event.task_id = kTaskId;
  event.details = R"({"port": 80})";
  event.task = R"({"taskId": "x"})";
  EXPECT_EQ(event_to_json(event), Json::parse(R"({"seq": 7, "time": "2026-11-22T17:04:05.123Z",
    "type": "task.started", "taskId": "017f22e2-79b0-7cc3-98c4-dc0c0c07398f",
    "task": {"taskId": "x"}})"));
  EXPECT_EQ(task_event_to_json(event), Json::parse(R"({"seq": 7, "time": "2026-11-22T17:04:05.123Z",
    "type": "task.started", "details": {"port": 80}})"));
}

TEST(EventJson, MayConcernNoTask) {
  Event event;
  event.type = event_type::kAgentStarted;
  EXPECT_TRUE(event_to_json(event)["taskId"].is_null());
  EXPECT_TRUE(event_to_json(event)["task"].is_null());
  EXPECT_EQ(task_event_to_json(event)["details"], Json::object());
}

TEST(EventJson, SaysThatTheJournalIsCorrupt) {
  Event event;
  event.seq = 7;
  event.task = "{";
  try {
    event_to_json(event);
    ADD_FAILURE() << "taken";
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::corrupt);
    EXPECT_THAT(e.message(), HasSubstr("event '7'"));
  }
}

// "pointer detail" of each fault.
std::vector<std::string> faults(const char* body) {
  try {
    start_request_from_json(Json::parse(body));
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::usage);
    EXPECT_EQ(e.problem, "invalid-request");
    std::vector<std::string> found;
    for (const FieldError& field : e.fields) {
      EXPECT_THAT(e.message(), HasSubstr(field.detail));
      found.push_back(field.pointer + " " + field.detail);
    }
    return found;
  }
  return {};
}

TEST(StartRequest, IsReadAndWritten) {
  StartRequest request = start_request_from_json(
      Json::parse(R"({"serviceType": "hello", "userId": "AAAAAAAA-1111-4111-8111-111111111111"})"));
  EXPECT_EQ(request.service_type, "hello");
  EXPECT_EQ(request.user_id, "aaaaaaaa-1111-4111-8111-111111111111");
  EXPECT_EQ(start_request_from_json(to_json(request)).user_id, request.user_id);
  request.user_id.reset();
  EXPECT_EQ(to_json(request), Json::parse(R"({"serviceType": "hello"})"));
  EXPECT_EQ(start_request_from_json(to_json(request)).user_id, std::nullopt);
}

TEST(StartRequest, ReportsAllFaultsTogether) {
  EXPECT_THAT(faults(R"({"userId": "me", "zeal": 1, "a/b~c": 2})"),
              ElementsAre("/serviceType is required", "/userId must be a UUID",
                          "/a~1b~0c is not known here", "/zeal is not known here"));
}

TEST(StartRequest, ChecksTheServiceType) {
  EXPECT_THAT(faults(R"({"serviceType": 5})"), ElementsAre("/serviceType must be a string"));
  EXPECT_THAT(faults(R"({"serviceType": null})"), ElementsAre("/serviceType must be a string"));
  EXPECT_THAT(faults(R"({"serviceType": ""})"),
              ElementsAre("/serviceType must have 1 to 63 characters"));
  const auto of_length = [](std::size_t n, const std::string& c) {
    std::string text;
    for (std::size_t i = 0; i < n; ++i) text += c;
    return R"({"serviceType": ")" + text + "\"}";
  };
  EXPECT_THAT(faults(of_length(63, "a").c_str()), ElementsAre());
  EXPECT_THAT(faults(of_length(63, "é").c_str()), ElementsAre());
  EXPECT_THAT(faults(of_length(64, "a").c_str()),
              ElementsAre("/serviceType must have 1 to 63 characters"));
}

TEST(StartRequest, ChecksTheUserId) {
  for (const char* const body :
       {R"({"serviceType": "a", "userId": null})", R"({"serviceType": "a", "userId": 7})",
        R"({"serviceType": "a", "userId": ""})", R"({"serviceType": "a", "userId": "7"})"}) {
    EXPECT_THAT(faults(body), ElementsAre("/userId must be a UUID")) << body;
  }
}

TEST(StartRequest, MustBeAnObject) {
  for (const char* const body : {"[]", "null", "\"x\"", "1"}) {
    EXPECT_THAT(faults(body), ElementsAre(" must be an object")) << body;
  }
}

std::vector<std::string> extend_faults(const char* body) {
  try {
    extend_request_from_json(Json::parse(body));
    return {};
  } catch (const Error& error) {
    std::vector<std::string> texts;
    for (const FieldError& field : error.fields)
      texts.push_back(field.pointer + " " + field.detail);
    return texts;
  }
}

TEST(ExtendRequest, IsADuration) {
  EXPECT_EQ(extend_request_from_json(Json::parse(R"({"by": "1h30m"})")).by, Millis{5'400'000});
  const ExtendRequest request{Millis{1'500}};
  EXPECT_EQ(extend_request_from_json(to_json(request)).by, request.by);
  EXPECT_EQ(extend_request_from_json(Json::parse(R"({"by": "366d"})")).by, kLongestExtension);
}

TEST(ExtendRequest, ReportsAllFaultsTogether) {
  constexpr char kWrong[] = "/by must be a duration above 0 and up to 366d, such as \"1h30m\"";
  for (const char* const body : {R"({"by": "0s"})", R"({"by": "367d"})", R"({"by": "soon"})",
                                 R"({"by": 3600})", R"({"by": null})"}) {
    EXPECT_THAT(extend_faults(body), ElementsAre(kWrong)) << body;
  }
  EXPECT_THAT(extend_faults(R"({"for": "1h"})"),
              ElementsAre("/by is required", "/for is not known here"));
  EXPECT_THAT(extend_faults("[]"), ElementsAre(" must be an object"));
}

TEST(Paths, NameATask) {
  EXPECT_EQ(task_path("x"), "/api/tasks/x");
  EXPECT_EQ(touch_path("x"), "/api/tasks/x/touch");
  EXPECT_EQ(extend_path("x"), "/api/tasks/x/extend");
  EXPECT_EQ(why_path("x"), "/api/tasks/x/why");
}

}  // namespace
}  // namespace resmgr::wire
