#include "common/http_call.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "common/time_format.h"
#include "tests/support/eventually.h"
#include "tests/unit/common/http_testing.h"

namespace resmgr {
namespace {

using ::testing::HasSubstr;

constexpr Millis kLong = std::chrono::minutes(5);

HttpEndpoint endpoint_at(const ScriptedServer& server) {
  HttpEndpoint endpoint;
  endpoint.url = server.url();
  return endpoint;
}

std::string failure_of_call(HttpCaller& caller) {
  try {
    caller.send(post("/"));
    return "";
  } catch (const Error& error) {
    return error.message();
  }
}

TEST(HttpCall, ReturnsTheAnswer) {
  ScriptedServer server([](Peer& peer, int number) {
    peer.read_request();
    peer.answer("abc", number == 0 ? "201 Created" : "400 Bad Request");
  });
  HttpCaller caller(endpoint_at(server), kLong);
  for (const int status : {201, 400}) {
    const HttpResponse response = caller.send(post("/"));
    EXPECT_EQ(response.status, status);
    EXPECT_EQ(response.body, "abc");
  }
}

TEST(HttpCall, SaysThatAnEmptyBodyIsEmpty) {
  Seen seen;
  ScriptedServer server([&](Peer& peer, int) {
    seen.add(peer.read_request());
    peer.answer("");
  });
  HttpCaller caller(endpoint_at(server), kLong);
  EXPECT_EQ(caller.send(post("/", "")).status, 200);
  EXPECT_THAT(seen.all().at(0), HasSubstr("Content-Length: 0\r\n"));
}

TEST(HttpCall, EndsWhereTheAnswerTakesTooLong) {
  for (const bool drips : {false, true}) {
    ScriptedServer server([&](Peer& peer, int) {
      peer.read_request();
      if (!drips) return peer.wait_for_close();
      // Each byte is in time, and all of them never are.
      peer.write("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
      for (int i = 0; i < 1'000; ++i) {
        peer.write("x");
        std::this_thread::sleep_for(Millis{5});
      }
    });
    HttpCaller caller(endpoint_at(server), Millis{100});
    EXPECT_THAT(failure_of_call(caller), HasSubstr("none came within 100ms"));
  }
}

TEST(HttpCall, EndsWhenItIsInterruptedAndDoesNotBeginAgain) {
  ScriptedServer server([](Peer& peer, int) {
    peer.read_request();
    peer.wait_for_close();
  });
  HttpCaller caller(endpoint_at(server), kLong);
  auto failure = std::async(std::launch::async, [&] { return failure_of_call(caller); });
  EXPECT_TRUE(support::eventually([&] { return server.open() == 1; }));
  caller.interrupt();
  EXPECT_THAT(failure.get(), HasSubstr("given up"));  // would wait for minutes
  EXPECT_THAT(failure_of_call(caller), HasSubstr("given up"));
}

TEST(HttpCall, DoesNotTakeAnAnswerOfAnySize) {
  ScriptedServer server([](Peer& peer, int) {
    peer.read_request();
    peer.answer(std::string(1'001, 'x'));
  });
  HttpCaller caller(endpoint_at(server), kLong, 1'000);
  EXPECT_THAT(failure_of_call(caller), HasSubstr("it is over"));
}

TEST(RetryAfter, IsANumberOfSecondsOrADate) {
  const Instant now = *parse_rfc3339("2026-11-22T17:04:05.000Z");
  const auto read = [&](const std::string& text) {
    return retry_after(HttpResponse{429, {{"retry-after", text}}, {}}, now);
  };
  EXPECT_EQ(read("17"), Millis{17'000});
  EXPECT_EQ(read("0"), Millis{0});
  EXPECT_EQ(read("Sun, 22 Nov 2026 17:05:05 GMT"), Millis{60'000});
  EXPECT_EQ(read("Sun, 22 Nov 2026 17:00:00 GMT"), Millis{0});
  EXPECT_GT(read("99999999999999999999999"), Millis{1'000'000});
  for (const char* const wrong :
       {"", "-1", "soon", "17 s", "Sun, 22 Nov 2026 17:05:05 CET", "1.5"}) {
    EXPECT_EQ(read(wrong), std::nullopt) << wrong;
  }
  EXPECT_EQ(retry_after(HttpResponse{}, now), std::nullopt);
}

}  // namespace
}  // namespace resmgr
