// The API as its description has it, with Prism for a judge: what is asked and what is answered.
#include "tests/e2e/openapi_fixture.h"

namespace resmgr::e2e {
namespace {

using support::Answer;
using support::eventually;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAreArray;

// What Prism can't carry, and what tests it instead.
const std::set<std::string> kNotCarried = {
    "GET /api/live",  // a WebSocket: routes_live_test, e2e_dashboard
    // A redirection, which Prism follows itself: routes_openapi_answers_test, e2e_gateway.
    "GET /api/gateway/enter",
};

class OpenApiTest : public WithJudgedAgent {
 protected:
  void ask_for_documents();
  void ask_for_usage();
  void come_through_the_gateway();
  void operate();
  void ask_sinks();
  void reconcile();
  void ask_everything_wrongly();
  void ask_for_nothing_there();

  std::string target_of(const Operation& operation) const;
};

void OpenApiTest::ask_for_documents() {
  for (const std::string path : {"/healthz", "/readyz", "/", "/dashboard/app.js",
                                 "/dashboard/style.css", "/dashboard/icon.svg"}) {
    calls_->get("", path);
  }
  calls_->get("", "/dashboard/nothing.js", 404);
  for (const std::string path : {"/openapi.json", "/", "/dashboard/app.js"}) {
    const std::string tag(calls_->get("", path).response.header("ETag"));
    calls_->get("", path, 304, kRight, {{"If-None-Match", tag}});
  }
  calls_->get(admin_, "/metrics");
  for (const auto& token : {alice_, admin_}) calls_->get(token, wire::kServices);
}

void OpenApiTest::ask_for_usage() {
  const std::string of_alice = "userId=" + std::string(support::kAlice);
  for (const std::string& query :
       {std::string(), std::string("groupBy=user,service,day"), std::string("groupBy=host"),
        of_alice, std::string("userId=me&from=2026-01-01T00:00:00Z&to=2999-01-01T00:00:00Z")}) {
    for (const auto& token : {alice_, admin_}) {
      calls_->get(token, "/api/usage?" + query);
      calls_->get(token, "/api/usage?" + query, 200, kRight, {{"Accept", "text/csv"}});
    }
  }
  calls_->get(alice_, "/api/usage?groupBy=colour", 400, kWrong);
  calls_->get(bob_, "/api/usage?" + of_alice, 403);
  for (const std::string& query :
       {std::string(), std::string("limit=1"), std::string("after=1"), of_alice}) {
    for (const auto& token : {alice_, admin_}) calls_->get(token, "/api/usage-records?" + query);
  }
  calls_->get(alice_, "/api/usage-records?limit=0", 400, kWrong);
  calls_->get(bob_, "/api/usage-records?" + of_alice, 403);
}

// As nginx asks for somebody with an iframeUrl.
void OpenApiTest::come_through_the_gateway() {
  const Answer task = calls_->get(alice_, hello_);
  const std::string url = task.text("iframeUrl");
  const std::string code = url.substr(url.find('?'));
  const std::string enter = "/api/gateway/enter";
  const std::string authorize = "/api/gateway/authorize";
  HttpHeaders original = {{"X-Original-Host", task.text("taskId") + ".tasks.example.org"},
                          {"X-Original-URI", "/"}};
  const Answer entered = support::RestClient(agent_->url()).get(enter + code, original);
  EXPECT_EQ(entered.status, 303) << entered.response.body;
  calls_->get("", enter + "?code=none", 403, kRight, original);
  calls_->get("", authorize, 403, kRight, original);
  const std::string cookie(entered.response.header("Set-Cookie"));
  original.emplace_back("Cookie", cookie.substr(0, cookie.find(';')) + "; a=b");
  calls_->get("", authorize, 204, kRight, original);
  original[1].second = "/x/../y";
  calls_->get("", authorize, 403, kRight, original);
}

void OpenApiTest::operate() {
  calls_->get(admin_, wire::kHost);
  calls_->get(admin_, wire::kHostChecks);
  calls_->get(admin_, wire::kImages);
  calls_->post(admin_, wire::kPullImage, {{"serviceType", "hello"}}, 202);
  calls_->post(admin_, wire::kPullImage, {{"image", "evil:latest"}}, 400, kWrong);
  calls_->post(admin_, wire::kDrain, {{"reason", "new kernel"}}, 200);
  calls_->get(admin_, wire::kHost);
  calls_->post(bob_, wire::kTasks, {{"serviceType", "limited"}}, 503);
  calls_->post(admin_, wire::kDrain, nullptr, 200);
  calls_->post(admin_, wire::kDrain, {{"why", "new kernel"}}, 400, kWrong);
  calls_->post_text(admin_, wire::kDrain, "new kernel", "text/plain", 415, kWrong);
  for (int i = 0; i < 2; ++i) calls_->post(admin_, wire::kResume, nullptr, 200);
}

void OpenApiTest::ask_sinks() {
  const std::string seq = "/api/sinks/seq";
  const auto letters = [&] {
    return calls_->get(admin_, seq + "/dead-letters?limit=1&after=0").json.size();
  };
  EXPECT_TRUE(eventually([&] { return letters() > 0; }));
  calls_->get(admin_, seq + "/dead-letters");
  seq_.refuse([](const Json&) { return false; });
  const Answer retried = calls_->post(admin_, seq + "/retry", nullptr, 200);
  EXPECT_GT(integer_or(retried.json, "retrying", 0), 0);
  calls_->post(admin_, seq + "/sync", nullptr, 200);
  EXPECT_TRUE(eventually([&] { return letters() == 0; }));
  seq_.befall_all(support::SeqMishap{});
  const auto is_failing = [this] {
    calls_->post(admin_, "/api/sinks/blockchain/sync", nullptr, 200);
    return calls_->get(admin_, wire::kHost).response.body.find("\"failing\"") != std::string::npos;
  };
  start("hello");
  EXPECT_TRUE(eventually(is_failing));
  calls_->get(admin_, seq + "/dead-letters?limit=0", 400, kWrong);
}

void OpenApiTest::reconcile() {
  const std::string stray = support::docker(
      {"create", "--label", "io.resmgr.managed-by=resmgr", "--label",
       "io.resmgr.agent-id=" + agent_->agent_id(), "--label",
       "io.resmgr.task-id=" + std::string(kNoTask).substr(11), "resmgr/hello:latest"});
  for (const std::string query : {"?dryRun=1", "?dryRun=true", ""}) {
    const Answer answer = calls_->post(admin_, wire::kReconcile + query, nullptr, 200);
    EXPECT_THAT(answer.response.body, HasSubstr(stray));
  }
  calls_->post(admin_, wire::kReconcile + std::string("?dryRun=perhaps"), nullptr, 400, kWrong);
  support::docker({"rm", "--force", stray});
}

std::string OpenApiTest::target_of(const Operation& operation) const {
  const std::pair<std::string, std::string> values[] = {
      {"{id}", hello_.substr(hello_.rfind('/') + 1)}, {"{name}", "seq"}, {"{file}", "app.js"}};
  std::string target = operation.path;
  for (const auto& [name, value] : values) {
    const auto at = target.find(name);
    if (at != std::string::npos) target.replace(at, name.size(), value);
  }
  return target;
}

// Whatever the operation, also one that is still to come.
void OpenApiTest::ask_everything_wrongly() {
  const std::string expired =
      support::sign_hs256(support::claims_of(support::kAlice, std::chrono::minutes(-5)));
  for (const Operation& operation : calls_->operations()) {
    if (kNotCarried.contains(operation.name())) continue;
    HttpRequest request;
    request.method = operation.method;
    request.target = target_of(operation);
    const Json example = operation.example();
    if (!example.is_null()) request.body = dump_json(example);
    request.content_type = "application/json";
    if (operation.wants_token()) {
      calls_->call("", request, 401, kWrong);
      calls_->call(expired, request, 401);
    }
    // Prism passes over parameters that it does not know, the agent where it wants no token.
    HttpRequest unknown = request;
    unknown.target += "?nonsense=1";
    // Of nginx they want to know what was asked, and no more than that.
    const bool is_gateway = operation.path.starts_with("/api/gateway/");
    calls_->call(admin_, unknown, operation.wants_token() || is_gateway ? 400 : 200,
                 is_gateway ? kWrong : kRight);
    request.method = "PUT";
    request.body = "{}";
    calls_->call(admin_, request, 405, kWrong);
  }
  for (const std::string path : {"/metrics", wire::kHost, "/api/sinks/seq/dead-letters"}) {
    calls_->get(alice_, path, 403);
  }
  for (const std::string path : {wire::kDrain, wire::kResume, wire::kReconcile,
                                 "/api/sinks/seq/retry", "/api/sinks/seq/sync"}) {
    calls_->post(alice_, path, nullptr, 403);
  }
}

void OpenApiTest::ask_for_nothing_there() {
  calls_->get(alice_, "/api/nothing", 404, kWrong);
  const std::string of_task[] = {"", "/logs", "/why", "/usage-record"};
  for (const std::string& rest : of_task) {
    calls_->get(alice_, kNoTask + rest, 404);
    calls_->get(bob_, hello_ + rest, 404);
    calls_->get(alice_, "/api/tasks/no-uuid" + rest, 404, kWrong);
  }
  for (const auto& [token, path] : {std::pair(alice_, std::string(kNoTask)), {bob_, hello_}}) {
    calls_->del(token, path, 404);
    calls_->post(token, path + "/touch", nullptr, 404);
    calls_->post(token, path + "/extend", {{"by", "1h"}}, 404);
  }
  calls_->get(admin_, "/api/sinks/nothing/dead-letters", 404);
  for (const std::string verb : {"retry", "sync"}) {
    calls_->post(admin_, "/api/sinks/nothing/" + verb, nullptr, 404);
  }
}

TEST_F(OpenApiTest, EveryOperationIsAsDescribed) {
  ask_for_documents();
  start_tasks();
  start_wrongly();
  list_tasks();
  look_at_tasks();
  extend_tasks();
  come_through_the_gateway();
  stop_tasks();
  ask_for_usage();
  operate();
  ask_everything_wrongly();
  ask_for_nothing_there();
  reconcile();
  calls_->del(alice_, hello_);
  ask_sinks();
  std::cout << calls_->statuses();
  EXPECT_THAT(calls_->not_called(), UnorderedElementsAreArray(kNotCarried));
}

}  // namespace
}  // namespace resmgr::e2e
