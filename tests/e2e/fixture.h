// One agent for the tests of a suite, with keys, and callers of every kind.
#ifndef RESMGR_TESTS_E2E_FIXTURE_H_
#define RESMGR_TESTS_E2E_FIXTURE_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>

#include "common/clock.h"
#include "common/wire.h"
#include "tests/support/agent_process.h"
#include "tests/support/docker_cli.h"
#include "tests/support/eventually.h"
#include "tests/support/tokens.h"

namespace resmgr::e2e {

// Never gets ready: its probe asks for a page that isn't there.
inline constexpr char kNeverReady[] = R"(
name = "never-ready"
title = "Never ready"
image = "resmgr/hello:latest"
container_port = 8080
probe = { http = "/nothing-here", interval = "50ms" }
start_timeout = "2s"
stop_timeout = "1s"
)";

// As above, but it is waited for until somebody loses patience.
inline constexpr char kSlow[] = R"(
name = "slow"
title = "Slow to get ready"
image = "resmgr/hello:latest"
container_port = 8080
probe = { http = "/nothing-here", interval = "50ms" }
start_timeout = "10m"
stop_timeout = "1s"
)";

class WithAgent : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    support::ensure_hello_image();
    support::AgentOptions options;
    options.config = support::kAuthWithTestKey;
    options.services = {{"never-ready.toml", kNeverReady}, {"slow.toml", kSlow}};
    agent_ = std::make_unique<support::AgentProcess>(options);
  }
  static void TearDownTestSuite() { agent_.reset(); }

  static support::AgentProcess& agent() { return *agent_; }

  support::RestClient alice() const { return agent().as(support::user_token(support::kAlice)); }
  support::RestClient bob() const { return agent().as(support::user_token(support::kBob)); }
  support::RestClient admin() const { return agent().as(support::admin_token()); }

  void TearDown() override {
    if (HasFailure()) std::cerr << "the agent's log:\n" << agent().log() << '\n';
    // The next test finds no task running.
    for (const auto& task : admin().get("/api/tasks?status=Running,Starting").json) {
      admin().del(wire::task_path(string_or(task, "taskId")));
    }
  }

 private:
  inline static std::unique_ptr<support::AgentProcess> agent_;
};

// When that agent's journal says that it last saw its containers alive; 1970 if it does not say.
inline Instant heartbeat_of(const support::AgentProcess& agent) {
  const auto told =
      support::run({"python3", "-c",
                    "import sqlite3, sys\n"
                    "db = sqlite3.connect('file:' + sys.argv[1] + '?mode=ro', uri=True)\n"
                    "print(db.execute('SELECT time FROM heartbeat').fetchone()[0])",
                    agent.dir() / "data" / "journal.db"});
  return told.code == 0 ? instant_from_millis(std::stoll(told.out)) : Instant{};
}

// Waits until it says so of a time after that.
inline bool await_heartbeat_after(const support::AgentProcess& agent, Instant time) {
  return support::eventually([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    return heartbeat_of(agent) > time;
  });
}

// GET of a page as a browser does it.
inline HttpResponse fetch(const std::string& url) {
  const auto path = url.find('/', url.find("//") + 2);
  HttpEndpoint endpoint;
  endpoint.url = url.substr(0, path);
  HttpRequest request;
  request.target = path == std::string::npos ? "/" : url.substr(path);
  return make_http_client(endpoint)->send(request);
}

}  // namespace resmgr::e2e

#endif  // RESMGR_TESTS_E2E_FIXTURE_H_
