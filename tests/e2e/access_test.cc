// Who may see and do what.

#include "tests/e2e/fixture.h"

namespace resmgr::e2e {
namespace {

using support::Answer;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class AccessTest : public WithAgent {};

TEST_F(AccessTest, AnotherUserFindsNothing) {
  const std::string id = alice().start("hello").text("taskId");
  const std::string path = wire::task_path(id);
  EXPECT_EQ(bob().get(path).status, 404);
  EXPECT_EQ(bob().get(path + "/logs").status, 404);
  EXPECT_EQ(bob().del(path).status, 404);
  EXPECT_EQ(bob().get("/api/tasks").json, Json::array());
  EXPECT_EQ(bob().get("/api/tasks?userId=" + std::string(support::kAlice)).status, 403);
  // A task that isn't there looks the same.
  EXPECT_EQ(bob().get(wire::task_path("01900000-0000-7000-8000-000000000000")).status, 404);
  EXPECT_EQ(alice().get(path).text("status"), "Running");
}

TEST_F(AccessTest, NobodyStartsForAnother) {
  const Json body = {{"serviceType", "hello"}, {"userId", support::kAlice}};
  EXPECT_EQ(bob().post(wire::kTasks, body).status, 403);
  const Answer own = alice().post(wire::kTasks, body);
  EXPECT_EQ(own.status, 201) << own.response.body;
}

TEST_F(AccessTest, AdminSeesAndStopsWhatIsNotHis) {
  const Answer started =
      admin().post(wire::kTasks, {{"serviceType", "hello"}, {"userId", support::kAlice}});
  ASSERT_EQ(started.status, 201) << started.response.body;
  EXPECT_EQ(started.text("userId"), support::kAlice);
  const std::string path = wire::task_path(started.text("taskId"));
  EXPECT_EQ(alice().get(path).status, 200);
  EXPECT_EQ(admin().get(path).status, 200);
  const std::string of_alice = "/api/tasks?status=Running&userId=" + std::string(support::kAlice);
  EXPECT_EQ(admin().get(of_alice).json.size(), 1u);
  EXPECT_EQ(admin().del(path).status, 200);
  EXPECT_EQ(alice().get(path).text("status"), "Stopped");
}

// Refused with 401, a problem, and these words in WWW-Authenticate.
void expect_refused(const support::RestClient& client, const std::string& reason) {
  const Answer answer = client.get("/api/tasks");
  EXPECT_EQ(answer.status, 401) << answer.response.body;
  EXPECT_EQ(answer.response.header("Content-Type"), "application/problem+json");
  EXPECT_THAT(std::string(answer.response.header("WWW-Authenticate")),
              AllOf(StartsWith("Bearer"), HasSubstr(reason)));
  EXPECT_THAT(answer.text("type"), StartsWith("urn:resmgr:problem:"));
}

TEST_F(AccessTest, EveryRefusalSaysWhy) {
  expect_refused(agent().as(""), "there is no token");
  expect_refused(agent().as(support::sign_hs256(
                     support::claims_of(support::kAlice, std::chrono::minutes(-5)))),
                 "expired");
  expect_refused(agent().as(support::sign_hs256(support::claims_of(support::kAlice),
                                                "another key, which is 32 bytes or longer")),
                 "signature");
  expect_refused(agent().as("not.a.token"), "error=");
  Json claims = support::claims_of(support::kAlice);
  claims.erase("exp");
  expect_refused(agent().as(support::sign_hs256(claims)), "exp");
  claims = support::claims_of(support::kAlice);
  claims["sub"] = "alice";
  expect_refused(agent().as(support::sign_hs256(claims)), "UUID");
}

TEST_F(AccessTest, UnsignedTokenIsRefused) {
  // {"alg":"none"} and alice's claims, without a signature.
  const std::string signed_token = support::user_token(support::kAlice);
  const auto payload = signed_token.substr(signed_token.find('.'),
                                           signed_token.rfind('.') - signed_token.find('.') + 1);
  expect_refused(agent().as("eyJhbGciOiJub25lIn0" + payload), "error=");
}

TEST(AccessWithAudienceTest, WrongAudienceAndIssuerAreRefused) {
  support::AgentOptions options;
  options.config = std::string(support::kAuthWithTestKey) +
                   "audience = \"resmgr\"\nissuer = \"https://id.example.org\"\n";
  const support::AgentProcess agent(options);
  Json claims = support::claims_of(support::kAlice);
  claims["aud"] = "resmgr";
  claims["iss"] = "https://id.example.org";
  EXPECT_EQ(agent.as(support::sign_hs256(claims)).get("/api/tasks").status, 200);
  claims["aud"] = Json::array({"other", "resmgr"});
  EXPECT_EQ(agent.as(support::sign_hs256(claims)).get("/api/tasks").status, 200);
  claims["aud"] = "other";
  expect_refused(agent.as(support::sign_hs256(claims)), "audience");
  claims.erase("aud");
  expect_refused(agent.as(support::sign_hs256(claims)), "audience");
  claims["aud"] = "resmgr";
  claims["iss"] = "https://elsewhere.example.org";
  expect_refused(agent.as(support::sign_hs256(claims)), "issuer");
}

TEST(AccessWithoutKeyTest, OnlyTheSocketIsOpen) {
  const support::AgentProcess agent;
  const Answer refused = agent.as("").get("/api/tasks");
  EXPECT_EQ(refused.status, 401);
  EXPECT_THAT(refused.response.body, HasSubstr("[auth]"));
  EXPECT_EQ(agent.as(support::admin_token()).get("/api/tasks").status, 401);
  EXPECT_EQ(agent.as("").get("/healthz").status, 200);
  EXPECT_EQ(agent.as("").get("/readyz").status, 200);
  EXPECT_EQ(agent.over_socket().get("/api/tasks").status, 200);
}

TEST_F(AccessTest, SocketPeerIsAnAdmin) {
  const std::string path = wire::task_path(alice().start("hello").text("taskId"));
  const auto operator_here = agent().over_socket();
  EXPECT_EQ(operator_here.get(path).status, 200);
  EXPECT_EQ(operator_here.get(wire::kHost).status, 200);
  // A token in the request is what counts, and a proxy must not bring others in.
  EXPECT_EQ(support::RestClient(agent().socket_url(), support::user_token(support::kBob))
                .get(path)
                .status,
            404);
  EXPECT_NE(operator_here.get(path, {{"X-Forwarded-For", "192.0.2.1"}}).status, 200);
  EXPECT_NE(operator_here.get(path, {{"Forwarded", "for=192.0.2.1"}}).status, 200);
}

TEST_F(AccessTest, CatalogKeepsItsInsidesFromUsers) {
  const Answer for_user = alice().get(wire::kServices);
  ASSERT_EQ(for_user.status, 200);
  ASSERT_TRUE(for_user.json.is_array());
  bool hello = false;
  for (const auto& service : for_user.json) {
    hello = hello || string_or(service, "name") == "hello";
    EXPECT_FALSE(service.contains("image"));
    EXPECT_FALSE(service.contains("env"));
    EXPECT_GT(integer_or(service, "containerPort", 0), 0);
  }
  EXPECT_TRUE(hello);
  for (const auto& service : admin().get(wire::kServices).json) {
    EXPECT_NE(string_or(service, "image"), "") << service;
  }
}

TEST_F(AccessTest, EventsAreTheCallersOwn) {
  ASSERT_EQ(alice().start("hello").status, 201);
  const auto lines_of = [](const support::RestClient& client) {
    const Answer answer = client.get("/api/events?since=0");
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.response.header("Content-Type"), "application/x-ndjson");
    std::vector<Json> events;
    std::istringstream in(answer.response.body);
    for (std::string line; std::getline(in, line);) events.push_back(Json::parse(line));
    return events;
  };
  const auto of_alice = lines_of(alice());
  EXPECT_FALSE(of_alice.empty());
  std::int64_t last = 0;
  for (const auto& event : of_alice) {
    EXPECT_GT(integer_or(event, "seq", 0), last);
    last = integer_or(event, "seq", 0);
    EXPECT_EQ(string_or(object_at(event, "task"), "userId"), support::kAlice) << event;
  }
  for (const auto& event : lines_of(bob())) {
    EXPECT_EQ(string_or(object_at(event, "task"), "userId"), support::kBob) << event;
  }
  EXPECT_GT(lines_of(admin()).size(), of_alice.size());
}

}  // namespace
}  // namespace resmgr::e2e
