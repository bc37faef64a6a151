#include "agent/api/task_json.h"

#include <gtest/gtest.h>

#include "common/wire.h"

namespace resmgr::api {
namespace {

Task full_task() {
  Task task;
  task.task_id = "018f2f6e-7b1c-7000-8000-000000000001";
  task.user_id = "11111111-1111-4111-8111-111111111111";
  task.service_type = "web \"x\" \\ \x01 \u00e4\u20ac";
  task.container_id = "abc";
  task.container_port = 32'768;
  task.host =
      "h\xff"
      "ost";
  task.created_at = instant_from_millis(1'795'367'045'001);
  task.start_time = instant_from_millis(1'795'367'045'100);
  task.stop_time = instant_from_millis(1'795'367'048'650);
  task.status = TaskStatus::error;
  task.status_reason = "line\nbreak\ttab\x7f";
  task.precision = Precision::bounded;
  task.usage_hash = "00ff";
  task.exit_code = -1;
  return task;
}

Json parsed(const std::string& text) { return parse_json(text, "text", DuplicateKeys::refuse); }

// What the wire format says, less what can't be said in UTF-8.
Json wired(const Task& task) { return parsed(dump_json(wire::task_to_json(task))); }

TEST(TaskJson, SaysWhatTheWireFormatSays) {
  for (const long long millis : {0LL, 1LL, 10LL, 500LL, 1'000LL, 3'550LL, 86'400'007LL}) {
    Task task = full_task();
    task.stop_time = *task.start_time + Millis{millis};
    std::string text;
    append_task(text, task);
    EXPECT_EQ(parsed(text), wired(task)) << text;
    EXPECT_EQ(parsed(text)["durationSeconds"].is_number_float(),
              wired(task)["durationSeconds"].is_number_float());
  }
  Task task;
  task.task_id = "x";
  std::string text;
  append_task(text, task);
  EXPECT_EQ(parsed(text), wired(task)) << text;
}

TEST(TaskJson, AddsUrlAndEvents) {
  Event event;
  event.seq = 7;
  event.time = instant_from_millis(1'795'367'045'001);
  event.type = "task.started";
  event.details = R"({"port": 1})";
  Event bare = event;
  bare.details.clear();
  std::string text;
  journal::Activity activity;
  activity.sample = {instant_from_millis(1'795'367'045'001), 1'500, 1 << 20, 300, 40};
  activity.idle_until = instant_from_millis(1'795'367'046'000);
  const journal::Receipt receipt{"blockchain", "task", event.time, R"({"txHash":"0x1","n":[1]})"};
  append_task(text, full_task(), "http://127.0.0.1:1/?t=\"", activity, {event, bare}, {receipt});
  Json expected = wired(full_task());
  expected["usage"] = {{"cpuMs", 1'500},
                       {"peakMemoryBytes", 1 << 20},
                       {"networkRxBytes", 300},
                       {"networkTxBytes", 40},
                       {"sampledAt", "2026-11-22T17:04:05.001Z"}};
  expected["idleUntil"] = "2026-11-22T17:04:06.000Z";
  expected["lifetimeUntil"] = Json();
  expected["iframeUrl"] = "http://127.0.0.1:1/?t=\"";
  expected["receipts"] = {{{"sink", "blockchain"},
                           {"receivedAt", "2026-11-22T17:04:05.001Z"},
                           {"txHash", "0x1"},
                           {"blockNumber", nullptr},
                           {"body", {{"txHash", "0x1"}, {"n", {1}}}}}};
  expected["events"] = {wire::task_event_to_json(event), wire::task_event_to_json(bare)};
  EXPECT_EQ(parsed(text), expected);

  text.clear();
  append_task(text, full_task(), "", {}, {}, {});
  EXPECT_TRUE(parsed(text)["iframeUrl"].is_null());
  EXPECT_TRUE(parsed(text)["usage"].is_null());
  EXPECT_TRUE(parsed(text)["idleUntil"].is_null());
  EXPECT_EQ(parsed(text)["events"], Json::array());
  EXPECT_EQ(parsed(text)["receipts"], Json::array());

  EXPECT_FALSE(parsed(text).contains("progress"));

  text.clear();
  append_task(text, full_task(), "");
  EXPECT_TRUE(parsed(text)["iframeUrl"].is_null());
  EXPECT_FALSE(parsed(text).contains("events"));
}

TEST(TaskJson, AddsHowFarTheStartHasCome) {
  const auto written = [](const tasks::StartProgress& progress) {
    std::string text;
    append_task(text, full_task(), "", {}, {}, {}, nullptr, &progress);
    return parsed(text)["progress"];
  };
  tasks::StartProgress progress;
  progress.step = tasks::StartStep::pulling;
  progress.since = instant_from_millis(1'795'367'045'001);
  progress.image = "registry/web:1";
  Json expected = {{"step", "pulling"}, {"since", "2026-11-22T17:04:05.001Z"}};
  EXPECT_EQ(written(progress), expected);
  progress.pull = tasks::PullState{7, std::nullopt, "Pulling \"layer\""};
  expected["pull"] = {{"doneBytes", 7}, {"totalBytes", nullptr}, {"status", "Pulling \"layer\""}};
  EXPECT_EQ(written(progress), expected);
  progress.pull->total_bytes = 9;
  expected["pull"]["totalBytes"] = 9;
  EXPECT_EQ(written(progress), expected);
}

TEST(TaskJson, WritesEvents) {
  Event event;
  event.seq = 9;
  event.time = instant_from_millis(5);
  event.type = "task.started";
  event.task_id = "t";
  event.task = dump_json(wire::task_to_json(full_task()));
  Event bare;
  bare.type = "agent.started";
  for (const Event& each : {event, bare}) {
    std::string text;
    append_event(text, each);
    EXPECT_EQ(parsed(text), parsed(dump_json(wire::event_to_json(each))));
    EXPECT_EQ(text.find('\n'), std::string::npos);
  }
}

}  // namespace
}  // namespace resmgr::api
