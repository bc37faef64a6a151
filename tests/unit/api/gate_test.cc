// Who may do what, bodies that are not read, CORS: the gate before routes of the test's own.
#include "agent/api/gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "common/clock.h"
#include "tests/support/temp_dir.h"
#include "tests/support/tokens.h"
#include "tests/unit/api/raw_client.h"

namespace resmgr::api {
namespace {

using testing::HasSubstr;

class GateTest : public testing::Test {
 protected:
  GateTest() {
    const auto say = [](const char* what) {
      return [what](const Responder& responder) -> std::optional<Response> {
        const auto& caller = responder.request().caller;
        return json_response(
            200, std::string("\"") + what + " " + (caller ? caller->user_id : "nobody") + "\"");
      };
    };
    router_.add({.method = Method::get,
                 .pattern = "/open",
                 .access = Access::open,
                 .handler = say("open")});
    router_.add({.method = Method::get, .pattern = "/api/user", .handler = say("user")});
    router_.add({.method = Method::get,
                 .pattern = "/api/admin",
                 .access = Access::admin,
                 .handler = say("admin")});
    router_.add({.method = Method::post,
                 .pattern = "/api/user",
                 .runs = Runs::on_worker,
                 .takes_body = true,
                 .handler = say("posted")});
    router_.add({.method = Method::get,
                 .pattern = "/api/broken",
                 .handler = [](const Responder&) -> std::optional<Response> {
                   throw std::runtime_error("secret details");
                 }});
    router_.add({.method = Method::get,
                 .pattern = "/api/busy",
                 .handler = [](const Responder&) -> std::optional<Response> {
                   throw Error(ErrorKind::unavailable, "cannot do it: not now");
                 }});
  }
  void start(bool with_key = true, std::vector<std::string> origins = {}) {
    identity::AuthOptions auth;
    if (with_key) auth.hmac_key_file = dir_.write("key", support::kTestKey);
    authenticator_.emplace(auth, clock_, "aaaaaaaa-0000-4000-8000-000000000001");
    gate_.emplace(router_, *authenticator_, workers_, nullptr, std::move(origins));
    ServerOptions options;
    options.listen = {"127.0.0.1:0"};
    options.socket_path = dir_.path() / "agent.sock";
    server_.emplace(options, *gate_);
    server_->start();
    address_ = server_->listening().front();
    socket_ = options.socket_path;
  }
  void TearDown() override {
    server_.reset();
    workers_.stop();
  }
  RawAnswer ask(const std::string& request) const { return RawClient(address_).ask(request); }
  RawAnswer ask_socket(const std::string& request) const { return RawClient(socket_).ask(request); }
  static std::string bearer(const std::string& token) {
    return "Authorization: Bearer " + token + "\r\n";
  }
  static std::string alice() { return bearer(support::user_token(support::kAlice)); }
  static std::string admin() { return bearer(support::admin_token()); }

  support::TempDir dir_;
  SystemClock clock_;
  Router router_;
  WorkerPool workers_{4, 16};
  std::optional<identity::Authenticator> authenticator_;
  std::optional<Gate> gate_;
  std::optional<HttpServer> server_;
  std::string address_;
  std::string socket_;
};

TEST_F(GateTest, WantsATokenExceptWhereItIsOpen) {
  start();
  EXPECT_EQ(ask(get("/open")).body, "\"open nobody\"");
  const RawAnswer none = ask(get("/api/user"));
  EXPECT_EQ(none.status, 401);
  EXPECT_EQ(none.header("www-authenticate"),
            "Bearer error=\"invalid_token\", error_description=\"there is no token\"");
  EXPECT_EQ(none.header("cache-control"), "no-store");
  EXPECT_EQ(ask(get("/api/user", alice())).body, "\"user " + std::string(support::kAlice) + "\"");
}

TEST_F(GateTest, SaysWhyATokenIsRefused) {
  start();
  const auto expired =
      support::sign_hs256(support::claims_of(support::kAlice, -std::chrono::hours(1)));
  const RawAnswer answer = ask(get("/api/user", bearer(expired)));
  EXPECT_EQ(answer.status, 401);
  EXPECT_THAT(answer.header("www-authenticate"), HasSubstr("Bearer error=\"invalid_token\""));
  EXPECT_THAT(answer.header("www-authenticate"), HasSubstr("expired"));
  EXPECT_EQ(ask(get("/api/user", bearer("x.y.z"))).status, 401);
  EXPECT_EQ(ask(get("/api/user", "Authorization: Basic eDp5\r\n")).status, 401);
  EXPECT_EQ(ask(get("/api/user", alice() + admin())).status, 401);
}

TEST_F(GateTest, NamesTheMissingKeys) {
  start(false);
  EXPECT_THAT(ask(get("/api/user")).body, HasSubstr("[auth]"));
  const RawAnswer answer = ask(get("/api/user", alice()));
  EXPECT_EQ(answer.status, 401);
  EXPECT_THAT(answer.body, HasSubstr("[auth]"));
  EXPECT_EQ(ask_socket(get("/api/admin")).status, 200);
}

TEST_F(GateTest, KeepsAdminsRoutesForAdmins) {
  start();
  const RawAnswer user = ask(get("/api/admin", alice()));
  EXPECT_EQ(user.status, 403);
  EXPECT_EQ(user.problem(), "forbidden");
  EXPECT_EQ(ask(get("/api/admin", admin())).status, 200);
}

TEST_F(GateTest, TrustsTheKernelOnTheSocketAndATokenMore) {
  start();
  EXPECT_EQ(ask_socket(get("/api/admin")).status, 200);
  EXPECT_EQ(ask_socket(get("/api/admin", alice())).status, 403);
  EXPECT_EQ(ask_socket(get("/api/user", bearer("x.y.z"))).status, 401);
  RawClient twice(socket_);
  const std::string first = twice.ask(get("/api/user")).body;
  EXPECT_EQ(twice.ask(get("/api/user")).body, first);
}

TEST_F(GateTest, RefusesForwardedRequestsOnTheSocket) {
  start();
  for (const auto* header : {"Forwarded: for=1.2.3.4", "X-Forwarded-For: 1.2.3.4",
                             "x-forwarded-proto: https", "X-Forwarded-: x"}) {
    EXPECT_EQ(ask_socket(get("/api/user", std::string(header) + "\r\n")).status, 403) << header;
    EXPECT_EQ(ask_socket(get("/api/user", std::string(header) + "\r\n" + alice())).status, 403);
  }
  EXPECT_EQ(ask(get("/api/user", "X-Forwarded-For: 1.2.3.4\r\n" + alice())).status, 200);
}

TEST_F(GateTest, ReadsNoBodyOfStrangers) {
  start();
  RawClient client(address_);
  // The body never comes: were it waited for, there would be no answer.
  const RawAnswer answer = client.ask(
      "POST /api/user HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
      "Content-Length: 60000\r\n\r\n");
  EXPECT_EQ(answer.status, 401);
  EXPECT_TRUE(client.ends());
}

TEST_F(GateTest, TakesJsonAlone) {
  start();
  const auto type = [&](const std::string& line, const std::string& more = "") {
    return ask("POST /api/user HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n" + line + more +
               alice() + "\r\n{}")
        .status;
  };
  EXPECT_EQ(type("Content-Type: application/json\r\n"), 200);
  EXPECT_EQ(type("Content-Type: Application/JSON; charset=UTF-8\r\n"), 200);
  EXPECT_EQ(type("Content-Type: application/json; charset=latin1\r\n"), 415);
  EXPECT_EQ(type("Content-Type: application/json-patch+json\r\n"), 415);
  EXPECT_EQ(type("Content-Type: text/plain\r\n"), 415);
  EXPECT_EQ(type(""), 415);
  EXPECT_EQ(type("Content-Type: application/json\r\n", "Content-Encoding: gzip\r\n"), 415);
  EXPECT_EQ(type("Content-Type: application/json\r\n", "Content-Encoding: identity\r\n"), 200);
  const std::string with_body = "Content-Length: 2\r\n" + alice();
  EXPECT_EQ(ask(get("/api/user", with_body) + "{}").status, 400);
  EXPECT_EQ(ask(get("/api/user", "Content-Length: 0\r\n" + alice())).status, 200);
}

TEST_F(GateTest, KnowsPathsAndMethods) {
  start();
  EXPECT_EQ(ask(get("/nowhere")).problem(), "not-found");
  const RawAnswer wrong = ask("DELETE /api/user HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(wrong.status, 405);
  EXPECT_EQ(wrong.header("allow"), "GET, HEAD, POST, OPTIONS");
  EXPECT_EQ(ask("BREW /api/user HTTP/1.1\r\nHost: a\r\n\r\n").status, 405);
  const RawAnswer options = ask("OPTIONS /api/user HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(options.status, 204);
  EXPECT_EQ(options.header("allow"), "GET, HEAD, POST, OPTIONS");
  EXPECT_EQ(ask("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n").status, 204);
  EXPECT_EQ(ask("OPTIONS /nowhere HTTP/1.1\r\nHost: a\r\n\r\n").status, 404);
}

TEST_F(GateTest, TurnsWhatIsThrownIntoProblems) {
  start();
  const RawAnswer broken = ask(get("/api/broken", alice()));
  EXPECT_EQ(broken.status, 500);
  EXPECT_THAT(broken.body, testing::Not(HasSubstr("secret details")));
  EXPECT_THAT(broken.body, HasSubstr(broken.header("x-request-id")));
  const RawAnswer busy = ask(get("/api/busy", alice()));
  EXPECT_EQ(busy.status, 503);
  EXPECT_EQ(busy.json()["detail"], "cannot do it: not now");
  EXPECT_EQ(busy.json()["instance"], "/api/busy");
  EXPECT_NE(busy.header("retry-after"), "");
}

TEST_F(GateTest, AnswersConfiguredOrigins) {
  start(true, {"https://app.example.org"});
  const std::string origin = "Origin: https://app.example.org\r\n";
  const RawAnswer answer = ask(get("/api/user", origin + alice()));
  EXPECT_EQ(answer.header("access-control-allow-origin"), "https://app.example.org");
  EXPECT_EQ(answer.header("vary"), "Origin");
  EXPECT_THAT(answer.header("access-control-expose-headers"), HasSubstr("Location"));
  // A page must be able to read why it was refused.
  EXPECT_EQ(ask(get("/api/user", origin)).header("access-control-allow-origin"),
            "https://app.example.org");
  const std::string preflight = "Access-Control-Request-Method: POST\r\n";
  const RawAnswer allowed =
      ask("OPTIONS /api/user HTTP/1.1\r\nHost: a\r\n" + origin + preflight + "\r\n");
  EXPECT_EQ(allowed.status, 204);
  EXPECT_THAT(allowed.header("access-control-allow-methods"), HasSubstr("POST"));
  EXPECT_THAT(allowed.header("access-control-allow-headers"), HasSubstr("Authorization"));
  const RawAnswer other =
      ask("OPTIONS /api/user HTTP/1.1\r\nHost: a\r\nOrigin: https://evil\r\n" + preflight + "\r\n");
  EXPECT_EQ(other.header("access-control-allow-origin"), "");
  EXPECT_EQ(other.header("access-control-allow-methods"), "");
}

TEST_F(GateTest, SendsNoCorsHeadersUnlessConfigured) {
  start();
  const RawAnswer answer = ask(get("/open", "Origin: https://app.example.org\r\n"));
  EXPECT_EQ(answer.header("access-control-allow-origin"), "");
  EXPECT_EQ(answer.header("vary"), "");
}

}  // namespace
}  // namespace resmgr::api
