// Hazard 11: where tasks reach what the host listens on, the agent does not talk to them.
#include <gtest/gtest.h>

#include "agent/api/http_server.h"
#include "tests/unit/api/raw_client.h"
#include "tests/unit/api/scripted_application.h"

namespace resmgr::api {
namespace {

int status_seen_behind(const std::string& refused_interface) {
  ScriptedApplication app;
  ServerOptions options = free_port();
  options.refused_interface = refused_interface;
  HttpServer server(options, app);
  server.start();
  return RawClient(server.listening().front()).ask(get("/good")).status;
}

TEST(RefusedInterface, GetsNoAnswer) { EXPECT_EQ(status_seen_behind("lo"), 0); }

TEST(RefusedInterface, ThatIsNotThereRefusesNobody) {
  EXPECT_EQ(status_seen_behind("rm-not-there"), 200);
  EXPECT_EQ(status_seen_behind(""), 200);
}

}  // namespace
}  // namespace resmgr::api
