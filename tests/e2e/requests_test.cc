// Requests that are wrong, repeated, or come at a bad time.

#include <thread>

#include "tests/e2e/fixture.h"

namespace resmgr::e2e {
namespace {

using support::Answer;
using ::testing::HasSubstr;

class RequestsTest : public WithAgent {};

TEST_F(RequestsTest, UnknownServiceIsNamedByPointer) {
  const Answer answer = alice().start("nothing-of-that-name");
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.response.header("Content-Type"), "application/problem+json");
  ASSERT_EQ(array_at(answer.json, "errors").size(), 1u) << answer.response.body;
  EXPECT_EQ(string_or(answer.json["errors"][0], "pointer"), "/serviceType");
  EXPECT_EQ(integer_or(answer.json, "status", 0), 400);
  EXPECT_NE(answer.response.header("X-Request-Id"), "");
}

TEST_F(RequestsTest, AllFaultsOfABodyAreReportedTogether) {
  const Answer answer = alice().post(
      wire::kTasks, {{"serviceType", 5}, {"userId", "no uuid"}, {"image", "evil:latest"}});
  EXPECT_EQ(answer.status, 400);
  std::vector<std::string> pointers;
  for (const auto& error : array_at(answer.json, "errors")) {
    pointers.push_back(string_or(error, "pointer"));
  }
  EXPECT_THAT(pointers, ::testing::UnorderedElementsAre("/serviceType", "/userId", "/image"));
}

TEST_F(RequestsTest, WrongRequestsGetTheirStatus) {
  EXPECT_EQ(alice().get("/api/tasks/not-a-uuid").status, 404);
  EXPECT_EQ(alice().get("/api/nothing").status, 404);
  EXPECT_EQ(alice().get("/api/tasks?limit=0").status, 400);
  EXPECT_EQ(alice().get("/api/tasks?status=Sleeping").status, 400);
  const Answer wrong_method = alice().post(wire::kServices, Json::object());
  EXPECT_EQ(wrong_method.status, 405);
  EXPECT_THAT(std::string(wrong_method.response.header("Allow")), HasSubstr("GET"));

  HttpRequest text;
  text.method = "POST";
  text.target = wire::kTasks;
  text.body = "serviceType=hello";
  text.content_type = "application/x-www-form-urlencoded";
  EXPECT_EQ(alice().send(text).status, 415);
  text.content_type = "application/json";
  EXPECT_EQ(alice().send(text).status, 400);
  text.body = R"({"serviceType":"hello","serviceType":"hello"})";
  EXPECT_EQ(alice().send(text).status, 400);
  text.body = R"({"serviceType":")" + std::string(70'000, 'x') + R"("})";
  EXPECT_EQ(alice().send(text).status, 413);
}

// Hazard 15.
TEST_F(RequestsTest, KeyGivesTheFirstResultAgain) {
  const HttpHeaders key = {{"Idempotency-Key", "a-button-pressed-twice"}};
  const Answer first = alice().start("hello", key);
  ASSERT_EQ(first.status, 201);
  const Answer again = alice().start("hello", key);
  EXPECT_EQ(again.status, 201);
  EXPECT_EQ(again.text("taskId"), first.text("taskId"));

  agent().kill9();
  agent().start();
  const Answer after_a_crash = alice().start("hello", key);
  EXPECT_EQ(after_a_crash.status, 201) << after_a_crash.response.body;
  EXPECT_EQ(after_a_crash.text("taskId"), first.text("taskId"));
  EXPECT_EQ(support::containers_of(agent().agent_id()).size(), 1u);

  // Another body is another request; another caller's key is another key.
  EXPECT_EQ(alice().start("slow", key).status, 422);
  const Answer of_bob = bob().start("hello", key);
  EXPECT_EQ(of_bob.status, 201);
  EXPECT_NE(of_bob.text("taskId"), first.text("taskId"));
}

// Hazard 15.
TEST_F(RequestsTest, KeyInFlightJoinsTheWait) {
  const HttpHeaders key = {{"Idempotency-Key", "an-impatient-client"}};
  std::vector<std::string> ids(4);
  {
    std::vector<std::jthread> clients;
    for (auto& id : ids) {
      clients.emplace_back([&id, &key, this] { id = alice().start("hello", key).text("taskId"); });
    }
  }
  EXPECT_NE(ids[0], "");
  for (const auto& id : ids) EXPECT_EQ(id, ids[0]);
  EXPECT_EQ(support::containers_of(agent().agent_id()).size(), 1u);
}

// Hazard 13.
TEST_F(RequestsTest, StartGoesOnWithoutItsCaller) {
  // The client's connection is cut right after the request was sent.
  HttpRequest request;
  request.method = "POST";
  request.target = wire::kTasks;
  request.headers = {{"Authorization", "Bearer " + support::user_token(support::kAlice)}};
  request.body = R"({"serviceType":"hello"})";
  request.content_type = "application/json";
  HttpEndpoint endpoint;
  endpoint.url = agent().url();
  endpoint.read_timeout = std::chrono::milliseconds(20);
  EXPECT_THROW(make_http_client(endpoint)->send(request), Error);
  EXPECT_TRUE(support::eventually(
      [&] { return alice().get("/api/tasks?status=Running").json.size() == 1; }));
}

TEST(EngineAwayTest, SaysSoAtOnce) {
  support::AgentOptions options;
  options.config =
      std::string(support::kAuthWithTestKey) + "[engine]\nsocket = \"unix://{dir}/no.sock\"\n";
  const support::AgentProcess agent(options);
  const auto alice = agent.as(support::user_token(support::kAlice));
  const Answer start = alice.start("hello");
  EXPECT_EQ(start.status, 503) << start.response.body;
  EXPECT_NE(start.response.header("Retry-After"), "");
  EXPECT_EQ(start.response.header("Content-Type"), "application/problem+json");
  EXPECT_EQ(alice.get("/api/tasks").json, Json::array());
  EXPECT_EQ(alice.get("/healthz").status, 200);
  EXPECT_EQ(alice.get("/readyz").status, 503);
  EXPECT_EQ(agent.cli({"start", "hello"}).code, 1);
}

TEST(EngineAwayTest, StopIsRecordedAndDoneLater) {
  support::ensure_hello_image();
  // The agent reaches the engine through a link that the test takes away.
  support::TempDir dir;
  const auto link = dir.path() / "docker.sock";
  std::filesystem::create_symlink("/var/run/docker.sock", link);
  support::AgentOptions options;
  options.config = std::string(support::kAuthWithTestKey) + "[engine]\nsocket = \"unix://" +
                   link.string() + "\"\n";
  support::AgentProcess agent(options);
  const auto alice = agent.as(support::user_token(support::kAlice));
  const Answer started = alice.start("hello");
  ASSERT_EQ(started.status, 201) << started.response.body;
  const std::string path = wire::task_path(started.text("taskId"));

  agent.kill9();
  std::filesystem::remove(link);
  agent.start();
  const auto later = agent.as(support::user_token(support::kAlice));
  EXPECT_EQ(later.get(path).text("status"), "Running");  // unknown is never gone
  EXPECT_EQ(later.del(path).status, 503);
  EXPECT_EQ(later.del(path).status, 503);

  std::filesystem::create_symlink("/var/run/docker.sock", link);
  EXPECT_TRUE(support::eventually([&] { return later.get(path).text("status") == "Stopped"; }));
  EXPECT_TRUE(
      support::eventually([&] { return !support::container_exists(started.text("containerId")); }));
}

TEST(RequestsWithoutImageTest, EngineIsQuoted) {
  support::AgentOptions options;
  options.config = support::kAuthWithTestKey;
  options.services = {{"absent.toml", R"(
name = "absent"
title = "An image that is nowhere"
image = "resmgr-tests/absent:none"
container_port = 80
pull = "never"
)"}};
  const support::AgentProcess agent(options);
  const Answer answer = agent.as(support::user_token(support::kAlice)).start("absent");
  EXPECT_GE(answer.status, 500) << answer.response.body;
  EXPECT_THAT(answer.text("detail"), HasSubstr("resmgr-tests/absent:none"));
}

}  // namespace
}  // namespace resmgr::e2e
