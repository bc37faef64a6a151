#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "common/error.h"
#include "tests/support/eventually.h"
#include "tests/unit/api/raw_client.h"
#include "tests/unit/api/scripted_application.h"

namespace resmgr::api {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::MatchesRegex;

class HttpServerTest : public testing::Test {
 protected:
  void start(ServerOptions options = free_port()) {
    server_.emplace(std::move(options), app_);
    server_->start();
    address_ = server_->listening().front();
  }
  RawClient connect() const { return RawClient(address_); }
  bool still_serves() const { return connect().ask(get("/good")).body == "GET /good "; }

  ScriptedApplication app_;
  std::optional<HttpServer> server_;
  std::string address_;
};

TEST_F(HttpServerTest, AnswersOnOneConnectionAgainAndAgain) {
  start();
  RawClient client(address_);
  for (int i = 0; i < 3; ++i) {
    const RawAnswer answer = client.ask(get("/a"));
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "GET /a ");
    EXPECT_EQ(answer.header("x-content-type-options"), "nosniff");
    EXPECT_EQ(answer.header("x-test"), "1");
    EXPECT_THAT(answer.header("date"), HasSubstr("GMT"));
    EXPECT_EQ(answer.header("connection"), "");
  }
  EXPECT_EQ(client.ask(post("/b", "{}")).body, "POST /b {}");
  // Noted once the answer is sent, which may be after it was read.
  EXPECT_TRUE(support::eventually([&] { return app_.statuses().size() == 4; }));
}

TEST_F(HttpServerTest, KeepsPipelinedRequestsInOrder) {
  start();
  RawClient client(address_);
  std::string all;
  constexpr int kRequests = 500;
  for (int i = 0; i < kRequests; ++i) {
    all += i % 3 == 0 ? post("/" + std::to_string(i), "body") : get("/" + std::to_string(i));
  }
  std::thread sender([&] { client.send(all); });
  for (int i = 0; i < kRequests; ++i) {
    EXPECT_THAT(client.read().body, HasSubstr("/" + std::to_string(i) + " "));
  }
  sender.join();
}

TEST_F(HttpServerTest, KeepsPipelinedRequestsInOrderThoughAnswersComeLate) {
  std::vector<std::thread> threads;
  app_.on_handle = [&](const std::shared_ptr<Exchange>& exchange) -> std::optional<Response> {
    threads.emplace_back([responder = Responder(exchange)] {
      responder.send(ScriptedApplication::echo(responder.request()));
    });
    return std::nullopt;
  };
  start();
  RawClient client(address_);
  client.send(get("/1") + get("/2") + post("/3", "x") + get("/4"));
  for (int i = 1; i <= 4; ++i) EXPECT_THAT(client.read().body, HasSubstr("/" + std::to_string(i)));
  server_->stop();
  for (auto& thread : threads) thread.join();
}

TEST_F(HttpServerTest, ClosesWhenAsked) {
  start();
  RawClient client(address_);
  const RawAnswer answer = client.ask(get("/", "Connection: close\r\n"));
  EXPECT_EQ(answer.header("connection"), "close");
  EXPECT_TRUE(client.ends());
  RawClient old(address_);
  EXPECT_EQ(old.ask("GET / HTTP/1.0\r\n\r\n").header("connection"), "close");
  EXPECT_TRUE(old.ends());
  RawClient lasting(address_);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(lasting.ask("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").header("connection"),
              "keep-alive");
  }
}

TEST_F(HttpServerTest, AnswersAPeerThatHasFinishedSending) {
  start();
  RawClient client(address_);
  client.send(get("/a"));
  client.finish_sending();
  EXPECT_EQ(client.read().body, "GET /a ");
  EXPECT_TRUE(client.ends());
}

TEST_F(HttpServerTest, AnswersHeadWithoutABody) {
  start();
  RawClient client(address_);
  client.send("HEAD /abc HTTP/1.1\r\nHost: a\r\n\r\n");
  const RawAnswer answer = client.read(true);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.header("content-length"), "10");
  EXPECT_EQ(client.ask(get("/next")).body, "GET /next ");
}

TEST_F(HttpServerTest, TakesOrMakesRequestIds) {
  start();
  RawClient client(address_);
  EXPECT_EQ(client.ask(get("/", "X-Request-Id: My_id.7-x\r\n")).header("x-request-id"),
            "My_id.7-x");
  const std::string first = client.ask(get("/")).header("x-request-id");
  const std::string second = client.ask(get("/", "X-Request-Id: a b\r\n")).header("x-request-id");
  const std::string third =
      client.ask(get("/", "X-Request-Id: " + std::string(65, 'a') + "\r\n")).header("x-request-id");
  for (const auto& made : {first, second, third}) {
    EXPECT_THAT(made, MatchesRegex("[0-9a-f]+-[0-9a-f]+"));
  }
  EXPECT_NE(first, second);
  EXPECT_NE(second, third);
}

TEST_F(HttpServerTest, SaysContinueWhenTheBodyIsWanted) {
  start();
  RawClient client(address_);
  client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.read().status, 100);
  client.send("{}");
  EXPECT_EQ(client.read().body, "POST / {}");
}

TEST_F(HttpServerTest, DoesNotSayContinueWhenTheRequestIsRefused) {
  app_.on_admit = [](const std::shared_ptr<Exchange>&) {
    Response no;
    no.status = 401;
    return Admission{Admission::Verdict::refuse, std::move(no)};
  };
  start();
  RawClient client(address_);
  EXPECT_EQ(client
                .ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n"
                     "Expect: 100-continue\r\n\r\n")
                .status,
            401);
  EXPECT_TRUE(client.ends());
}

TEST_F(HttpServerTest, KeepsTheConnectionOfARefusedRequestWhoseBodyHasCome) {
  app_.on_admit = [](const std::shared_ptr<Exchange>& exchange) {
    if (exchange->request.path == "/good") return Admission{};
    Response no;
    no.status = 401;
    return Admission{Admission::Verdict::refuse, std::move(no)};
  };
  start();
  RawClient client(address_);
  EXPECT_EQ(client.ask(post("/bad", "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n")).status, 401);
  EXPECT_EQ(client.ask(get("/good")).body, "GET /good ");
  EXPECT_THAT(app_.handled(), ElementsAre("/good"));
}

TEST_F(HttpServerTest, AdmitsLaterFromAnotherThread) {
  std::vector<std::thread> threads;
  app_.on_admit = [&](const std::shared_ptr<Exchange>& exchange) {
    threads.emplace_back([responder = Responder(exchange)] {
      if (responder.request().path == "/no") {
        Response no;
        no.status = 403;
        responder.send(std::move(no));
      } else {
        responder.proceed();
      }
    });
    return Admission{Admission::Verdict::pending, std::nullopt};
  };
  start();
  RawClient client(address_);
  EXPECT_EQ(client.ask(post("/yes", "abc")).body, "POST /yes abc");
  EXPECT_EQ(client.ask(post("/no", "abc")).status, 403);
  EXPECT_EQ(client.ask(get("/yes")).body, "GET /yes ");
  server_->stop();
  for (auto& thread : threads) thread.join();
}

TEST_F(HttpServerTest, RefusesWhatCouldBeReadInTwoWays) {
  start();
  const std::string smuggled = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
  for (const std::string_view headers :
       {"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
        "Content-Length: 4\r\nContent-Length: 0\r\n", "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding : chunked\r\n", "Content-Length: -1\r\n", "X: y\r\n Z: w\r\n",
        "Transfer-Encoding: chunked\r\n\r\n-5\r\n", "Transfer-Encoding: chunked\r\n\r\n1\nx"}) {
    RawClient client(address_);
    const RawAnswer answer = client.ask("POST /first HTTP/1.1\r\nHost: a\r\n" +
                                        std::string(headers) + "\r\n0\r\n\r\n" + smuggled);
    EXPECT_TRUE(answer.status == 400 || answer.status == 501) << headers << answer.status;
    EXPECT_EQ(answer.header("content-type"), "application/problem+json");
    EXPECT_EQ(answer.header("connection"), "close");
    EXPECT_NE(answer.header("x-request-id"), "");
    EXPECT_TRUE(client.ends()) << headers;
  }
  EXPECT_TRUE(still_serves());
  EXPECT_THAT(app_.handled(), ElementsAre("/good"));
}

TEST_F(HttpServerTest, BoundsHeadAndBody) {
  start();
  EXPECT_EQ(connect().ask("GET /" + std::string(20'000, 'a')).status, 431);
  EXPECT_EQ(connect().ask(get("/", "A: " + std::string(20'000, 'a') + "\r\n")).status, 431);
  std::string many;
  for (int i = 0; i < 200; ++i) many += "A: b\r\n";
  EXPECT_EQ(connect().ask(get("/", many)).status, 431);
  EXPECT_EQ(connect().ask(get("/", "Content-Length: 65537\r\n")).status, 413);
  EXPECT_EQ(connect().ask(post("/", std::string(65'536, 'x'))).body.size(), 65'543U);
  EXPECT_TRUE(still_serves());
}

TEST_F(HttpServerTest, BoundsWhatIsBufferedInAll) {
  ServerOptions options = free_port();
  options.max_buffered_bytes = 100'000;
  start(options);
  RawClient first(address_);
  first.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\nx");
  ASSERT_TRUE(support::eventually([&] { return app_.admitted == 1; }));
  RawClient second(address_);
  const RawAnswer refused =
      second.ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\nx");
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.problem(), "unavailable");
  EXPECT_NE(refused.header("retry-after"), "");
  EXPECT_TRUE(still_serves());
  first.send(std::string(59'999, 'x'));
  EXPECT_EQ(first.read().status, 200);
  // Given back once the answer is sent, which may be after it was read.
  EXPECT_TRUE(support::eventually(
      [&] { return connect().ask(post("/", std::string(60'000, 'x'))).status == 200; }));
}

TEST_F(HttpServerTest, TakesTheMemoryOfSlowHeadsForOthers) {
  ServerOptions options = free_port();
  options.max_buffered_bytes = 16'000;
  options.deadlines.head = std::chrono::hours(1);
  start(options);
  const std::string large = get("/good", "X: " + std::string(14'000, 'a') + "\r\n");
  // Until it is the slow one that has the memory.
  std::optional<RawClient> slow;
  ASSERT_TRUE(support::eventually([&] {
    slow.emplace(address_);
    slow->send("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(15'000, 'a'));
    for (int i = 0; i < 10; ++i) EXPECT_TRUE(still_serves());
    return connect().ask(large).status == 503;
  }));
  EXPECT_TRUE(support::eventually([&] { return connect().ask(large).status == 200; }));
  EXPECT_TRUE(slow->ends());
}

TEST_F(HttpServerTest, EndsSlowHeads) {
  ServerOptions options = free_port();
  options.deadlines.head = milliseconds(200);
  start(options);
  RawClient silent(address_);
  EXPECT_TRUE(silent.ends());
  RawClient slow(address_);
  // A byte now and then extends nothing.
  std::atomic<bool> taken{true};
  std::thread dripping([&] {
    while (slow.send("G")) std::this_thread::sleep_for(milliseconds(10));
    taken = false;
  });
  EXPECT_EQ(slow.read().status, 408);
  EXPECT_TRUE(support::eventually([&] { return !taken; }));
  dripping.join();
}

TEST_F(HttpServerTest, EndsSlowBodies) {
  ServerOptions options = free_port();
  options.deadlines.body = milliseconds(200);
  start(options);
  RawClient client(address_);
  const RawAnswer answer = client.ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx");
  EXPECT_EQ(answer.status, 408);
  EXPECT_EQ(answer.problem(), "request-timeout");
  EXPECT_TRUE(client.ends());
  EXPECT_TRUE(app_.handled().empty());
}

TEST_F(HttpServerTest, EndsIdleConnectionsAndLaterSlowHeads) {
  ServerOptions options = free_port();
  options.deadlines.idle = milliseconds(200);
  options.deadlines.head = milliseconds(300);
  start(options);
  RawClient idle(address_);
  idle.ask(get("/"));
  EXPECT_TRUE(idle.ends());
  RawClient slow(address_);
  slow.ask(get("/"));
  EXPECT_EQ(slow.ask("GET /").status, 408);
}

TEST_F(HttpServerTest, EndsReadersThatDoNotRead) {
  ServerOptions options = free_port();
  options.deadlines.write = milliseconds(200);
  app_.on_handle = [](const std::shared_ptr<Exchange>&) {
    Response large;
    large.content_type = kPlainText;
    large.body = std::string(64 << 20, 'x');
    return large;
  };
  start(options);
  RawClient client(address_);
  client.send(get("/"));
  ASSERT_TRUE(support::eventually([&] { return app_.handled().size() == 1; }));
  EXPECT_TRUE(support::eventually([&] { return server_->connections() == 0; }));
}

TEST_F(HttpServerTest, GivesUpIdleConnectionsForNewOnes) {
  ServerOptions options = free_port();
  options.max_connections = 3;
  start(options);
  RawClient oldest(address_);
  oldest.ask(get("/"));
  RawClient second(address_);
  second.ask(get("/"));
  RawClient third(address_);
  third.ask(get("/"));
  RawClient fourth(address_);
  EXPECT_EQ(fourth.ask(get("/4")).status, 200);
  EXPECT_TRUE(oldest.ends());
  EXPECT_EQ(second.ask(get("/2")).status, 200);
}

TEST_F(HttpServerTest, RefusesConnectionsWhenAllAreBusy) {
  ServerOptions options = free_port();
  options.max_connections = 2;
  std::vector<Responder> waiting;
  app_.on_handle = [&](const std::shared_ptr<Exchange>& exchange) -> std::optional<Response> {
    waiting.emplace_back(exchange);
    return std::nullopt;
  };
  start(options);
  RawClient first(address_);
  RawClient second(address_);
  first.send(get("/1"));
  second.send(get("/2"));
  ASSERT_TRUE(support::eventually([&] { return app_.handled().size() == 2; }));
  RawClient third(address_);
  EXPECT_TRUE(third.ends());
  for (const auto& responder : waiting)
    responder.send(ScriptedApplication::echo(responder.request()));
  EXPECT_EQ(first.read().status, 200);
  EXPECT_EQ(second.read().status, 200);
}

TEST_F(HttpServerTest, AnswersOtherwiseWhenNobodyDoes) {
  std::vector<Responder> waiting;
  app_.on_handle = [&](const std::shared_ptr<Exchange>& exchange) -> std::optional<Response> {
    Response late;
    late.status = 503;
    waiting.emplace_back(exchange);
    waiting.back().otherwise_after(milliseconds(50), std::move(late));
    return std::nullopt;
  };
  start();
  RawClient client(address_);
  EXPECT_EQ(client.ask(get("/")).status, 503);
  // The answer that comes too late is not taken for one of the next request.
  Response other;
  other.status = 202;
  waiting.front().send(std::move(other));
  app_.on_handle = [](const std::shared_ptr<Exchange>& exchange) {
    return ScriptedApplication::echo(exchange->request);
  };
  EXPECT_EQ(client.ask(get("/next")).body, "GET /next ");
}

TEST_F(HttpServerTest, SurvivesPeersThatGoBeforeTheirAnswer) {
  std::vector<Responder> waiting;
  app_.on_handle = [&](const std::shared_ptr<Exchange>& exchange) -> std::optional<Response> {
    waiting.emplace_back(exchange);
    return std::nullopt;
  };
  start();
  { RawClient(address_).send(get("/1")); }
  ASSERT_TRUE(support::eventually([&] { return app_.handled().size() == 1; }));
  waiting.front().send(ScriptedApplication::echo(waiting.front().request()));
  EXPECT_TRUE(support::eventually([&] { return server_->connections() == 0; }));
}

TEST_F(HttpServerTest, DropsAnswersThatComeAfterItStopped) {
  std::vector<Responder> waiting;
  app_.on_handle = [&](const std::shared_ptr<Exchange>& exchange) -> std::optional<Response> {
    waiting.emplace_back(exchange);
    return std::nullopt;
  };
  ServerOptions options = free_port();
  options.deadlines.stop = milliseconds(10);
  start(options);
  RawClient client(address_);
  client.send(get("/1"));
  ASSERT_TRUE(support::eventually([&] { return app_.handled().size() == 1; }));
  server_.reset();
  waiting.front().send(ScriptedApplication::echo(waiting.front().request()));
  const Stream stream = waiting.front().stream({}, {});
  EXPECT_FALSE(stream.write("x"));
  EXPECT_TRUE(client.ends());
}

TEST_F(HttpServerTest, FinishesAnswersUnderWayWhenItStops) {
  std::vector<Responder> waiting;
  app_.on_handle = [&](const std::shared_ptr<Exchange>& exchange) -> std::optional<Response> {
    waiting.emplace_back(exchange);
    return std::nullopt;
  };
  ServerOptions options = free_port();
  options.deadlines.stop = std::chrono::seconds(60);
  start(options);
  RawClient idle(address_);
  RawClient client(address_);
  client.send(get("/1"));
  ASSERT_TRUE(support::eventually([&] { return app_.handled().size() == 1; }));
  std::thread stopping([&] { server_->stop(); });
  EXPECT_TRUE(idle.ends());
  waiting.front().send(ScriptedApplication::echo(waiting.front().request()));
  const RawAnswer answer = client.read();
  EXPECT_EQ(answer.body, "GET /1 ");
  EXPECT_EQ(answer.header("connection"), "close");
  client.ends();
  stopping.join();
}

TEST_F(HttpServerTest, SpreadsConnectionsOverItsThreads) {
  ServerOptions options = free_port();
  options.io_threads = 3;
  start(options);
  std::vector<std::thread> clients;
  std::atomic<int> good{0};
  for (int i = 0; i < 8; ++i) {
    clients.emplace_back([&, i] {
      RawClient client(address_);
      for (int n = 0; n < 50; ++n) {
        const std::string path = "/" + std::to_string(i) + "-" + std::to_string(n);
        if (client.ask(post(path, "b")).body == "POST " + path + " b") ++good;
      }
    });
  }
  for (auto& client : clients) client.join();
  EXPECT_EQ(good, 400);
}

TEST(HttpServerStart, RefusesAPortThatIsInUse) {
  ScriptedApplication app;
  HttpServer first(free_port(), app);
  first.start();
  ServerOptions options;
  options.listen = {"127.0.0.1:0", first.listening().front()};
  HttpServer second(options, app);
  try {
    second.start();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::config);
    EXPECT_THAT(error.message(), HasSubstr("'" + first.listening().front() + "'"));
    EXPECT_THAT(error.message(), HasSubstr("in use"));
  }
}

TEST(HttpServerStart, RefusesOtherAddressesInPlainText) {
  ScriptedApplication app;
  ServerOptions options;
  options.listen = {"0.0.0.0:0"};
  EXPECT_THROW(HttpServer(options, app), Error);
  options.allow_plaintext = true;
  HttpServer server(options, app);
  server.start();
  EXPECT_THAT(server.listening().front(), MatchesRegex("0.0.0.0:[1-9][0-9]*"));
}

}  // namespace
}  // namespace resmgr::api
