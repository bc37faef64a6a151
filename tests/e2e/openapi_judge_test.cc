// Further agents with Prism before them: such as can't start anything, and one of which the
// description tells lies.
#include "tests/e2e/described_calls.h"
#include "tests/e2e/fixture.h"
#include "tests/support/temp_dir.h"

namespace resmgr::e2e {
namespace {

using support::Answer;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

constexpr char kNowhere[] = R"(
name = "nowhere"
title = "An image that is nowhere"
image = "resmgr-tests/absent:none"
container_port = 80
pull = "never"
)";

class OpenApiJudgeTest : public ::testing::Test {
 protected:
  void start_agent(const std::string& config) {
    support::AgentOptions options;
    options.config = support::kAuthWithTestKey + config;
    options.services = {{"nowhere.toml", kNowhere}};
    agent_ = std::make_unique<support::AgentProcess>(options);
    description_ = support::RestClient(agent_->url()).get("/openapi.json").json;
    prism_ = std::make_unique<support::Prism>(support::kDescription, agent_->url());
    calls_ = std::make_unique<DescribedCalls>(prism_->url(), description_);
  }
  std::unique_ptr<support::AgentProcess> agent_;
  Json description_;
  std::unique_ptr<support::Prism> prism_;
  std::unique_ptr<DescribedCalls> calls_;
  const std::string alice_ = support::user_token(support::kAlice);
};

TEST_F(OpenApiJudgeTest, ProblemsWithoutAnEngineAreAsDescribed) {
  start_agent("[engine]\nsocket = \"unix://{dir}/no.sock\"\n");
  calls_->post(alice_, wire::kTasks, {{"serviceType", "hello"}}, 503);
  calls_->get("", "/healthz");
  calls_->get("", "/readyz", 503);
  for (const std::string target : {"/api/tasks", "/api/services", "/api/usage"}) {
    calls_->get(alice_, target);
  }
  calls_->get(support::admin_token(), wire::kHost);
  calls_->get(support::admin_token(), "/metrics");
  calls_->post(support::admin_token(), std::string(wire::kReconcile) + "?dryRun=1", nullptr, 200);
}

TEST_F(OpenApiJudgeTest, ProblemsOfStartsAreAsDescribed) {
  start_agent("[limits]\nstarts_per_user_per_minute = 1\n");
  calls_->post(alice_, wire::kTasks, {{"serviceType", "nowhere"}}, 502);
  const Answer again = calls_->post(alice_, wire::kTasks, {{"serviceType", "nowhere"}}, 429);
  EXPECT_NE(again.response.header("Retry-After"), "");
  calls_->get(alice_, "/api/tasks?status=Error");
}

// The description with a member under another name, one of another type, and a route taken away.
Json falsified(Json description) {
  Json& schemas = description.at("components").at("schemas");
  for (Json& name : schemas.at("Service").at("required")) {
    if (name == "containerPort") name = "port";
  }
  schemas.at("Problem").at("properties").at("status") = {{"type", "string"}};
  description.at("paths").erase("/api/usage");
  return description;
}

// Else nobody would know whether Prism looks at all.
TEST_F(OpenApiJudgeTest, AFalseDescriptionIsFoundOut) {
  start_agent("");
  for (const std::string target : {"/api/services", "/api/usage"}) calls_->get(alice_, target);
  calls_->get(alice_, "/api/host", 403);

  const support::TempDir dir;
  const support::Prism prism(dir.write("falsified.json", dump_json(falsified(description_))),
                             agent_->url());
  const support::RestClient alice(prism.url(), alice_);
  const Answer services = alice.get("/api/services");
  EXPECT_EQ(services.status, 200);
  EXPECT_THAT(support::violations_in(services).of_answer.dump(), HasSubstr("'port'"));
  EXPECT_THAT([&] { support::require_described(HttpRequest(), services); },
              ThrowsMessage<std::runtime_error>(HasSubstr("not as the description has it")));
  const Answer refused = alice.get("/api/host");
  EXPECT_EQ(refused.status, 403);
  EXPECT_THAT(support::violations_in(refused).of_answer.dump(), HasSubstr("status"));
  EXPECT_THAT(support::violations_in(alice.get("/api/usage")).of_request.dump(),
              HasSubstr("Selected route not found"));
}

}  // namespace
}  // namespace resmgr::e2e
