// An agent with Prism before it, and the calls that concern tasks.
#ifndef RESMGR_TESTS_E2E_OPENAPI_FIXTURE_H_
#define RESMGR_TESTS_E2E_OPENAPI_FIXTURE_H_

#include <iostream>
#include <memory>
#include <string>

#include "tests/contract/seq_server.h"
#include "tests/e2e/described_calls.h"
#include "tests/e2e/fixture.h"
#include "tests/support/chain.h"
#include "tests/support/node_script.h"

namespace resmgr::e2e {

inline constexpr auto kWrong = DescribedCalls::Fault::of_request;
inline constexpr auto kRight = DescribedCalls::Fault::none;

inline constexpr char kNoTask[] = "/api/tasks/01900000-0000-7000-8000-000000000000";

// It may be extended.
inline constexpr char kLimited[] = R"(
name = "limited"
title = "Stopped once idle, and at an age"
image = "resmgr/hello:latest"
container_port = 8080
probe = { http = "/", interval = "50ms" }
start_timeout = "60s"
stop_timeout = "1s"
[idle]
timeout = "1h"
[lifetime]
max = "8h"
)";

// An agent with everything that answers can tell of: limits, and destinations, one of which takes
// no task for ready.
class WithJudgedAgent : public ::testing::Test {
 protected:
  WithJudgedAgent() {
    support::ensure_hello_image();
    seq_.refuse([](const Json& event) { return string_or(event, "EventType") == "task.ready"; });
    support::AgentOptions options;
    options.config = support::kAuthWithTestKey +
                     std::string("[limits]\ntasks_per_user_and_service = 1\n") + "[seq]\nurl = \"" +
                     seq_.url() + "\"\n[blockchain]\nurl = \"" + blockchain_.url() +
                     "/api/metrics\"\n[gateway]\nbase = \"https://tasks.example.org\"\n";
    options.services = {
        {"never-ready.toml", kNeverReady}, {"slow.toml", kSlow}, {"limited.toml", kLimited}};
    agent_ = std::make_unique<support::AgentProcess>(options);
    prism_ = std::make_unique<support::Prism>(support::kDescription, agent_->url());
    calls_ = std::make_unique<DescribedCalls>(
        prism_->url(), support::RestClient(agent_->url()).get("/openapi.json").json);
  }
  void TearDown() override {
    if (HasFailure()) std::cerr << "the agent's log:\n" << agent_->log() << '\n';
  }

  // openapi_tasks.cc
  void start_tasks();
  void start_wrongly();
  void list_tasks();
  void look_at_tasks();
  void extend_tasks();
  void stop_tasks();

  // Of a task that Alice starts, and that runs.
  std::string start(const std::string& service) {
    const support::Answer started =
        calls_->post(alice_, wire::kTasks, {{"serviceType", service}}, 201);
    return wire::task_path(started.text("taskId"));
  }

  support::Chain chain_;
  support::NodeScript blockchain_{"blockchain_service.mjs", {chain_.url()}};
  support::SeqServer seq_;
  std::unique_ptr<support::AgentProcess> agent_;
  std::unique_ptr<support::Prism> prism_;
  std::unique_ptr<DescribedCalls> calls_;
  const std::string alice_ = support::user_token(support::kAlice);
  const std::string bob_ = support::user_token(support::kBob);
  const std::string admin_ = support::admin_token();
  std::string hello_;    // a running task of Alice's, its path
  std::string limited_;  // another
};

}  // namespace resmgr::e2e

#endif  // RESMGR_TESTS_E2E_OPENAPI_FIXTURE_H_
