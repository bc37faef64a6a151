// Whether the server's threads turn: what a service manager is told depends on it.
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <memory>
#include <optional>

#include "agent/api/http_server.h"
#include "tests/unit/api/raw_client.h"
#include "tests/unit/api/scripted_application.h"

namespace resmgr::api {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(WatchedServer, TurnsUnlessOneOfItsThreadsIsStuck) {
  std::promise<void> stuck;
  std::promise<void> release;
  ScriptedApplication app;
  app.on_handle = [&](const std::shared_ptr<Exchange>& exchange) -> std::optional<Response> {
    stuck.set_value();
    release.get_future().wait();
    return ScriptedApplication::echo(exchange->request);
  };
  ServerOptions options = free_port();
  options.io_threads = 3;
  HttpServer server(options, app);
  server.start();
  EXPECT_TRUE(server.turns(seconds(60)));

  RawClient client(server.listening().front());
  client.send(get("/stuck"));
  stuck.get_future().wait();
  EXPECT_FALSE(server.turns(milliseconds(50)));
  release.set_value();
  EXPECT_EQ(client.read().status, 200);
  EXPECT_TRUE(server.turns(seconds(60)));
}

// Nor may a flood of strangers have the agent restarted.
TEST(WatchedServer, TurnsThoughItHasAsManyConnectionsAsItMay) {
  ScriptedApplication app;
  ServerOptions options = free_port();
  options.max_connections = 1;
  HttpServer server(options, app);
  server.start();
  RawClient client(server.listening().front());
  client.send("GET /half-a-head");
  EXPECT_TRUE(server.turns(seconds(60)));
}

}  // namespace
}  // namespace resmgr::api
