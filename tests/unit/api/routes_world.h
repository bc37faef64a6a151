// The whole API before a task service with a fake engine, and people who call it.
#ifndef RESMGR_TESTS_UNIT_API_ROUTES_WORLD_H_
#define RESMGR_TESTS_UNIT_API_ROUTES_WORLD_H_

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "agent/api/server.h"
#include "tests/support/eventually.h"
#include "tests/support/tokens.h"
#include "tests/unit/api/raw_client.h"
#include "tests/unit/tasks/world.h"

namespace resmgr::api {

// Tokens are checked by the real clock, tasks live by the fake one.
class RoutesTest : public testing::Test {
 protected:
  void SetUp() override {
    world_.boot();
    identity::AuthOptions auth;
    auth.hmac_key_file = world_.temp.write("hmac.key", support::kTestKey);
    authenticator_.emplace(auth, clock_, world_.options.agent_id);
    start_server();
  }
  void start_server(ServerOptions options = {}) {
    options.listen = {"127.0.0.1:0"};
    options.socket_path = world_.temp.path() / "agent.sock";
    server_.emplace(options, Parts{world_.journal, *world_.service, *authenticator_, clock_,
                                   world_.options.agent_id, "here", checks_, sinks_, users_,
                                   &metrics_, world_.options.secret_key});
    server_->start();
    address_ = server_->listening().front();
    socket_ = options.socket_path;
  }
  void TearDown() override {
    server_.reset();
    world_.shut_down();
  }

  static std::string bearer(const std::string& token) {
    return "Authorization: Bearer " + token + "\r\n";
  }
  static std::string alice() { return bearer(support::user_token(support::kAlice)); }
  static std::string bob() { return bearer(support::user_token(support::kBob)); }
  static std::string admin() { return bearer(support::admin_token()); }

  RawAnswer ask(const std::string& request) const { return RawClient(address_).ask(request); }
  RawAnswer ask_get(const std::string& target, const std::string& headers = alice()) const {
    return ask(get(target, headers));
  }
  RawAnswer ask_post(const Json& body, const std::string& headers = alice()) const {
    return ask(post("/api/tasks", dump_json(body), headers));
  }
  RawAnswer ask_delete(const std::string& id, const std::string& headers = alice()) const {
    return ask("DELETE /api/tasks/" + id + " HTTP/1.1\r\nHost: a\r\n" + headers + "\r\n");
  }
  std::string started(const std::string& headers = alice()) const {
    const RawAnswer answer = ask_post({{"serviceType", "web"}}, headers);
    EXPECT_EQ(answer.status, 201) << answer.body;
    return string_or(answer.json(), "taskId");
  }

  tasks::World world_;
  SystemClock clock_;
  std::function<Json()> checks_;
  sinks::Pumps* sinks_ = nullptr;
  identity::UserDirectory* users_ = nullptr;
  Metrics metrics_;
  std::optional<identity::Authenticator> authenticator_;
  std::optional<Server> server_;
  std::string address_;
  std::string socket_;
};

}  // namespace resmgr::api

#endif  // RESMGR_TESTS_UNIT_API_ROUTES_WORLD_H_
