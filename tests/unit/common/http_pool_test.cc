#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include <vector>

#include "common/error.h"
#include "common/http.h"
#include "tests/support/eventually.h"
#include "tests/unit/common/http_testing.h"
#include "tests/unit/common/scripted_server.h"

namespace resmgr {
namespace {

using std::chrono::milliseconds;
using support::eventually;

TEST(HttpClient, UsesItsConnectionAgain) {
  const ScriptedServer server(echo);
  const auto client = client_of(server.url());
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(client->send(get("/" + std::to_string(i))).body,
              "GET /" + std::to_string(i) + " HTTP/1.1");
    EXPECT_EQ(client->send(post("/")).body, "POST / HTTP/1.1");
  }
  EXPECT_EQ(server.connections(), 1);
}

TEST(HttpClient, GivesConcurrentRequestsConnectionsOfTheirOwnAndKeepsSome) {
  constexpr int kAtOnce = 24;
  std::atomic<int> waiting{0};
  const ScriptedServer server([&](Peer& peer, int) {
    for (bool first = true; !peer.read_request().empty(); first = false) {
      if (first) {
        ++waiting;
        eventually([&] { return waiting >= kAtOnce; });
      }
      peer.answer("ok");
    }
  });
  const auto client = client_of(server.url());
  {
    std::vector<std::jthread> threads;
    threads.reserve(kAtOnce);
    for (int i = 0; i < kAtOnce; ++i) {
      threads.emplace_back([&] { EXPECT_EQ(client->send(get("/")).body, "ok"); });
    }
  }
  EXPECT_EQ(server.connections(), kAtOnce);
  EXPECT_TRUE(eventually([&] { return server.open() == 16; })) << server.open();
}

TEST(HttpClient, IsThreadSafe) {
  const ScriptedServer server(echo);
  const auto client = client_of(server.url());
  std::vector<std::jthread> threads;
  threads.reserve(8);
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i) {
        const std::string target = "/" + std::to_string(t) + "/" + std::to_string(i);
        EXPECT_EQ(client->send(get(target)).body, "GET " + target + " HTTP/1.1");
      }
    });
  }
}

TEST(HttpClient, NoticesThatAKeptConnectionWasClosed) {
  const ScriptedServer server([](Peer& peer, int) {
    peer.read_request();
    peer.answer("ok");
  });
  const auto client = client_of(server.url());
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(client->send(i % 2 == 0 ? post("/") : get("/")).body, "ok");
    ASSERT_TRUE(eventually([&] { return server.open() == 0; }));
  }
  EXPECT_EQ(server.connections(), 3);
}

TEST(HttpClient, DoesNotTakeWhatCameUnaskedForAnAnswer) {
  std::atomic<bool> forged{false};
  const ScriptedServer server([&](Peer& peer, int) {
    while (!peer.read_request().empty()) {
      peer.answer("right");
      if (!forged) peer.answer("forged");
      forged = true;
    }
  });
  const auto client = client_of(server.url());
  EXPECT_EQ(client->send(get("/")).body, "right");
  ASSERT_TRUE(eventually([&] { return forged.load(); }));
  EXPECT_EQ(client->send(get("/")).body, "right");
}

// Reads the first request to /second and closes without an answer; answers all others.
class ClosingServer {
 public:
  explicit ClosingServer(bool reset)
      : server_([this, reset](Peer& peer, int) {
          for (std::string request; !(request = peer.read_request()).empty();) {
            seen.add(request);
            if (request.find(" /second ") != std::string::npos && !closed_.exchange(true)) {
              if (reset) peer.reset();
              return;
            }
            peer.answer(request.starts_with("HEAD") ? "" : "ok");
          }
        }) {}
  const std::string& url() const { return server_.url(); }

  Seen seen;

 private:
  std::atomic<bool> closed_{false};
  ScriptedServer server_;
};

TEST(HttpClient, RepeatsOnlyWhatMayBeRepeated) {
  for (const bool reset : {false, true}) {
    for (const char* const method : {"GET", "HEAD", "DELETE"}) {
      ClosingServer server(reset);
      const auto client = client_of(server.url());
      client->send(get("/first"));
      EXPECT_EQ(client->send({method, "/second", {}, {}, {}}).status, 200) << method;
      EXPECT_EQ(server.seen.all().size(), 3U) << method;
    }
    for (const char* const method : {"POST", "PATCH", "PUT"}) {
      ClosingServer server(reset);
      const auto client = client_of(server.url());
      client->send(get("/first"));
      const Error error = failure_of(*client, {method, "/second", {}, "x", "text/plain"});
      EXPECT_EQ(error.kind(), ErrorKind::unavailable) << method;
      EXPECT_EQ(server.seen.all().size(), 2U) << method;
    }
  }
}

TEST(HttpClient, DoesNotRepeatWhatTimedOut) {
  Seen seen;
  const ScriptedServer server([&](Peer& peer, int) {
    seen.add(peer.read_request());
    peer.answer("ok");
    seen.add(peer.read_request());
    peer.wait_for_close();
  });
  // The first one must not time out, however busy the machine is.
  const auto client = client_of(server.url(), milliseconds{2'000});
  client->send(get("/first"));
  EXPECT_EQ(failure_of(*client, get("/second")).kind(), ErrorKind::unavailable);
  EXPECT_EQ(seen.all().size(), 2U);
}

TEST(HttpClient, DoesNotRepeatOnAFreshConnection) {
  Seen seen;
  const ScriptedServer server([&](Peer& peer, int) { seen.add(peer.read_request()); });
  const auto client = client_of(server.url());
  EXPECT_EQ(failure_of(*client, get("/")).kind(), ErrorKind::unavailable);
  EXPECT_EQ(seen.all().size(), 1U);
}

}  // namespace
}  // namespace resmgr
