// Tokens of a real OpenID provider, whose keys change while the agent runs.
#include <csignal>

#include "common/crypto.h"
#include "tests/e2e/fixture.h"
#include "tests/support/node_script.h"

namespace resmgr::e2e {
namespace {

using support::Answer;
using ::testing::HasSubstr;

constexpr const char* kAlgorithms[] = {"RS256", "ES256", "EdDSA"};

class OidcTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { support::ensure_hello_image(); }

  OidcTest() {
    provider_ = make_provider("0", "first");
    issuer_ = provider_->url();
    support::AgentOptions options;
    options.config = "[auth]\njwks_url = \"" + issuer_ + "/jwks\"\nissuer = \"" + issuer_ +
                     "\"\naudience = \"resmgr\"\n";
    agent_ = std::make_unique<support::AgentProcess>(options);
  }
  void TearDown() override {
    if (HasFailure()) std::cerr << "the agent's log:\n" << agent_->log() << '\n';
  }

  static std::unique_ptr<support::NodeScript> make_provider(const std::string& port,
                                                            const std::string& generation) {
    return std::make_unique<support::NodeScript>(
        "oidc.mjs", std::vector<std::string>{port, generation, support::kAlice, support::kRoot});
  }
  // The same provider with new keys.
  void rotate(const std::string& generation) {
    provider_.reset();
    provider_ = make_provider(issuer_.substr(issuer_.rfind(':') + 1), generation);
  }

  static std::string token_from(const std::string& provider, const std::string& algorithm,
                                const std::string& client = support::kAlice) {
    HttpEndpoint endpoint;
    endpoint.url = provider;
    HttpRequest request;
    request.method = "POST";
    request.target = "/token";
    request.headers = {{"Authorization", "Basic " + base64_encode(client + ":secret")}};
    request.content_type = "application/x-www-form-urlencoded";
    request.body = "grant_type=client_credentials&resource=urn:resmgr:" + algorithm;
    const HttpResponse response = make_http_client(endpoint)->send(request);
    const Json json = Json::parse(response.body, nullptr, false);
    EXPECT_EQ(response.status, 200) << response.body;
    return json.is_object() ? string_or(json, "access_token") : "";
  }
  std::string token(const std::string& algorithm) const { return token_from(issuer_, algorithm); }
  int status_with(const std::string& token) const {
    return agent_->as(token).get("/api/tasks").status;
  }

  std::unique_ptr<support::NodeScript> provider_;
  std::string issuer_;
  std::unique_ptr<support::AgentProcess> agent_;
};

TEST_F(OidcTest, TokensOfEachKindAreTaken) {
  for (const char* const algorithm : kAlgorithms) {
    const std::string its = token(algorithm);
    EXPECT_EQ(status_with(its), 200) << algorithm;
    EXPECT_EQ(agent_->as(its).get(wire::kHost).status, 403) << algorithm;
    const std::string of_admin = token_from(issuer_, algorithm, support::kRoot);
    EXPECT_EQ(agent_->as(of_admin).get(wire::kHost).status, 200) << algorithm;
  }
  const Answer started = agent_->as(token("ES256")).start("hello");
  ASSERT_EQ(started.status, 201) << started.response.body;
  EXPECT_EQ(started.text("userId"), support::kAlice);
}

TEST_F(OidcTest, ForgedTokensAreRefused) {
  // Another provider, whose keys have the same ids.
  const auto forger = make_provider("0", "first");
  for (const char* const algorithm : kAlgorithms) {
    const std::string good = token(algorithm);
    EXPECT_EQ(status_with(token_from(forger->url(), algorithm)), 401) << algorithm;
    // Somebody else's claims under a good signature.
    const std::string of_admin = token_from(issuer_, algorithm, support::kRoot);
    const auto claims = good.find('.');
    const auto signature = good.rfind('.');
    const auto admin_claims = of_admin.find('.');
    const auto admin_signature = of_admin.rfind('.');
    EXPECT_EQ(status_with(good.substr(0, claims) +
                          of_admin.substr(admin_claims, admin_signature - admin_claims) +
                          good.substr(signature)),
              401)
        << algorithm;
    EXPECT_EQ(status_with(good), 200) << algorithm;
  }
}

// Hazard 24.
TEST_F(OidcTest, KeysChangeWhileTheAgentRuns) {
  std::vector<std::string> old_tokens;
  for (const char* const algorithm : kAlgorithms) {
    old_tokens.push_back(token(algorithm));
    EXPECT_EQ(status_with(old_tokens.back()), 200) << algorithm;
  }
  rotate("second");
  const std::string first = token("RS256");
  // The set is fetched again for an id that is not known, but once a minute at most.
  EXPECT_TRUE(
      support::eventually([&] { return status_with(first) == 200; }, std::chrono::minutes(3)));
  for (const char* const algorithm : kAlgorithms) {
    EXPECT_EQ(status_with(token(algorithm)), 200) << algorithm;
  }
  for (const auto& old : old_tokens) EXPECT_EQ(status_with(old), 401) << old;
}

// Hazard 24.
TEST_F(OidcTest, WithTheProviderAwayAnUnknownKeyIsNobodysFault) {
  const std::string known = token("EdDSA");
  EXPECT_EQ(status_with(known), 200);
  rotate("second");
  const std::string unknown = token("EdDSA");
  provider_.reset();
  ::kill(agent_->pid(), SIGHUP);  // the next attempt need not wait for a minute
  Answer answer;
  EXPECT_TRUE(support::eventually([&] {
    answer = agent_->as(unknown).get("/api/tasks");
    return answer.status == 503;
  })) << answer.response.body;
  EXPECT_NE(answer.response.header("Retry-After"), "");
  EXPECT_THAT(answer.response.body, HasSubstr("key set can't be fetched"));
  EXPECT_EQ(status_with(known), 200);
}

}  // namespace
}  // namespace resmgr::e2e
