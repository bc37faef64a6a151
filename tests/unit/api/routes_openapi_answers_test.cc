// What the server answers, held against the schemas of GET /openapi.json.
#include <gmock/gmock.h>

#include "agent/api/gateway_pass.h"
#include "agent/api/openapi.h"
#include "tests/fakes/fake_sink.h"
#include "tests/unit/api/live_reader.h"
#include "tests/unit/api/routes_world.h"
#include "tests/unit/api/schema_check.h"

namespace resmgr::api {
namespace {

using ::testing::IsEmpty;

class DescribedAnswersTest : public RoutesTest {
 protected:
  DescribedAnswersTest() : check_(parse_json(openapi().text, "openapi.json")) {}

  void SetUp() override {
    world_.options.limits.tasks_per_user = 2;
    pumps_.emplace(sinks::PumpOptions{.backoff_min = std::chrono::hours(1),
                                      .backoff_max = std::chrono::hours(1)},
                   world_.journal, world_.clock);
    pumps_->add(std::make_unique<sinks::FakeSink>(destination_));
    sinks_ = &*pumps_;
    RoutesTest::SetUp();
  }
  void TearDown() override {
    RoutesTest::TearDown();
    pumps_.reset();
  }

  // Asks for `target`, whose description stands under `path`, and holds the answer against it.
  RawAnswer hold(const std::string& method, const std::string& path, const std::string& target,
                 int status, const std::string& headers = admin(), const std::string& body = "",
                 const std::string& body_type = "application/json") const {
    std::string request = method + " " + target + " HTTP/1.1\r\nHost: a\r\n" + headers;
    if (method != "GET") request += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    if (!body.empty()) request += "Content-Type: " + body_type + "\r\n";
    RawAnswer answer = ask(request + "\r\n" + body);
    const std::string where = method + " " + target;
    EXPECT_EQ(answer.status, status) << where << " " << answer.body;
    hold_answer(method, path, answer, where);
    return answer;
  }
  void hold_answer(std::string method, const std::string& path, const RawAnswer& answer,
                   const std::string& where) const {
    for (char& c : method) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    const Json& responses = check_.document().at("paths").at(path).at(method).at("responses");
    const std::string status = std::to_string(answer.status);
    const Json& response =
        check_.resolve(responses.contains(status) ? responses[status] : responses.at("default"));
    for (const auto& header : response.at("headers").items()) {
      // Where there is another page, the requests below ask for it.
      if (header.key() == "Link") continue;
      std::string name = header.key();
      for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      EXPECT_NE(answer.header(name), "") << where << " " << name;
    }
    if (!response.contains("content")) {
      EXPECT_EQ(answer.body, "") << where;
      return;
    }
    std::string type = answer.header("content-type");
    type.resize(std::min(type.size(), type.find(';')));
    ASSERT_TRUE(response["content"].contains(type)) << where << " " << type;
    const Json& media = response["content"][type];
    const bool is_json = type.find("json") != std::string::npos && type != "application/x-ndjson";
    const Json value = is_json ? answer.json() : Json(answer.body);
    EXPECT_THAT(check_.faults(value, media.at("schema")), IsEmpty()) << where << answer.body;
    if (type == "application/problem+json") {
      EXPECT_TRUE(media.at("examples").contains(answer.problem())) << where << answer.body;
    }
  }

  SchemaCheck check_;
  sinks::FakeDestination destination_;
  std::optional<sinks::Pumps> pumps_;
};

TEST_F(DescribedAnswersTest, OfTasks) {
  const std::string body = R"({"serviceType":"web"})";
  const RawAnswer made = hold("POST", "/api/tasks", "/api/tasks", 201, alice(), body);
  const std::string id = string_or(made.json(), "taskId");
  const std::string one = "/api/tasks/" + id;
  hold("POST", "/api/tasks", "/api/tasks", 202, alice() + "Prefer: respond-async\r\n", body);
  hold("GET", "/api/tasks", "/api/tasks?limit=1", 200);
  hold("GET", "/api/tasks", "/api/tasks", 200, alice());
  hold("GET", "/api/tasks/{id}", one, 200);
  hold("GET", "/api/tasks/{id}/logs", one + "/logs", 200);
  hold("GET", "/api/tasks/{id}/why", one + "/why", 200);
  hold("POST", "/api/tasks/{id}/touch", one + "/touch", 204);
  hold("GET", "/api/tasks/{id}/usage-record", one + "/usage-record", 409);
  hold("POST", "/api/tasks/{id}/extend", one + "/extend", 409, alice(), R"({"by":"1h"})");
  hold("DELETE", "/api/tasks/{id}", one, 200);
  hold("GET", "/api/tasks/{id}", one, 200, alice());
  hold("GET", "/api/tasks/{id}/why", one + "/why", 409);
  hold("GET", "/api/tasks", "/api/tasks", 200);
}

TEST_F(DescribedAnswersTest, OfTheGateway) {
  const GatewayAddress gateway("https://tasks.example.org", GatewayAddress::Mode::host);
  world_.options.gateway = gateway;
  world_.set_catalog(R"(
    name = "web"
    title = "Web"
    image = "web:1"
    container_port = 8080
    probe = "none"
    [gateway]
    authorization = "token {token}"
  )");
  server_.reset();
  world_.boot();
  ServerOptions options;
  options.gateway = gateway;
  start_server(options);
  const std::string id = started();
  const std::string url = string_or(
      hold("GET", "/api/tasks/{id}", "/api/tasks/" + id, 200, alice()).json(), "iframeUrl");
  const std::string code = url.substr(url.find("code="));
  const std::string headers = "X-Original-Host: " + gateway.host(id) + "\r\nX-Original-URI: /x\r\n";
  hold("GET", "/api/gateway/enter", "/api/gateway/enter?" + code, 303, headers);
  hold("GET", "/api/gateway/enter", "/api/gateway/enter", 403, headers);
  hold("GET", "/api/gateway/authorize", "/api/gateway/authorize", 403, headers);
  // So old that it is given anew.
  const std::string cookie =
      GatewayPasses(world_.options.secret_key)
          .set_cookie(gateway, id, support::kAlice, clock_.now() - std::chrono::hours(1));
  hold("GET", "/api/gateway/authorize", "/api/gateway/authorize", 204,
       headers + "Cookie: a=b; " + cookie.substr(0, cookie.find(';')) + "\r\n");
}

TEST_F(DescribedAnswersTest, OfStartsUnderWay) {
  world_.engine.remove_image("web:1");
  world_.engine.add_pullable("web:1");
  world_.engine.hold(engine::Op::pull);
  const RawAnswer admitted =
      hold("POST", "/api/tasks", "/api/tasks", 202, alice() + "Prefer: respond-async\r\n",
           R"({"serviceType":"web"})");
  const std::string one = "/api/tasks/" + string_or(admitted.json(), "taskId");
  ASSERT_TRUE(world_.engine.wait_until_held(engine::Op::pull));
  const Json task = hold("GET", "/api/tasks/{id}", one, 200, alice()).json();
  EXPECT_EQ(task["progress"]["step"], "pulling");
  EXPECT_EQ(task["progress"]["pull"]["status"], "Downloading");
  EXPECT_FALSE(ask_get("/api/tasks").json()[0].contains("progress"));
  LiveReader live(address_, "/api/live", alice());
  const Json message = live.next_of_any();
  EXPECT_TRUE(LiveReader::is_progress(message)) << message;
  EXPECT_THAT(
      check_.faults(message, check_.document().at("/components/schemas/Progress"_json_pointer)),
      IsEmpty())
      << message;
  world_.engine.release(engine::Op::pull);
  EXPECT_TRUE(support::eventually([&] {
    const Json now = ask_get(one).json();
    return now["status"] == "Running" && !now.contains("progress");
  }));
}

TEST_F(DescribedAnswersTest, OfIdleTasks) {
  world_.set_catalog(R"(
    name = "web"
    title = "Web"
    image = "web:1"
    container_port = 8080
    probe = "none"
    [idle]
    timeout = "1h"
    network_bytes = 1024
    [lifetime]
    max = "8h"
  )");
  const std::string one = "/api/tasks/" + started();
  hold("GET", "/api/tasks/{id}/why", one + "/why", 200);
  hold("POST", "/api/tasks/{id}/extend", one + "/extend", 200, alice(), R"({"by":"10h"})");
  hold("GET", "/api/tasks/{id}", one, 200);
  hold("GET", "/api/tasks/{id}/why", one + "/why", 200);
}

TEST_F(DescribedAnswersTest, OfUsage) {
  const std::string id = started();
  ask_delete(id);
  started(bob());
  hold("GET", "/api/usage", "/api/usage", 200);
  hold("GET", "/api/usage", "/api/usage?groupBy=user,service,day,host", 200);
  hold("GET", "/api/usage", "/api/usage?groupBy=user", 200, admin() + "Accept: text/csv\r\n");
  hold("GET", "/api/usage-records", "/api/usage-records?limit=1", 200);
  hold("GET", "/api/tasks/{id}/usage-record", "/api/tasks/" + id + "/usage-record", 200);
}

TEST_F(DescribedAnswersTest, OfEvents) {
  ask_delete(started());
  const RawAnswer drained =
      ask("POST /api/host/drain HTTP/1.1\r\nHost: a\r\n" + admin() + "Content-Length: 0\r\n\r\n");
  ASSERT_EQ(drained.status, 200);
  for (const std::string query : {"", "?since=99999"}) {
    const RawAnswer answer = hold("GET", "/api/events", "/api/events" + query, 200);
    const Json& line_schema = check_.document().at("/components/schemas/EventLine"_json_pointer);
    std::size_t lines = 0;
    for (std::size_t at = 0, end = 0; (end = answer.body.find('\n', at)) != std::string::npos;
         at = end + 1) {
      const std::string line = answer.body.substr(at, end - at);
      EXPECT_THAT(check_.faults(parse_json(line, "line"), line_schema), IsEmpty()) << line;
      ++lines;
    }
    EXPECT_GT(lines, 0U);
  }
  hold("GET", "/api/live", "/api/live", 426);
}

TEST_F(DescribedAnswersTest, OfTheHost) {
  destination_.set_poison(
      [](const sinks::Message& message) { return message.type == "task.created"; });
  pumps_->run();
  started();
  hold("GET", "/api/services", "/api/services", 200);
  hold("GET", "/api/services", "/api/services", 200, alice());
  hold("GET", "/api/host", "/api/host", 200);
  hold("GET", "/api/host/checks", "/api/host/checks", 200);
  hold("GET", "/api/images", "/api/images", 200);
  hold("POST", "/api/images/pull", "/api/images/pull", 202, admin(), R"({"serviceType":"web"})");
  hold("POST", "/api/images/pull", "/api/images/pull", 400, admin(), R"({"serviceType":"none"})");
  hold("POST", "/api/host/drain", "/api/host/drain", 200);
  hold("POST", "/api/host/drain", "/api/host/drain", 200, admin(), R"({"reason":"new kernel"})");
  hold("GET", "/api/host", "/api/host", 200);
  hold("POST", "/api/tasks", "/api/tasks", 503, alice(), R"({"serviceType":"web"})");
  hold("POST", "/api/host/resume", "/api/host/resume", 200);
  hold("POST", "/api/reconcile", "/api/reconcile?dryRun=1", 200);
  hold("POST", "/api/reconcile", "/api/reconcile", 200);
  const std::string sink = "/api/sinks/fake";
  ASSERT_TRUE(support::eventually([&] { return !pumps_->letters("fake", 0, 1).empty(); }));
  hold("GET", "/api/sinks/{name}/dead-letters", sink + "/dead-letters", 200);
  hold("POST", "/api/sinks/{name}/sync", sink + "/sync", 200);
  hold("POST", "/api/sinks/{name}/retry", sink + "/retry", 200);
  hold("POST", "/api/sinks/{name}/retry", "/api/sinks/none/retry", 404);
  hold("GET", "/metrics", "/metrics", 200);
  hold("GET", "/healthz", "/healthz", 200, "");
  hold("GET", "/readyz", "/readyz", 200, "");
  hold("GET", "/", "/", 200, "");
  hold("GET", "/openapi.json", "/openapi.json", 200, "");
  for (const char* const file : {"app.js", "style.css", "index.html", "icon.svg"}) {
    hold("GET", "/dashboard/{file}", "/dashboard/" + std::string(file), 200, "");
  }
}

TEST_F(DescribedAnswersTest, OfDifferences) {
  started();
  engine::ContainerSpec other;
  other.name = "somebody-elses";
  other.image = "web:1";
  other.labels = engine::ours(world_.options.agent_id);
  world_.engine.create(other);
  const Json found = hold("POST", "/api/reconcile", "/api/reconcile?dryRun=1", 200).json();
  EXPECT_EQ(found["agreeing"], 1);
  EXPECT_EQ(found["entries"].size(), 1U);
  world_.engine.set_reachable(false);
  hold("POST", "/api/reconcile", "/api/reconcile?dryRun=1", 200);
  hold("GET", "/api/host", "/api/host", 200);
}

TEST_F(DescribedAnswersTest, OfProblems) {
  const std::string body = R"({"serviceType":"web"})";
  const std::string tasks = "/api/tasks";
  hold("GET", tasks, tasks, 401, "");
  hold("GET", tasks, tasks, 401, bearer("nonsense"));
  hold("GET", tasks, tasks + "?limit=0&x=1", 400);
  hold("GET", tasks, tasks + "?userId=" + std::string(support::kBob), 403, alice());
  hold("GET", "/api/host", "/api/host", 403, alice());
  hold("GET", "/api/tasks/{id}", "/api/tasks/none", 404);
  hold("GET", "/dashboard/{file}", "/dashboard/none", 404, "");
  hold("POST", tasks, tasks, 400, alice(), "{}");
  hold("POST", tasks, tasks, 400, alice(), R"({"serviceType":"none"})");
  hold("POST", tasks, tasks, 415, alice(), body, "text/plain");
  hold("POST", tasks, tasks, 413, alice(), std::string(70'000, ' '));
  const std::string key = alice() + "Idempotency-Key: k\r\n";
  hold("POST", tasks, tasks, 201, key, body);
  hold("POST", tasks, tasks, 201, key, body);
  hold("POST", tasks, tasks, 422, key,
       R"({"serviceType":"web","userId":")" + std::string(support::kAlice) + "\"}");
  hold("POST", tasks, tasks, 201, alice(), body);
  hold("POST", tasks, tasks, 409, alice(), body);
}

TEST_F(DescribedAnswersTest, OfStartsThatFail) {
  const std::string body = R"({"serviceType":"web"})";
  world_.engine.fail_next(engine::Op::create, Error(ErrorKind::rejected, "no"));
  hold("POST", "/api/tasks", "/api/tasks", 502, alice(), body);
  world_.engine.set_reachable(false);
  ASSERT_TRUE(support::eventually([&] { return !world_.service->engine_health().reachable; }));
  hold("POST", "/api/tasks", "/api/tasks", 503, alice(), body);
  hold("GET", "/readyz", "/readyz", 503, "");
}

}  // namespace
}  // namespace resmgr::api
