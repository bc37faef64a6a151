// What only reads: tasks, logs, events, services, host, health.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "common/ids.h"
#include "tests/unit/api/routes_world.h"

namespace resmgr::api {
namespace {

using engine::Op;
using support::kAlice;
using support::kBob;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

class ListRouteTest : public RoutesTest {
 protected:
  std::vector<std::string> ids(const RawAnswer& answer) const {
    std::vector<std::string> ids;
    for (const Json& task : answer.json()) ids.push_back(task["taskId"]);
    return ids;
  }
  // The target of the link to the next page; empty: there is none.
  static std::string next(const RawAnswer& answer) {
    const std::string link = answer.header("link");
    if (link.empty()) return {};
    EXPECT_THAT(link, testing::EndsWith(">; rel=\"next\""));
    return link.substr(1, link.find('>') - 1);
  }
};
class TaskRouteTest : public RoutesTest {};
class LogRouteTest : public RoutesTest {};
class EventRouteTest : public RoutesTest {
 protected:
  static std::vector<Json> lines(const std::string& text) {
    std::vector<Json> lines;
    std::size_t at = 0;
    for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', at)) {
      lines.push_back(parse_json(text.substr(at, end - at), "line"));
      at = end + 1;
    }
    EXPECT_EQ(at, text.size());
    return lines;
  }
};
class HostRouteTest : public RoutesTest {};

TEST_F(ListRouteTest, ShowsOwnTasksNewestFirst) {
  EXPECT_EQ(ask_get("/api/tasks").body, "[]");
  const std::string first = started();
  const std::string second = started();
  const std::string of_bob = started(bob());
  const RawAnswer answer = ask_get("/api/tasks");
  EXPECT_THAT(ids(answer), ElementsAre(second, first));
  EXPECT_FALSE(answer.json()[0].contains("iframeUrl"));
  EXPECT_FALSE(answer.json()[0].contains("events"));
  EXPECT_EQ(answer.header("link"), "");
  EXPECT_EQ(answer.header("journal-id"), world_.journal.id());
  EXPECT_THAT(ids(ask_get("/api/tasks", admin())), ElementsAre(of_bob, second, first));
  EXPECT_THAT(ids(ask_get("/api/tasks?userId=" + std::string(kBob), admin())), ElementsAre(of_bob));
  EXPECT_EQ(ids(ask_get("/api/tasks?userId=me", admin())).size(), 0U);
  EXPECT_EQ(ask_get("/api/tasks?userId=" + std::string(kBob)).status, 403);
  EXPECT_EQ(ask_get("/api/tasks?userId=" + std::string(kAlice)).status, 200);
  EXPECT_EQ(ask_get("/api/tasks", "").status, 401);
}

TEST_F(ListRouteTest, TurnsPages) {
  std::vector<std::string> all;
  for (int i = 0; i < 7; ++i) all.insert(all.begin(), started());
  std::vector<std::string> seen;
  std::string target = "/api/tasks?limit=3&serviceType=web";
  int pages = 0;
  while (!target.empty()) {
    const RawAnswer answer = ask_get(target);
    ASSERT_EQ(answer.status, 200) << answer.body;
    for (const auto& id : ids(answer)) seen.push_back(id);
    target = next(answer);
    ++pages;
  }
  EXPECT_EQ(pages, 3);
  EXPECT_EQ(seen, all);
  // A full last page has no link.
  EXPECT_EQ(next(ask_get("/api/tasks?limit=7")), "");
}

TEST_F(ListRouteTest, Filters) {
  const std::string stopped = started();
  ask_delete(stopped);
  const std::string running = started();
  EXPECT_THAT(ids(ask_get("/api/tasks?status=running")), ElementsAre(running));
  EXPECT_THAT(ids(ask_get("/api/tasks?status=Stopped,Running")), ElementsAre(running, stopped));
  EXPECT_THAT(ids(ask_get("/api/tasks?status=Error")), ElementsAre());
  EXPECT_THAT(ids(ask_get("/api/tasks?serviceType=other")), ElementsAre());
  EXPECT_THAT(ids(ask_get("/api/tasks?id=" + running.substr(24))), ElementsAre(running));
  EXPECT_THAT(ids(ask_get("/api/tasks?id=" + running)), ElementsAre(running));
  EXPECT_THAT(ids(ask_get("/api/tasks?from=2026-11-22T17:04:05Z&to=2026-11-22T18:04:05%2B00:00")),
              ElementsAre(running, stopped));
  EXPECT_THAT(ids(ask_get("/api/tasks?from=2026-11-23T17:04:05Z")), ElementsAre());
}

TEST_F(ListRouteTest, ReportsAllFaults) {
  const RawAnswer answer =
      ask_get("/api/tasks?status=Nope&limit=0&from=x&to=y&cursor=z&id=12&userId=q&foo=1&limit=5");
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.json()["errors"].size(), 9U) << answer.body;
  EXPECT_EQ(ask_get("/api/tasks?limit=501").status, 400);
  EXPECT_EQ(ask_get("/api/tasks?limit=500").status, 200);
  EXPECT_EQ(ask_get("/api/tasks?from=2026-11-22T17:04:05Z&to=2026-11-21T17:04:05Z").status, 400);
}

TEST_F(TaskRouteTest, ShowsOneTaskWithItsEvents) {
  const std::string id = started();
  const RawAnswer answer = ask_get("/api/tasks/" + id);
  ASSERT_EQ(answer.status, 200);
  const Json task = answer.json();
  EXPECT_EQ(task["taskId"], id);
  EXPECT_THAT(task["iframeUrl"].get<std::string>(), StartsWith("http://127.0.0.1:"));
  std::vector<std::string> types;
  for (const Json& event : task["events"]) types.push_back(event["type"]);
  EXPECT_EQ(types, world_.event_types(id));
  std::string upper = id;
  for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  EXPECT_EQ(ask_get("/api/tasks/" + upper).json()["taskId"], id);
}

TEST_F(TaskRouteTest, HidesWhatTheCallerMayNotSee) {
  const std::string id = started();
  const RawAnswer other = ask_get("/api/tasks/" + id, bob());
  EXPECT_EQ(other.status, 404);
  const RawAnswer none = ask_get("/api/tasks/" + new_uuid_v4(), bob());
  EXPECT_EQ(none.status, 404);
  EXPECT_EQ(other.problem(), none.problem());
  EXPECT_EQ(ask_get("/api/tasks/nonsense").status, 404);
  EXPECT_EQ(ask_get("/api/tasks/" + id.substr(24)).status, 404);
  EXPECT_EQ(ask_get("/api/tasks/" + id, admin()).status, 200);
  EXPECT_EQ(ask_get("/api/tasks/" + id + "?x=1").status, 400);
}

TEST_F(TaskRouteTest, AsksTheEngineForAPortThatMayHaveMoved) {
  const std::string id = started();
  // The engine was away: what was read before counts no more, and is asked for on the way.
  world_.engine.break_streams();
  EXPECT_TRUE(support::eventually([&] {
    return string_or(ask_get("/api/tasks/" + id).json(), "iframeUrl").starts_with("http://");
  }));
}

TEST_F(TaskRouteTest, AnswersHead) {
  const std::string id = started();
  RawClient client(address_);
  client.send("HEAD /api/tasks/" + id + " HTTP/1.1\r\nHost: a\r\n" + alice() + "\r\n");
  const RawAnswer head = client.read(true);
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.header("content-length"),
            client.ask(get("/api/tasks/" + id, alice())).header("content-length"));
}

TEST_F(LogRouteTest, CopiesWhatWasPrinted) {
  world_.engine.set_program("web:1", {.output = "one\ntwo\n"});
  const std::string id = started();
  const RawAnswer answer = ask_get("/api/tasks/" + id + "/logs");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.header("content-type"), "text/plain; charset=utf-8");
  EXPECT_EQ(answer.header("transfer-encoding"), "chunked");
  EXPECT_EQ(answer.body, "one\ntwo\n");
  EXPECT_TRUE(answer.whole);
  EXPECT_EQ(ask_get("/api/tasks/" + id + "/logs?tail=1").body, "two\n");
  EXPECT_EQ(ask_get("/api/tasks/" + id + "/logs", bob()).status, 404);
  EXPECT_EQ(ask_get("/api/tasks/" + id + "/logs?tail=x&since=y&follow=z").json()["errors"].size(),
            3U);
  ask_delete(id);
  EXPECT_EQ(ask_get("/api/tasks/" + id + "/logs").body, "one\ntwo\n");
}

TEST_F(LogRouteTest, FollowsUntilTheEnd) {
  const std::string id = started();
  RawClient client(address_);
  client.send(get("/api/tasks/" + id + "/logs?follow=1", alice()));
  // Headers come though it prints nothing.
  EXPECT_THAT(client.read_some(), StartsWith("HTTP/1.1 200 OK\r\n"));
  world_.engine.print(world_.name(id), "hello\n");
  EXPECT_THAT(client.read_some(), HasSubstr("hello\n"));
  ask_delete(id);
  std::string rest;
  while (rest.find("0\r\n\r\n") == std::string::npos) {
    const std::string more = client.read_some();
    ASSERT_FALSE(more.empty()) << rest;
    rest += more;
  }
}

TEST_F(LogRouteTest, LetsGoOfReadersThatAreGone) {
  world_.engine.set_program("web:1", {.output = "hello\n"});
  const std::string id = started();
  // More than may follow at once, one after the other.
  for (int i = 0; i < 70; ++i) {
    EXPECT_TRUE(support::eventually([&] {
      RawClient client(address_);
      client.send(get("/api/tasks/" + id + "/logs?follow=1", alice()));
      return client.read_some().find("200 OK") != std::string::npos;
    })) << i;
  }
}

TEST_F(LogRouteTest, EndsWithTheServer) {
  const std::string id = started();
  RawClient client(address_);
  client.send(get("/api/tasks/" + id + "/logs?follow=1", alice()));
  EXPECT_THAT(client.read_some(), HasSubstr("200 OK"));
  server_.reset();
  EXPECT_TRUE(client.ends());
}

TEST_F(LogRouteTest, SaysThatTheEngineIsAway) {
  const std::string id = started();
  world_.engine.set_reachable(false);
  EXPECT_EQ(ask_get("/api/tasks/" + id + "/logs").status, 503);
}

TEST_F(EventRouteTest, TellsWhatHappened) {
  const std::string id = started();
  const std::string of_bob = started(bob());
  const RawAnswer answer = ask_get("/api/events");
  EXPECT_EQ(answer.header("content-type"), "application/x-ndjson");
  EXPECT_EQ(answer.header("journal-id"), world_.journal.id());
  EXPECT_TRUE(answer.whole);
  std::vector<std::string> types;
  std::int64_t last = 0;
  for (const Json& line : lines(answer.body)) {
    EXPECT_EQ(line["taskId"], id);
    EXPECT_EQ(line["task"]["taskId"], id);
    EXPECT_GT(line["seq"].get<std::int64_t>(), last);
    last = line["seq"];
    types.push_back(line["type"]);
  }
  EXPECT_EQ(types, world_.event_types(id));
  const auto of_all = lines(ask_get("/api/events", admin()).body);
  EXPECT_GT(of_all.size(), types.size());
  EXPECT_EQ(lines(ask_get("/api/events?since=" + std::to_string(last - 1)).body).size(), 1U);
  EXPECT_EQ(ask_get("/api/events?since=-1&follow=x&journal=1").json()["errors"].size(), 3U);
}

TEST_F(EventRouteTest, FollowsFromWhereTheCallerIs) {
  const RawAnswer list = ask_get("/api/tasks");
  RawClient client(address_);
  client.send(get("/api/events?follow=1&since=" + list.header("journal-seq"), alice()));
  EXPECT_THAT(client.read_some(), StartsWith("HTTP/1.1 200 OK\r\n"));
  started(bob());
  const std::string id = started();
  std::string text;
  while (text.find("task.ready") == std::string::npos) {
    const std::string more = client.read_some();
    ASSERT_FALSE(more.empty());
    text += more;
  }
  EXPECT_THAT(text, HasSubstr(id));
  EXPECT_THAT(text, testing::Not(HasSubstr(kBob)));
}

TEST_F(EventRouteTest, FollowsWhatIsNewWhenNoBeginningIsNamed) {
  started();
  RawClient client(address_);
  client.send(get("/api/events?follow=1", alice()));
  const std::string head = client.read_some();
  EXPECT_THAT(head, testing::EndsWith("\r\n\r\n"));
  const std::string id = started();
  EXPECT_THAT(client.read_some(), HasSubstr(id));
}

TEST_F(EventRouteTest, AsksForAResyncWhereEventsDoNotReach) {
  started();
  const std::string head = std::to_string(world_.journal.head());
  for (const std::string& query :
       {std::string("since=999999"), "since=0&journal=" + new_uuid_v4()}) {
    const auto got = lines(ask_get("/api/events?" + query).body);
    ASSERT_EQ(got.size(), 1U) << query;
    EXPECT_EQ(got[0]["type"], "resync");
    EXPECT_EQ(std::to_string(got[0]["seq"].get<std::int64_t>()), head);
    EXPECT_EQ(got[0]["journal"], world_.journal.id());
  }
  const auto same = lines(ask_get("/api/events?since=0&journal=" + world_.journal.id()).body);
  EXPECT_NE(same.at(0)["type"], "resync");
}

TEST_F(EventRouteTest, AsksForAResyncWhereEventsArePruned) {
  started();
  const std::int64_t pruned = world_.journal.head() - 1;
  world_.journal.transact(
      [&](journal::Transaction& transaction) { transaction.prune_events(pruned); });
  const auto old = lines(ask_get("/api/events?since=" + std::to_string(pruned - 1)).body);
  ASSERT_EQ(old.size(), 1U);
  EXPECT_EQ(old[0]["type"], "resync");
  const auto next = lines(ask_get("/api/events?since=" + std::to_string(pruned)).body);
  ASSERT_EQ(next.size(), 1U);
  EXPECT_EQ(next[0]["seq"], pruned + 1);
  // Who names no beginning wants what is kept.
  EXPECT_EQ(lines(ask_get("/api/events").body), next);
}

// Who follows so slowly that what it is to get next is pruned meanwhile is told.
TEST_F(EventRouteTest, TellsASlowFollowerOfAGap) {
  const std::string id = started();
  RawClient client(address_);
  client.send(get("/api/events?follow=1", alice()));
  EXPECT_THAT(client.read_some(), testing::EndsWith("\r\n\r\n"));
  world_.journal.transact([&](journal::Transaction& transaction) {
    const auto row = transaction.task(id).value();
    transaction.append("task.noted", row, world_.clock.now(), "{}");
    transaction.prune_events(transaction.append("task.noted", row, world_.clock.now(), "{}"));
  });
  EXPECT_THAT(client.read_some(), HasSubstr("\"resync\""));
}

TEST_F(EventRouteTest, ServesManyAndLongHistories) {
  const std::string id = started();
  world_.journal.transact([&](journal::Transaction& transaction) {
    const auto row = transaction.task(id).value();
    for (int i = 0; i < 1'000; ++i) {
      transaction.append("task.noted", row, world_.clock.now(), "{}");
    }
  });
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 5; ++i) {
    clients.push_back(std::make_unique<RawClient>(address_));
    clients.back()->send(get("/api/events", alice()));
  }
  for (const auto& client : clients) {
    EXPECT_EQ(lines(client->read().body).size(), world_.event_types(id).size());
  }
}

TEST_F(EventRouteTest, EndsWhenTheTokenRunsOut) {
  const std::string brief = support::sign_hs256(
      support::claims_of(kAlice, -std::chrono::seconds(25)));  // 30 s of leeway are granted
  RawClient client(address_);
  client.send(get("/api/events?follow=1", bearer(brief)));
  EXPECT_FALSE(client.read().whole);
}

TEST_F(HostRouteTest, ListsServices) {
  const RawAnswer answer = ask_get("/api/services");
  EXPECT_EQ(
      answer.json(),
      Json::array(
          {{{"name", "web"}, {"title", "Web"}, {"description", ""}, {"containerPort", 8080}}}));
  const Json for_admin = ask_get("/api/services", admin()).json();
  EXPECT_EQ(for_admin[0]["image"], "web:1");
  EXPECT_EQ(for_admin[0]["env"], Json({"TOKEN"}));
  EXPECT_EQ(ask_get("/api/services", "").status, 401);
}

TEST_F(HostRouteTest, DescribesTheHostToAdmins) {
  started();
  EXPECT_EQ(ask_get("/api/host").status, 403);
  const Json host = ask_get("/api/host", admin()).json();
  EXPECT_EQ(host["agentId"], world_.options.agent_id);
  EXPECT_EQ(host["engine"]["reachable"], true);
  EXPECT_EQ(host["journal"]["id"], world_.journal.id());
  EXPECT_EQ(host["journal"]["writable"], true);
  EXPECT_EQ(host["tasks"]["running"], 1);
  EXPECT_EQ(host["tasks"]["starting"], 0);
  EXPECT_EQ(host["listen"], Json({address_}));
  EXPECT_EQ(host["sinks"], Json::array());
  EXPECT_EQ(host["catalog"]["services"], 1);
}

TEST_F(HostRouteTest, TellsAdminsWhatIsWrong) {
  EXPECT_EQ(ask_get("/api/host/checks", admin()).json(), Json::array());
  server_.reset();
  checks_ = [] { return Json{{{"name", "clock"}, {"state", "warning"}}}; };
  start_server();
  EXPECT_EQ(ask_get("/api/host/checks", admin()).json()[0]["name"], "clock");
  EXPECT_EQ(ask_get("/api/host/checks").status, 403);
}

TEST_F(HostRouteTest, SaysWhetherItServes) {
  EXPECT_EQ(ask_get("/healthz", "").status, 200);
  EXPECT_EQ(ask_get("/readyz", "").status, 200);
  world_.engine.set_reachable(false);
  EXPECT_TRUE(support::eventually([&] { return ask_get("/readyz", "").status == 503; }));
  EXPECT_EQ(ask_get("/readyz", "").problem(), "not-serving");
  EXPECT_EQ(ask_get("/healthz", "").status, 200);
  EXPECT_EQ(ask_get("/api/host", admin()).json()["engine"]["reachable"], false);
}

}  // namespace
}  // namespace resmgr::api
