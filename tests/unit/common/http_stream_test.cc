#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <stdexcept>
#include <thread>

#include "common/error.h"
#include "common/http.h"
#include "tests/support/eventually.h"
#include "tests/unit/common/scripted_server.h"

namespace resmgr {
namespace {

using std::chrono::milliseconds;
using support::eventually;
using testing::HasSubstr;

constexpr milliseconds kForEver{0};
constexpr char kChunkedHead[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

std::unique_ptr<HttpClient> streaming_client(const ScriptedServer& server) {
  HttpEndpoint endpoint;
  endpoint.url = server.url();
  return make_http_client(endpoint);
}

std::string chunk(const std::string& bytes) {
  char size[16];
  std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
  return size + bytes + "\r\n";
}

// Collects what comes.
struct Collected {
  std::string bytes;
  bool operator()(std::string_view some) {
    bytes += some;
    return true;
  }
};

ErrorKind failure_of(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& e) {
    return e.kind();
  }
  ADD_FAILURE() << "no error";
  return ErrorKind::internal;
}

TEST(HttpStream, GivesEachChunkAsItComes) {
  std::atomic<int> taken{0};
  const ScriptedServer server([&](Peer& peer, int) {
    peer.read_request();
    peer.write(kChunkedHead);
    for (int i = 0; i < 5; ++i) {
      peer.write(chunk(std::to_string(i)));
      EXPECT_TRUE(eventually([&] { return taken == i + 1; }));
    }
    peer.write("0\r\n\r\n");
    peer.wait_for_close();
  });
  Collected collected;
  const HttpResponse response = streaming_client(server)->stream({},
                                                                 [&](std::string_view bytes) {
                                                                   collected(bytes);
                                                                   ++taken;
                                                                   return true;
                                                                 },
                                                                 kForEver, {});
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.header("transfer-encoding"), "chunked");
  EXPECT_EQ(response.body, "");
  EXPECT_EQ(collected.bytes, "01234");
}

TEST(HttpStream, EndsWithTheConnectionWhereNoLengthWasGiven) {
  const ScriptedServer server([](Peer& peer, int) {
    peer.read_request();
    peer.write("HTTP/1.1 200 OK\r\n\r\nall of it");
  });
  Collected collected;
  streaming_client(server)->stream({}, std::ref(collected), kForEver, {});
  EXPECT_EQ(collected.bytes, "all of it");
}

TEST(HttpStream, SaysThatItWasCutShort) {
  const ScriptedServer server([](Peer& peer, int connection) {
    peer.read_request();
    if (connection == 0) peer.write(std::string(kChunkedHead) + chunk("abc"));
    if (connection == 1) peer.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc");
  });
  const auto client = streaming_client(server);
  for (int i = 0; i < 3; ++i) {
    Collected collected;
    EXPECT_EQ(failure_of([&] { client->stream({}, std::ref(collected), kForEver, {}); }),
              ErrorKind::unavailable);
    EXPECT_EQ(collected.bytes, i < 2 ? "abc" : "");
  }
}

TEST(HttpStream, CollectsTheBodyOfARefusal) {
  const ScriptedServer server([](Peer& peer, int) {
    peer.read_request();
    peer.answer("no such container", "404 Not Found");
    peer.wait_for_close();
  });
  Collected collected;
  const HttpResponse response =
      streaming_client(server)->stream({}, std::ref(collected), kForEver, {});
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(response.body, "no such container");
  EXPECT_EQ(collected.bytes, "");
}

TEST(HttpStream, EndsWhenTheReceiverHasEnough) {
  const ScriptedServer server([](Peer& peer, int) {
    peer.read_request();
    peer.write(std::string(kChunkedHead) + chunk("abc"));
    peer.wait_for_close();
  });
  const auto client = streaming_client(server);
  EXPECT_EQ(client->stream({}, [](std::string_view) { return false; }, kForEver, {}).status, 200);
  EXPECT_TRUE(eventually([&] { return server.open() == 0; }));
}

TEST(HttpStream, PassesOnWhatTheReceiverThrows) {
  const ScriptedServer server([](Peer& peer, int) {
    peer.read_request();
    peer.write(std::string(kChunkedHead) + chunk("abc"));
    peer.wait_for_close();
  });
  const auto client = streaming_client(server);
  EXPECT_THROW(client->stream({}, [](std::string_view) -> bool { throw std::logic_error("x"); },
                              kForEver, {}),
               std::logic_error);
  EXPECT_TRUE(eventually([&] { return server.open() == 0; }));
}

TEST(HttpStream, ShowsTheHeadBeforeAnyChunk) {
  std::latch shown(1);
  const ScriptedServer server([&](Peer& peer, int) {
    peer.read_request();
    peer.write("HTTP/1.1 200 OK\r\nX-A: 1\r\nTransfer-Encoding: chunked\r\n\r\n");
    shown.wait();
    peer.write(chunk("abc") + "0\r\n\r\n");
    peer.wait_for_close();
  });
  HttpRequest request;
  std::string order;
  request.on_head = [&](const HttpResponse& head) {
    EXPECT_EQ(head.status, 200);
    EXPECT_EQ(head.header("x-a"), "1");
    order += "head ";
    shown.count_down();
  };
  streaming_client(server)->stream(request,
                                   [&](std::string_view bytes) {
                                     order += bytes;
                                     return true;
                                   },
                                   kForEver, {});
  EXPECT_EQ(order, "head abc");
}

TEST(HttpStream, ShowsNoHeadOfARefusalAndPassesOnWhatTheCallbackThrows) {
  const ScriptedServer server([](Peer& peer, int connection) {
    peer.read_request();
    peer.answer("x", connection == 0 ? "404 Not Found" : "200 OK");
    peer.wait_for_close();
  });
  const auto client = streaming_client(server);
  HttpRequest request;
  request.on_head = [](const HttpResponse&) { throw std::logic_error("x"); };
  Collected collected;
  EXPECT_EQ(client->stream(request, std::ref(collected), kForEver, {}).status, 404);
  EXPECT_THROW(client->stream(request, std::ref(collected), kForEver, {}), std::logic_error);
  EXPECT_EQ(collected.bytes, "");
}

TEST(HttpStream, EndsQuietlyWhenItIsIdle) {
  const ScriptedServer server([](Peer& peer, int) {
    peer.read_request();
    peer.write(std::string(kChunkedHead) + chunk("abc"));
    peer.wait_for_close();
  });
  Collected collected;
  // As long as its beginning may take on a busy machine.
  const HttpResponse response =
      streaming_client(server)->stream({}, std::ref(collected), milliseconds{2'000}, {});
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(collected.bytes, "abc");
}

TEST(HttpStream, SaysThatNoAnswerCame) {
  const ScriptedServer server([](Peer& peer, int) { peer.wait_for_close(); });
  const auto client = streaming_client(server);
  Collected collected;
  EXPECT_EQ(failure_of([&] { client->stream({}, std::ref(collected), milliseconds{50}, {}); }),
            ErrorKind::unavailable);
}

TEST(HttpStream, StopsWhileItIsSilent) {
  for (const char* const head : {kChunkedHead, "HTTP/1.1 200 OK\r\n\r\n", ""}) {
    std::latch asked(1);
    const ScriptedServer server([&](Peer& peer, int) {
      peer.read_request();
      peer.write(head);
      asked.count_down();
      peer.wait_for_close();
    });
    const auto client = streaming_client(server);
    std::jthread reader([&](const std::stop_token& stop) {
      Collected collected;
      const HttpResponse response = client->stream({}, std::ref(collected), kForEver, stop);
      EXPECT_TRUE(response.status == 200 || response.status == 0);
      EXPECT_EQ(collected.bytes, "");
    });
    asked.wait();
    reader.request_stop();
    reader.join();
    EXPECT_TRUE(eventually([&] { return server.open() == 0; }));
  }
}

TEST(HttpStream, StopsAtAnyMoment) {
  const ScriptedServer server([](Peer& peer, int) {
    peer.read_request();
    peer.write(kChunkedHead);
    peer.wait_for_close();
  });
  const auto client = streaming_client(server);
  // Some come before the connection, some while it is made, some after it.
  for (int i = 0; i < 200; ++i) {
    std::jthread reader([&](const std::stop_token& stop) {
      Collected collected;
      client->stream({}, std::ref(collected), kForEver, stop);
    });
    if (i % 2 == 1) std::this_thread::sleep_for(std::chrono::microseconds(10 * i));
    reader.request_stop();
  }
  EXPECT_TRUE(eventually([&] { return server.open() == 0; }));
}

TEST(HttpStream, AsksNothingIfItIsStoppedAlready) {
  const ScriptedServer server([](Peer& peer, int) { peer.wait_for_close(); });
  std::stop_source stop;
  stop.request_stop();
  Collected collected;
  const HttpResponse response =
      streaming_client(server)->stream({}, std::ref(collected), kForEver, stop.get_token());
  EXPECT_EQ(response.status, 0);
  EXPECT_EQ(server.connections(), 0);
}

TEST(HttpStream, StopsWhileItConnects) {
  HttpEndpoint endpoint;
  endpoint.url = "http://192.0.2.1:9";  // RFC 5737: nobody is there
  endpoint.connect_timeout = std::chrono::hours{1};
  const auto client = make_http_client(endpoint);
  std::atomic<bool> ended{false};
  std::jthread reader([&](const std::stop_token& stop) {
    Collected collected;
    try {
      client->stream({}, std::ref(collected), kForEver, stop);
    } catch (const Error& e) {
      // A host without a route says so at once.
      EXPECT_EQ(e.kind(), ErrorKind::unavailable);
    }
    ended = true;
  });
  reader.request_stop();
  EXPECT_TRUE(eventually([&] { return ended.load(); }));
}

TEST(HttpStream, SaysWhyItCannotConnect) {
  HttpEndpoint endpoint;
  endpoint.url = "unix:///nonexistent/s.sock";
  const auto client = make_http_client(endpoint);
  Collected collected;
  try {
    client->stream({}, std::ref(collected), kForEver, {});
    ADD_FAILURE() << "no error";
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::unavailable);
    EXPECT_THAT(e.message(), HasSubstr("unix:///nonexistent/s.sock': no such socket"));
  }
}

}  // namespace
}  // namespace resmgr
