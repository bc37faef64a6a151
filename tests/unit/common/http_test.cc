#include "common/http.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/error.h"
#include "tests/support/eventually.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/common/http_testing.h"
#include "tests/unit/common/scripted_server.h"

namespace resmgr {
namespace {

using std::chrono::milliseconds;
using support::eventually;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

TEST(HttpClient, SendsARequestAndGivesTheAnswer) {
  Seen seen;
  const ScriptedServer server([&](Peer& peer, int) {
    seen.add(peer.read_request());
    peer.write("HTTP/1.1 418 Teapot\r\nX-A: 1\r\nx-b: two\r\nContent-Length: 4\r\n\r\nbody");
  });
  const auto client = client_of(server.url() + "/prefix/");
  const HttpResponse response = client->send(
      {"PATCH", "/a%20b?q=%2F&r=+", {{"X-Sent", "yes"}}, "{\"a\":1}", "application/json"});
  EXPECT_EQ(response.status, 418);
  EXPECT_EQ(response.body, "body");
  EXPECT_EQ(response.header("x-a"), "1");
  EXPECT_EQ(response.header("X-B"), "two");
  EXPECT_EQ(response.header("X-C"), "");

  const std::string request = seen.all().at(0);
  EXPECT_THAT(request, StartsWith("PATCH /prefix/a%20b?q=%2F&r=+ HTTP/1.1\r\n"));
  EXPECT_THAT(request,
              AllOf(HasSubstr("\r\nX-Sent: yes\r\n"), HasSubstr("\r\nContent-Length: 7\r\n"),
                    HasSubstr("\r\nContent-Type: application/json\r\n"),
                    HasSubstr("\r\nHost: " + server.url().substr(7) + "\r\n"),
                    testing::EndsWith("\r\n\r\n{\"a\":1}")));
}

TEST(HttpClient, TalksOverAUnixSocket) {
  const support::TempDir dir;
  Seen seen;
  const ScriptedServer server(dir.path() / "s.sock", [&](Peer& peer, int) {
    seen.add(peer.read_request());
    peer.answer("ok");
  });
  EXPECT_EQ(client_of(server.url())->send(get("/version")).body, "ok");
  EXPECT_THAT(seen.all().at(0),
              AllOf(StartsWith("GET /version HTTP/1.1\r\n"), HasSubstr("\r\nHost: localhost\r\n")));
}

TEST(HttpClient, ReadsChunkedAnswersAndThoseThatEndWithTheConnection) {
  const ScriptedServer server([](Peer& peer, int connection) {
    peer.read_request();
    if (connection == 0) {
      peer.write("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil the end");
    } else {
      peer.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
      peer.write("2;x=y\r\nde\r\n0\r\n\r\n");
      peer.wait_for_close();
    }
  });
  const auto client = client_of(server.url());
  EXPECT_EQ(client->send(get("/")).body, "until the end");
  EXPECT_EQ(client->send(get("/")).body, "abcde");
}

TEST(HttpClient, DoesNotWaitForABodyThatNeverComes) {
  const ScriptedServer server([](Peer& peer, int) {
    for (std::string request; !(request = peer.read_request()).empty();) {
      const std::string status = request.substr(request.find('/') + 1, 3);
      peer.write("HTTP/1.1 " + status + " X\r\n" +
                 (request.starts_with("HEAD") ? "Content-Length: 1000\r\n\r\n" : "\r\n"));
    }
  });
  const auto client = client_of(server.url());
  EXPECT_EQ(client->send(get("/304")).status, 304);
  EXPECT_EQ(client->send(post("/304")).status, 304);
  EXPECT_EQ(client->send(get("/204")).status, 204);
  EXPECT_EQ(client->send({"HEAD", "/200", {}, {}, {}}).status, 200);
}

TEST(HttpClient, FollowsNoRedirect) {
  const ScriptedServer server([](Peer& peer, int) {
    peer.read_request();
    peer.write("HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n");
    peer.wait_for_close();
  });
  const HttpResponse response = client_of(server.url())->send(get("/"));
  EXPECT_EQ(response.status, 302);
  EXPECT_EQ(response.header("location"), "/elsewhere");
  EXPECT_EQ(server.connections(), 1);
}

TEST(HttpClient, SaysThatAnAnswerWasCutShort) {
  const ScriptedServer server([](Peer& peer, int connection) {
    peer.read_request();
    if (connection == 0) peer.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
    if (connection == 1) {
      peer.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc");
    }
    if (connection == 2) peer.write("HTTP/1.1 200 O");
    if (connection == 3) peer.write("not HTTP at all\r\n\r\n");
    if (connection > 3) peer.answer("whole");
  });
  const auto client = client_of(server.url());
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(failure_of(*client, get("/")).kind(), ErrorKind::unavailable) << i;
  }
  EXPECT_EQ(client->send(get("/")).body, "whole");
  EXPECT_EQ(server.connections(), 5);
}

TEST(HttpClient, WaitsNoLongerThanTheReadTimeout) {
  const ScriptedServer server([](Peer& peer, int) { peer.wait_for_close(); });
  const auto client = client_of(server.url(), milliseconds{50});
  const Error error = failure_of(*client, post("/"));
  EXPECT_EQ(error.kind(), ErrorKind::unavailable);
  EXPECT_THAT(error.message(), AllOf(StartsWith("cannot get answer to POST from '" + server.url()),
                                     HasSubstr("in time")));
  EXPECT_TRUE(eventually([&] { return server.open() == 0; }));
}

TEST(HttpClient, SaysWhyItCannotConnect) {
  std::string url;
  {
    const ScriptedServer gone(echo);
    url = gone.url();
  }
  Error error = failure_of(*client_of(url), get("/"));
  EXPECT_EQ(error.kind(), ErrorKind::unavailable);
  EXPECT_EQ(error.message(), "cannot connect to '" + url + "': connection refused");

  const support::TempDir dir;
  const std::string path = dir.path() / "s.sock";
  error = failure_of(*client_of("unix://" + path), get("/"));
  EXPECT_EQ(error.kind(), ErrorKind::unavailable);
  EXPECT_EQ(error.message(), "cannot connect to 'unix://" + path + "': no such socket");

  { const ScriptedServer gone(path, echo); }
  error = failure_of(*client_of("unix://" + path), get("/"));
  EXPECT_EQ(error.message(), "cannot connect to 'unix://" + path + "': connection refused");

  error = failure_of(*client_of("http://no-such-host.invalid"), get("/"));
  EXPECT_EQ(error.kind(), ErrorKind::unavailable);
  EXPECT_THAT(error.message(), HasSubstr("host 'no-such-host.invalid' not found"));
}

TEST(HttpClient, TellsARequestThatWasNeverSent) {
  EXPECT_THROW(client_of("unix:///nonexistent/s.sock")->send(post("/")), NotConnected);
  const ScriptedServer server([](Peer& peer, int) { peer.read_request(); });
  try {
    client_of(server.url())->send(post("/"));
    ADD_FAILURE() << "answered";
  } catch (const NotConnected&) {
    ADD_FAILURE() << "it was sent";
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::unavailable);
  }
}

TEST(HttpClient, RefusesABodyThatIsTooLarge) {
  const ScriptedServer server([](Peer& peer, int) {
    peer.read_request();
    peer.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    const std::string chunk = "100000\r\n" + std::string(1 << 20, 'x') + "\r\n";
    for (int i = 0; i < 65; ++i) peer.write(chunk);
    peer.write("0\r\n\r\n");
  });
  const Error error = failure_of(*client_of(server.url()), get("/"));
  EXPECT_EQ(error.kind(), ErrorKind::rejected);
  EXPECT_THAT(error.message(), HasSubstr("64 MiB"));
}

TEST(HttpClient, RefusesABodyOverTheGivenSize) {
  const ScriptedServer server([](Peer& peer, int) {
    peer.read_request();
    peer.answer(std::string(101, 'x'));
  });
  HttpEndpoint endpoint;
  endpoint.url = server.url();
  endpoint.max_body_bytes = 100;
  EXPECT_EQ(failure_of(*make_http_client(endpoint), get("/")).kind(), ErrorKind::rejected);
  endpoint.max_body_bytes = 101;
  EXPECT_EQ(make_http_client(endpoint)->send(get("/")).body.size(), 101U);
}

TEST(HttpClient, SurvivesAPeerThatClosesWhileItWrites) {
  const ScriptedServer server([](Peer& peer, int) { peer.reset(); });
  const auto client = client_of(server.url());
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(failure_of(*client, post("/", std::string(8 << 20, 'x'))).kind(),
              ErrorKind::unavailable);
  }
}

TEST(HttpClient, LetsNoHeaderOrTargetMakeASecondRequest) {
  Seen seen;
  const ScriptedServer server([&](Peer& peer, int) { seen.add(peer.read_request()); });
  const auto client = client_of(server.url());
  for (const HttpRequest& request :
       {get("/ HTTP/1.1\r\n\r\nGET /evil"), get("/a b"), HttpRequest{"GET\r\n", "/", {}, {}, {}},
        HttpRequest{"GET", "/", {{"X", "a\r\nEvil: 1"}}, {}, {}},
        HttpRequest{"GET", "/", {{"X\r\nEvil", "1"}}, {}, {}},
        HttpRequest{"POST", "/", {}, "x", "a/b\r\nEvil: 1"}}) {
    EXPECT_EQ(failure_of(*client, request).kind(), ErrorKind::internal);
  }
  EXPECT_EQ(server.connections(), 0);
}

TEST(HttpClient, KeepsTheHeadersThatAreGiven) {
  Seen seen;
  const ScriptedServer server([&](Peer& peer, int) {
    seen.add(peer.read_request());
    peer.answer("");
  });
  client_of(server.url())
      ->send({"GET", "/", {{"user-agent", "mine"}, {"A", "1"}, {"A", "2"}}, {}, {}});
  const std::string request = seen.all().at(0);
  EXPECT_THAT(request, AllOf(HasSubstr("user-agent: mine\r\n"), Not(HasSubstr("User-Agent")),
                             HasSubstr("A: 1\r\n"), HasSubstr("A: 2\r\n")));
}

}  // namespace
}  // namespace resmgr
