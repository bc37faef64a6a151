// The small parts: addresses, query, router, problems, heads of answers, tokens in lists.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <string>

#include "agent/api/access_log.h"
#include "agent/api/address.h"
#include "agent/api/problems.h"
#include "agent/api/query.h"
#include "agent/api/response_head.h"
#include "agent/api/router.h"
#include "common/log.h"

namespace resmgr::api {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

TEST(Address, TellsWhichInterfaceItIsBehind) {
  EXPECT_TRUE(is_behind("lo", Address::parse("127.0.0.1")));
  EXPECT_TRUE(is_behind("lo", Address::parse("127.1.2.3")));
  EXPECT_FALSE(is_behind("lo", Address::parse("128.0.0.1")));
  EXPECT_FALSE(is_behind("lo", Address::parse("::1")));
  EXPECT_FALSE(is_behind("rm-not-there", Address::parse("127.0.0.1")));
  EXPECT_FALSE(is_behind("longer-than-a-name-may-be", Address::parse("127.0.0.1")));
}

TEST(Address, TellsLoopbackFromOthers) {
  for (const auto* text : {"127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"}) {
    EXPECT_TRUE(Address::parse(text).is_loopback()) << text;
  }
  for (const auto* text : {"0.0.0.0", "10.0.0.1", "::", "fe80::1", "128.0.0.1"}) {
    EXPECT_FALSE(Address::parse(text).is_loopback()) << text;
  }
  EXPECT_EQ(Address::parse("::ffff:10.1.2.3").text(), "10.1.2.3");
}

TEST(Endpoint, ReadsHostAndPort) {
  EXPECT_EQ(Endpoint::parse("127.0.0.1:7070").text(), "127.0.0.1:7070");
  EXPECT_EQ(Endpoint::parse("localhost:0").text(), "127.0.0.1:0");
  EXPECT_EQ(Endpoint::parse("[::1]:80").text(), "[::1]:80");
  for (const auto* text : {"7070", ":7070", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "::1:80",
                           "[127.0.0.1]:80", "example.org:80", "127.0.0.1:8x", "[::1]"}) {
    EXPECT_THROW(Endpoint::parse(text), Error) << text;
  }
}

TEST(NetworkList, HoldsWhatItsPrefixesCover) {
  const NetworkList list({"10.0.0.0/8", "192.168.1.128/25", "2001:db8::/33", "172.16.0.1"});
  for (const auto* text :
       {"10.255.0.1", "192.168.1.200", "2001:db8:7fff::1", "172.16.0.1", "::ffff:10.0.0.1"}) {
    EXPECT_TRUE(list.holds(Address::parse(text))) << text;
  }
  for (const auto* text :
       {"11.0.0.1", "192.168.1.127", "2001:db8:8000::1", "172.16.0.2", "::a00:1"}) {
    EXPECT_FALSE(list.holds(Address::parse(text))) << text;
  }
  EXPECT_TRUE(NetworkList({"0.0.0.0/0"}).holds(Address::parse("8.8.8.8")));
  EXPECT_THROW(NetworkList({"10.0.0.0/33"}), Error);
  EXPECT_THROW(NetworkList({"proxy.example.org"}), Error);
}

TEST(Query, ReportsEveryFaultTogether) {
  Request request;
  request.query = {{"limit", "501"}, {"from", "yesterday"}, {"nope", ""},
                   {"limit", "1"},   {"flag", "maybe"},     {"user", "x"}};
  Query query(request, {"limit", "from", "flag", "user"});
  query.integer("limit", 1, 500);
  query.time("from");
  query.flag("flag");
  query.uuid("user");
  try {
    query.check();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    std::vector<std::string> pointers;
    for (const auto& field : error.fields) pointers.push_back(field.pointer);
    EXPECT_THAT(pointers, ElementsAre("?nope", "?limit", "?limit", "?from", "?flag", "?user"));
  }
}

TEST(Query, ReadsValues) {
  Request request;
  request.query = {{"limit", "500"}, {"from", "2026-11-22T17:04:05+02:00"}, {"flag", "true"}};
  Query query(request, {"limit", "from", "flag", "other"});
  EXPECT_EQ(query.integer("limit", 1, 500), 500);
  EXPECT_TRUE(query.time("from").has_value());
  EXPECT_TRUE(query.flag("flag"));
  EXPECT_FALSE(query.flag("other"));
  EXPECT_NO_THROW(query.check());
}

void set_path(Request& request, Method method, std::vector<std::string_view> segments) {
  request.method = method;
  request.path = "/";
  request.segments = std::move(segments);
}

TEST(Router, FindsRoutesByPathAndMethod) {
  Router router;
  router.add({.method = Method::get, .pattern = "/api/tasks/{id}", .handler = {}});
  router.add({.method = Method::del, .pattern = "/api/tasks/{id}", .handler = {}});
  router.add({.method = Method::get, .pattern = "/api/tasks/{id}/logs", .handler = {}});
  Request request;
  set_path(request, Method::head, {"api", "tasks", "7"});
  ASSERT_NE(router.match(request).route, nullptr);
  EXPECT_EQ(router.match(request).route->method, Method::get);
  EXPECT_THAT(request.captures, ElementsAre("7"));
  set_path(request, Method::post, {"api", "tasks", "7"});
  EXPECT_EQ(router.match(request).route, nullptr);
  EXPECT_TRUE(router.match(request).path_is_known);
  EXPECT_EQ(router.allowed_methods(request), "GET, HEAD, DELETE, OPTIONS");
  set_path(request, Method::get, {"api", "tasks", "7", ""});
  EXPECT_FALSE(router.match(request).path_is_known);
  EXPECT_EQ(router.allowed_methods(request), "");
  set_path(request, Method::get, {"API", "tasks", "7"});
  EXPECT_FALSE(router.match(request).path_is_known);
}

TEST(Problems, MapKindsToStatuses) {
  const auto status = [](ErrorKind kind) { return status_of(Error(kind, "x")); };
  EXPECT_EQ(status(ErrorKind::usage), 400);
  EXPECT_EQ(status(ErrorKind::unauthenticated), 401);
  EXPECT_EQ(status(ErrorKind::forbidden), 403);
  EXPECT_EQ(status(ErrorKind::not_found), 404);
  EXPECT_EQ(status(ErrorKind::conflict), 409);
  EXPECT_EQ(status(ErrorKind::limit), 409);
  EXPECT_EQ(status(ErrorKind::rejected), 502);
  EXPECT_EQ(status(ErrorKind::unavailable), 503);
  EXPECT_EQ(status(ErrorKind::not_ready), 504);
  for (const auto kind : {ErrorKind::config, ErrorKind::corrupt, ErrorKind::internal}) {
    EXPECT_EQ(status(kind), 500);
  }
  Error reused(ErrorKind::conflict, "x");
  reused.problem = "idempotency-key-reused";
  EXPECT_EQ(status_of(reused), 422);
  Error rate(ErrorKind::limit, "x");
  rate.retry_after = std::chrono::seconds(7);
  EXPECT_EQ(status_of(rate), 429);
}

std::string header_of(const Response& response, std::string_view name) {
  for (const auto& [known, value] : response.headers) {
    if (known == name) return value;
  }
  return {};
}

TEST(Problems, SayAllThatIsKnown) {
  Request request;
  request.path = "/api/tasks";
  Error error(ErrorKind::limit, "cannot start a task: 2 of 2 run", "stop one");
  error.problem = "limit-tasks-per-user";
  error.fields = {{"/userId", "has too many"}};
  error.task_ids = {"a", "b"};
  const Response response = problem_response(error, request);
  const Json body = parse_json(response.body, "body");
  EXPECT_EQ(response.content_type, "application/problem+json");
  EXPECT_EQ(body["type"], "urn:resmgr:problem:limit-tasks-per-user");
  EXPECT_EQ(body["status"], 409);
  EXPECT_EQ(body["detail"], "cannot start a task: 2 of 2 run");
  EXPECT_EQ(body["hint"], "stop one");
  EXPECT_EQ(body["instance"], "/api/tasks");
  EXPECT_EQ(body["errors"][0]["pointer"], "/userId");
  EXPECT_EQ(body["taskIds"], Json({"a", "b"}));
}

TEST(Problems, KeepDefectsToOurselves) {
  Request request;
  request.id = "req-1";
  Error error(ErrorKind::corrupt, "near SELECT in /var/lib/journal.db", "look there");
  error.problem = "sql";
  const Response response = problem_response(error, request);
  EXPECT_EQ(response.status, 500);
  EXPECT_THAT(response.body, Not(HasSubstr("SELECT")));
  EXPECT_THAT(response.body, Not(HasSubstr("look there")));
  EXPECT_THAT(response.body, Not(HasSubstr("sql")));
  EXPECT_THAT(response.body, HasSubstr("req-1"));
}

TEST(Problems, ChallengeWhoIsNotKnown) {
  const Error error(ErrorKind::unauthenticated, "the token \"x\\y\" has expired\n");
  EXPECT_EQ(header_of(problem_response(error, Request()), "WWW-Authenticate"),
            "Bearer error=\"invalid_token\", error_description=\"the token 'x'y' has expired?\"");
}

TEST(Problems, TellWhenToComeAgain) {
  Request request;
  Error error(ErrorKind::limit, "x");
  error.retry_after = std::chrono::seconds(10);
  bool differs = false;
  const std::string first = header_of(problem_response(error, request), "Retry-After");
  for (int i = 0; i < 200; ++i) {
    const std::string again = header_of(problem_response(error, request), "Retry-After");
    EXPECT_GE(std::stoi(again), 10);
    EXPECT_LE(std::stoi(again), 20);
    differs = differs || again != first;
  }
  EXPECT_TRUE(differs);
  EXPECT_NE(header_of(problem_response(Error(ErrorKind::unavailable, "x"), request), "Retry-After"),
            "");
}

TEST(ResponseHead, EndsNoLineEarly) {
  Response response;
  response.status = 201;
  response.content_type = kJson;
  response.body = "{}";
  response.set("Location", "/a\r\nSet-Cookie: b");
  std::string head;
  append_head(head, response, {.request_id = "id", .date = "now"});
  EXPECT_EQ(head,
            "HTTP/1.1 201 Created\r\nDate: now\r\nContent-Type: application/json\r\n"
            "Content-Length: 2\r\nLocation: /a  Set-Cookie: b\r\nX-Request-Id: id\r\n"
            "X-Content-Type-Options: nosniff\r\n\r\n");
}

TEST(ResponseHead, WritesDates) {
  EXPECT_EQ(http_date(784'111'777), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(http_date(0), "Thu, 01 Jan 1970 00:00:00 GMT");
}

TEST(Tokens, AreFoundInLists) {
  EXPECT_TRUE(list_has_token("a, Respond-Async;x=1 ,b", "respond-async"));
  EXPECT_FALSE(list_has_token("respond-asynchronously, respond", "respond-async"));
  EXPECT_FALSE(list_has_token("", "x"));
}

TEST(Throttle, CountsWhatItHoldsBack) {
  Throttle throttle(1);
  const std::chrono::steady_clock::time_point start{};
  EXPECT_EQ(throttle.pass(start), 0);
  EXPECT_EQ(throttle.pass(start + std::chrono::milliseconds(1)), std::nullopt);
  EXPECT_EQ(throttle.pass(start + std::chrono::milliseconds(999)), std::nullopt);
  EXPECT_EQ(throttle.pass(start + std::chrono::milliseconds(1000)), 2);
  EXPECT_EQ(throttle.pass(start + std::chrono::milliseconds(5000)), 0);
}

TEST(Throttle, LetsSoManyThroughWithinASecond) {
  Throttle throttle(3);
  const std::chrono::steady_clock::time_point start{};
  for (int i = 0; i < 3; ++i) EXPECT_EQ(throttle.pass(start + std::chrono::milliseconds(i)), 0);
  EXPECT_EQ(throttle.pass(start + std::chrono::milliseconds(4)), std::nullopt);
  EXPECT_EQ(throttle.pass(start + std::chrono::milliseconds(1000)), 1);
  EXPECT_EQ(throttle.pass(start + std::chrono::milliseconds(1001)), 0);
}

struct Counter final : log::Collector {
  Counter() { log::set_collector(this); }
  ~Counter() override { log::set_collector(nullptr); }
  void collect(const log::Entry&) noexcept override { ++count; }
  std::atomic<int> count = 0;
};

// Hazard 27: a flood of strangers neither hides the rest of the log nor fills a log server's spool.
TEST(AccessLog, TellsALogServerOfEachRefusalUpToABound) {
  log::set_level(log::Level::information);
  Request request;
  request.method = Method::get;
  request.peer.address = "10.0.0.7";
  AccessLog access_log;
  const auto refuse = [&](int times) {
    for (int i = 0; i < times; ++i) access_log.write(request, 401, std::chrono::milliseconds(1));
  };
  testing::internal::CaptureStderr();
  {
    const Counter counter;
    refuse(50);
    EXPECT_EQ(counter.count, 50);
    refuse(5'000);
    EXPECT_GE(counter.count, 100);
    EXPECT_LT(counter.count, 5'000);
  }
  const std::string printed = testing::internal::GetCapturedStderr();
  EXPECT_GE(std::ranges::count(printed, '\n'), 1);
  EXPECT_LT(std::ranges::count(printed, '\n'), 50);
  log::set_level(log::Level::warning);
}

TEST(AccessLog, NamesThePeerThatAProxyNames) {
  Request request;
  request.peer.address = "10.0.0.1";
  request.headers = {{"X-Forwarded-For", "1.2.3.4, 5.6.7.8"}};
  EXPECT_EQ(shown_peer(request), "10.0.0.1");
  request.peer.trusted_proxy = true;
  EXPECT_EQ(shown_peer(request), "5.6.7.8");
  request.headers = {{"X-Forwarded-For", "nonsense\n"}};
  EXPECT_EQ(shown_peer(request), "10.0.0.1");
  request.peer.uid = 7;
  EXPECT_EQ(shown_peer(request), "uid 7");
}

}  // namespace
}  // namespace resmgr::api
