// `resmgr show`, `logs`, `services`, `events`, `status`, `version`.

#include "common/version.h"
#include "common/wire.h"
#include "tests/unit/cli/command_test.h"

namespace resmgr::cli {
namespace {

using ::testing::HasSubstr;

constexpr char kId[] = "019aaaaa-0000-7000-8000-000000000001";

class ShowTest : public CommandTest {
 protected:
  ShowTest() {
    setenv("TZ", "UTC", 1);
    tzset();
    variables["NO_COLOR"] = "1";
    agent.add_task("1");
  }
};

TEST_F(ShowTest, OnATerminalTellsAll) {
  out.terminal = true;
  agent.urls[kId] = "http://127.0.0.1:49153/";
  agent.events_of[kId] = {{{"seq", 7},
                           {"time", "2026-11-22T16:04:05.000Z"},
                           {"type", "task.start_requested"},
                           {"details", Json::object()}},
                          {{"seq", 12},
                           {"time", "2026-11-22T16:04:06.000Z"},
                           {"type", "task.created"},
                           {"details", {{"containerId", "c0ffee"}}}}};
  EXPECT_EQ(run({"show", "0001"}), kDone);
  EXPECT_EQ(out.text,
            "Task       019aaaaa-0000-7000-8000-000000000001\n"
            "Status     Running\n"
            "Service    hello\n"
            "User       11111111-1111-4111-8111-111111111111\n"
            "URL        http://127.0.0.1:49153/\n"
            "Port       49153\n"
            "Host       here\n"
            "Container  c0ffee\n"
            "Requested  16:04:05\n"
            "Started    16:04:05\n"
            "Ran        1h 00m 00s\n"
            "\n"
            "SEQ  TIME      EVENT                 DETAILS\n"
            "  7  16:04:05  task.start_requested\n"
            " 12  16:04:06  task.created          {\"containerId\":\"c0ffee\"}\n");
}

TEST_F(ShowTest, TellsTheReceipts) {
  out.terminal = true;
  Json task = wire::task_to_json(*agent.find(kId));
  task["receipts"] = {{{"sink", "blockchain"}, {"txHash", "0xabc"}, {"blockNumber", 7}},
                      {{"sink", "other"}, {"txHash", nullptr}, {"body", {{"taken", true}}}}};
  agent.intercept = [&](const HttpRequest&) { return json_answer(200, task); };
  EXPECT_EQ(run({"show", kId}), kDone);
  EXPECT_THAT(out.text, HasSubstr("Receipt    transaction 0xabc in block 7, of blockchain; "
                                  "{\"taken\":true}, of other\n"));
}

TEST_F(ShowTest, TellsTheUsersNameWhereTheAgentDoes) {
  out.terminal = true;
  agent.intercept = [&](const HttpRequest&) {
    Json task = wire::task_to_json(agent.tasks.front());
    task["events"] = Json::array();
    task["user"] = {{"email", "ada@example.org"}, {"fullName", "Ada"}};
    return std::optional(json_answer(200, task));
  };
  EXPECT_EQ(run({"show", kId}), kDone);
  EXPECT_THAT(out.text, HasSubstr("Name       Ada\nE-mail     ada@example.org\n"));
}

TEST_F(ShowTest, InAPipeIsAMemberALine) {
  agent.urls[kId] = "http://127.0.0.1:49153/";
  EXPECT_EQ(run({"show", kId}), kDone);
  EXPECT_THAT(out.text, HasSubstr(std::string("taskId\t") + kId + "\n"));
  EXPECT_THAT(out.text, HasSubstr("status\tRunning\n"));
  EXPECT_THAT(out.text, HasSubstr("stopTime\t\n"));
  EXPECT_THAT(out.text, HasSubstr("iframeUrl\thttp://127.0.0.1:49153/\n"));
}

TEST_F(ShowTest, JsonAndCsv) {
  EXPECT_EQ(run({"show", kId, "-o", "json"}), kDone);
  EXPECT_EQ(parse_json(out.text, "output")["events"], Json::array());
  EXPECT_EQ(run({"show", kId, "-o", "csv"}), kDone);
  EXPECT_THAT(out.text, HasSubstr(",statusReason,iframeUrl\r\n"));
  EXPECT_THAT(out.text, HasSubstr(std::string("\r\n") + kId + ",Running,"));
}

TEST_F(ShowTest, OldTimesHaveADate) {
  out.terminal = true;
  agent.find(kId)->start_time = instant_from_millis(1'700'000'000'000);
  run({"show", kId});
  EXPECT_THAT(out.text, HasSubstr("Started    2023-11-14 22:13\n"));
}

TEST_F(ShowTest, UnknownTasks) {
  EXPECT_EQ(run({"show", "ffff"}), kNotFound);
  EXPECT_EQ(run({"show", "019aaaaa-0000-7000-8000-00000000ffff"}), kNotFound);
  EXPECT_EQ(run({"show"}), kUsage);
}

TEST_F(ShowTest, LogsArePassedThroughByteForByte) {
  agent.log = std::string("a\x1b[31m\0\xff\r\n", 10);
  out.terminal = true;
  EXPECT_EQ(run({"logs", "0001"}), kDone);
  EXPECT_EQ(out.text, agent.log);
  EXPECT_EQ(agent.asked().back(), std::string("GET /api/tasks/") + kId + "/logs");
}

TEST_F(ShowTest, LogsWithOptions) {
  EXPECT_EQ(run({"logs", kId, "-f", "--tail", "0", "--since", "10m"}), kDone);
  EXPECT_EQ(agent.asked().back(), std::string("GET /api/tasks/") + kId +
                                      "/logs?follow=1&tail=0&since=2026-11-22T16%3A54%3A05.000Z");
  EXPECT_EQ(run({"logs", kId, "--tail", "-1"}), kUsage);
}

TEST_F(ShowTest, LogsOfUnknownTasks) {
  agent.intercept = [](const HttpRequest&) {
    return problem_answer(404, "not-found", "cannot find task 'x': there is none");
  };
  EXPECT_EQ(run({"logs", kId}), kNotFound);
  EXPECT_EQ(out.text, "");
}

class ServicesTest : public CommandTest {
 protected:
  ServicesTest() {
    agent.services = {{{"name", "hello"},
                       {"title", "Hello"},
                       {"description", "A tiny\npage"},
                       {"containerPort", 8080}},
                      {{"name", "jupyter"}, {"title", "Jupyter notebook"}, {"description", ""}}};
    variables["NO_COLOR"] = "1";
  }
};

TEST_F(ServicesTest, InEveryForm) {
  EXPECT_EQ(run({"services"}), kDone);
  EXPECT_EQ(out.text, "hello\tHello\t8080\tA tiny\\npage\njupyter\tJupyter notebook\t\t\n");
  EXPECT_EQ(run({"services", "--output", "table"}), kDone);
  EXPECT_EQ(out.text,
            "SERVICE  TITLE             PORT  DESCRIPTION\n"
            "hello    Hello             8080  A tiny page\n"
            "jupyter  Jupyter notebook\n");
  EXPECT_EQ(run({"services", "--output", "csv"}), kDone);
  EXPECT_EQ(out.text,
            "name,title,containerPort,description\r\n"
            "hello,Hello,8080,\"A tiny\npage\"\r\n"
            "jupyter,Jupyter notebook,,\r\n");
  EXPECT_EQ(run({"services", "--output", "json"}), kDone);
  EXPECT_EQ(parse_json(out.text, "output"), agent.services);
  EXPECT_EQ(run({"services", "-q"}), kDone);
  EXPECT_EQ(out.text, "hello\njupyter\n");
}

class EventsTest : public CommandTest {
 protected:
  EventsTest() {
    agent.event_lines = {
        R"({"seq":7,"time":"2026-11-22T16:04:05.000Z","type":"agent.started","taskId":null,"task":null})",
        R"({"seq":8,"time":"2026-11-22T16:04:06.000Z","type":"task.ready","taskId":"019aaaaa-0000-7000-8000-000000000001","task":{"status":"Running","serviceType":"hello"}})"};
  }
};

TEST_F(EventsTest, InEveryForm) {
  EXPECT_EQ(run({"events", "--since", "6"}), kDone);
  EXPECT_EQ(out.text,
            "7\t2026-11-22T16:04:05.000Z\tagent.started\t\t\t\n"
            "8\t2026-11-22T16:04:06.000Z\ttask.ready\t019aaaaa-0000-7000-8000-000000000001\t"
            "Running\thello\n");
  EXPECT_EQ(agent.asked().back(), "GET /api/events?since=6");
  EXPECT_EQ(run({"events", "-o", "json", "--follow"}), kDone);
  EXPECT_EQ(out.text, agent.event_lines[0] + "\n" + agent.event_lines[1] + "\n");
  EXPECT_EQ(agent.asked().back(), "GET /api/events?follow=1");
  EXPECT_EQ(run({"events", "-o", "csv"}), kDone);
  EXPECT_THAT(out.text, HasSubstr("seq,time,type,taskId,status,serviceType\r\n7,"));
  EXPECT_EQ(run({"events", "-o", "table"}), kDone);
  EXPECT_THAT(out.text,
              HasSubstr("8       2026-11-22T16:04:06.000Z  task.ready            000000000001  "
                        "Running   hello\n"));
}

TEST_F(EventsTest, ChunksNeedNotEndWithALine) {
  agent.event_lines.clear();
  agent.while_streaming = [](const std::function<bool(std::string_view)>& on_chunk,
                             const std::stop_token&) {
    for (const char* const piece :
         {"{\"seq\":1,", "\"type\":\"a\"}", "\n{\"seq\":2}\n{\"se", "q\":3}\n"}) {
      on_chunk(piece);
    }
  };
  EXPECT_EQ(run({"events", "-o", "json"}), kDone);
  EXPECT_EQ(out.text, "{\"seq\":1,\"type\":\"a\"}\n{\"seq\":2}\n{\"seq\":3}\n");
}

TEST_F(EventsTest, SinceIsANumber) {
  EXPECT_EQ(run({"events", "--since", "-1"}), kUsage);
  EXPECT_EQ(run({"events", "--since", "2h"}), kUsage);
}

class StatusTest : public CommandTest {
 protected:
  StatusTest() {
    setenv("TZ", "UTC", 1);
    tzset();
    variables["NO_COLOR"] = "1";
    agent.host = {
        {"version", "0.1.0"},
        {"agentId", "0a0a0a0a-0000-4000-8000-000000000000"},
        {"name", "host1"},
        {"startedAt", "2026-11-22T16:04:05.000Z"},
        {"engine", {{"reachable", true}, {"version", "20.10.5"}, {"apiVersion", "1.41"}}},
        {"journal", {{"head", 41}, {"writable", true}}},
        {"tasks", {{"starting", 0}, {"running", 2}, {"stopping", 0}, {"stopped", 7}, {"error", 1}}},
        {"catalog",
         {{"services", 2}, {"faults", {{{"where", "bad.toml:3:1"}, {"what", "no image"}}}}}},
        {"listen", {"127.0.0.1:7070"}},
        {"draining", false},
        {"sinks",
         {{{"name", "seq"},
           {"state", "failing"},
           {"lagEvents", 3},
           {"lagSeconds", 90.5},
           {"lastError", "it is away"},
           {"deadLetters", 1}},
          {{"name", "postgres"}, {"state", "current"}, {"lagEvents", 0}}}}};
  }
};

TEST_F(StatusTest, ForPeople) {
  EXPECT_EQ(run({"status", "-o", "table"}), kDone);
  EXPECT_EQ(out.text,
            "Agent      0.1.0 on host1, since 16:04:05\n"
            "Id         0a0a0a0a-0000-4000-8000-000000000000\n"
            "Engine     version 20.10.5, API 1.41\n"
            "Journal    41 events\n"
            "Tasks      0 starting, 2 running, 0 stopping, 7 stopped, 1 failed\n"
            "Catalog    2 services\n"
            "           bad.toml:3:1: no image\n"
            "Listens on 127.0.0.1:7070\n"
            "Sink       seq failing, 3 events behind (1m 30s), which are kept, 1 dead letters: "
            "it is away\n"
            "Sink       postgres current\n");
}

TEST_F(StatusTest, ForScripts) {
  EXPECT_EQ(run({"status"}), kDone);
  EXPECT_THAT(out.text, HasSubstr("engine.reachable\ttrue\n"));
  EXPECT_THAT(out.text, HasSubstr("listen.0\t127.0.0.1:7070\n"));
  EXPECT_THAT(out.text, HasSubstr("tasks.running\t2\n"));
  EXPECT_EQ(run({"status", "-o", "csv"}), kDone);
  EXPECT_THAT(out.text, HasSubstr("member,value\r\n"));
  EXPECT_EQ(run({"status", "-o", "json"}), kDone);
  EXPECT_EQ(parse_json(out.text, "output"), agent.host);
}

TEST_F(StatusTest, FailsWhereTheAgentCannotWork) {
  agent.host["engine"] = {{"reachable", false}, {"lastError", "connection refused"}};
  EXPECT_EQ(run({"status", "-o", "table"}), kFailed);
  EXPECT_THAT(out.text, HasSubstr("Engine     away: connection refused\n"));
  agent.host["engine"]["reachable"] = true;
  agent.host["journal"]["writable"] = false;
  EXPECT_EQ(run({"status"}), kFailed);
}

TEST_F(CommandTest, VersionNeedsNoAgent) {
  paths.clear();
  EXPECT_EQ(run({"version"}), kDone);
  EXPECT_EQ(out.text, std::string("resmgr ") + kVersion + "\n");
  EXPECT_EQ(run({"--version"}), kDone);
  EXPECT_EQ(out.text, std::string("resmgr ") + kVersion + "\n");
}

}  // namespace
}  // namespace resmgr::cli
