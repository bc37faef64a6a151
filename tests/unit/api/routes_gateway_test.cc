// GET /api/gateway/authorize and /enter, and the iframeUrl that leads there.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "agent/api/gateway_pass.h"
#include "common/wire.h"
#include "tests/unit/api/routes_world.h"

namespace resmgr::api {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using support::kAlice;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;
using testing::StartsWith;
using Mode = GatewayAddress::Mode;

constexpr char kServices[] = R"(
  name = "web"
  title = "Web"
  image = "web:1"
  container_port = 8080
  url_path = "/?t={token}"
  env = { TOKEN = "{token}" }
  probe = "none"
  [gateway]
  path = "/lab?user={userId}"
  authorization = "token {token}"
)";

class GatewayRoutesTest : public RoutesTest {
 protected:
  void SetUp() override { set_up(Mode::host); }

  void set_up(Mode mode, const std::string& catalog = kServices) {
    world_.set_catalog(catalog);
    gateway_.emplace("https://tasks.example.org", mode);
    world_.options.gateway = gateway_;
    RoutesTest::SetUp();
    server_.reset();
    ServerOptions options;
    options.gateway = gateway_;
    options.public_url = "https://resmgr.example.org/";
    options.cors_origins = {"*", "https://portal.example.org"};
    start_server(options);
    task_ = started();
  }

  std::string iframe_url(const std::string& headers = alice()) const {
    return string_or(ask_get(wire::task_path(task_), headers).json(), "iframeUrl");
  }
  // What nginx says of a request for `path` of the task.
  std::string original(const std::string& path, const std::string& host = "") const {
    return "X-Original-Host: " + (host.empty() ? gateway_->host(task_) : host) +
           "\r\nX-Original-URI: " + path + "\r\n";
  }
  std::string cookie_of(Instant issued, const std::string& task = "") const {
    const std::string cookie =
        GatewayPasses(world_.options.secret_key)
            .set_cookie(*gateway_, task.empty() ? task_ : task, kAlice, issued);
    return "Cookie: a=b; " + cookie.substr(0, cookie.find(';')) + "\r\n";
  }
  std::string cookie() const { return cookie_of(clock_.now()); }
  RawAnswer authorize(const std::string& headers) const {
    return ask_get("/api/gateway/authorize", headers);
  }
  RawAnswer enter(const std::string& code, const std::string& headers) const {
    return ask_get("/api/gateway/enter?code=" + code, headers);
  }
  static std::string code_in(const std::string& url) { return url.substr(url.find("code=") + 5); }

  std::optional<GatewayAddress> gateway_;
  std::string task_;
};

class GatewayPathRoutesTest : public GatewayRoutesTest {
 protected:
  void SetUp() override { set_up(Mode::path); }
};

TEST_F(GatewayRoutesTest, ACodeBecomesACookie) {
  const std::string url = iframe_url();
  ASSERT_THAT(url, StartsWith("https://" + task_ + ".tasks.example.org/.resmgr/enter?code="));
  EXPECT_THAT(url, Not(HasSubstr(tasks::secret_of(world_.options, task_))));
  for (int i = 0; i < 2; ++i) {
    const RawAnswer answer = enter(code_in(url), original("/.resmgr/enter"));
    EXPECT_EQ(answer.status, 303) << answer.body;
    EXPECT_EQ(answer.header("location"), std::string("/lab?user=") + kAlice);
    EXPECT_THAT(answer.header("set-cookie"),
                MatchesRegex("__Host-resmgr-task=[^;]+; Path=/; Max-Age=[0-9]+; HttpOnly; Secure; "
                             "SameSite=None; Partitioned"));
    EXPECT_EQ(answer.header("cache-control"), "no-store");
    EXPECT_EQ(answer.header("referrer-policy"), "no-referrer");
    const std::string set = answer.header("set-cookie");
    EXPECT_EQ(
        authorize(original("/lab") + "Cookie: " + set.substr(0, set.find(';')) + "\r\n").status,
        204);
  }
}

TEST_F(GatewayRoutesTest, AReloadNeedsNoNewCode) {
  const RawAnswer answer = enter("too-old", original("/.resmgr/enter") + cookie());
  EXPECT_EQ(answer.status, 303);
  EXPECT_EQ(answer.header("set-cookie"), "");
  EXPECT_EQ(enter("too-old", original("/.resmgr/enter")).status, 403);
}

TEST_F(GatewayRoutesTest, TellsNginxWhereTheTaskIsAndWhatItWants) {
  const RawAnswer answer =
      authorize(original("/lab/tree?path=/../x") + cookie() + "Authorization: Bearer mine\r\n");
  ASSERT_EQ(answer.status, 204) << answer.body;
  EXPECT_EQ(answer.header("x-resmgr-upstream"),
            "127.0.0.1:" + std::to_string(world_.row(task_).task.container_port));
  EXPECT_EQ(answer.header("x-resmgr-path"), "/lab/tree");
  EXPECT_EQ(answer.header("x-resmgr-base-path"), "/");
  EXPECT_EQ(answer.header("x-resmgr-authorization"),
            "token " + tasks::secret_of(world_.options, task_));
  EXPECT_EQ(answer.header("x-resmgr-cookie"), "a=b");
  EXPECT_EQ(answer.header("x-resmgr-frame-ancestors"),
            "'self' https://resmgr.example.org https://portal.example.org");
  EXPECT_EQ(answer.header("set-cookie"), "");
}

TEST_F(GatewayRoutesTest, ACookieSlidesOnWhileItIsUsed) {
  EXPECT_EQ(authorize(original("/") + cookie_of(clock_.now() - minutes(9))).header("set-cookie"),
            "");
  const RawAnswer answer = authorize(original("/") + cookie_of(clock_.now() - hours(11)));
  EXPECT_EQ(answer.status, 204);
  EXPECT_THAT(answer.header("set-cookie"), StartsWith("__Host-resmgr-task="));
  EXPECT_EQ(authorize(original("/") + cookie_of(clock_.now() - hours(13))).status, 403);
}

TEST_F(GatewayRoutesTest, OnlyTheRightCookieOpensATask) {
  const std::string other = started(bob());
  EXPECT_EQ(authorize(original("/")).status, 403);
  EXPECT_EQ(authorize(original("/") + "Cookie: __Host-resmgr-task=x\r\n").status, 403);
  EXPECT_EQ(authorize(original("/", gateway_->host(other)) + cookie()).status, 403);
  EXPECT_EQ(authorize(original("/") + cookie_of(clock_.now(), other)).status, 403);
  // Who may see a task through the API needs the cookie all the same.
  EXPECT_EQ(authorize(original("/") + admin()).status, 403);
  EXPECT_EQ(enter(code_in(iframe_url()), original("/.resmgr/enter", gateway_->host(other))).status,
            403);
  EXPECT_EQ(authorize(original("/") + cookie()).status, 204);
}

TEST_F(GatewayRoutesTest, WhatIsNoPlainRequestIsRefused) {
  for (const char* const path : {"/x/../y", "/%2e%2e/", "/x%2f..%2fy", "/..%5cx", "lab", ""}) {
    EXPECT_EQ(authorize(original(path) + cookie()).status, 403) << path;
  }
  EXPECT_EQ(authorize(cookie()).status, 403);
  EXPECT_EQ(authorize(original("/") + original("/") + cookie()).status, 403);
  EXPECT_EQ(authorize(original("/", "resmgr.example.org") + cookie()).status, 403);
}

// The service believes the header that nginx puts in, so that the page of another origin must not
// make it do so.
TEST_F(GatewayRoutesTest, PagesElsewhereCantUseTheCookie) {
  const std::string mine = original("/api/kernels") + cookie();
  EXPECT_EQ(authorize(mine + "Origin: " + gateway_->origin(task_) + "\r\n").status, 204);
  for (const std::string origin : {"https://evil.example", "https://tasks.example.org",
                                   "https://resmgr.example.org", "null", ""}) {
    EXPECT_EQ(authorize(mine + "Origin: " + origin + "\r\n").status, 403) << origin;
  }
  EXPECT_EQ(authorize(mine + "Origin: null\r\nSec-Fetch-Site: same-origin\r\n").status, 204);
}

TEST_F(GatewayRoutesTest, EndsWithTheTask) {
  const std::string code = code_in(iframe_url());
  EXPECT_EQ(ask_delete(task_).status, 200);
  EXPECT_EQ(authorize(original("/") + cookie()).status, 403);
  EXPECT_EQ(enter(code, original("/.resmgr/enter")).status, 403);
  EXPECT_EQ(enter("x", original("/.resmgr/enter") + cookie()).status, 403);
  EXPECT_EQ(iframe_url(), "");
}

TEST_F(GatewayRoutesTest, AnAdminComesInAsOneself) {
  const std::string code = code_in(iframe_url(admin()));
  EXPECT_THAT(code, HasSubstr(support::kRoot));
  EXPECT_EQ(enter(code, original("/.resmgr/enter")).status, 303);
}

TEST_F(GatewayRoutesTest, EachRequestIsUse) {
  EXPECT_EQ(authorize(original("/") + cookie()).status, 204);
  const Json why = ask_get(wire::why_path(task_)).json();
  bool touched = false;
  for (const Json& signal : why["signals"]) {
    touched = touched || (signal["name"] == "touch" && !signal["lastBusyAt"].is_null());
  }
  EXPECT_TRUE(touched) << why;
}

// The first request after the engine came back finds the port by asking it.
TEST_F(GatewayRoutesTest, WithTheEngineAwayItIsUnknownWhereTheTaskIs) {
  world_.engine.set_reachable(false);
  EXPECT_TRUE(support::eventually([&] { return !world_.service->engine_health().reachable; }));
  EXPECT_EQ(authorize(original("/") + cookie()).status, 503);
  world_.engine.set_reachable(true);
  EXPECT_TRUE(
      support::eventually([&] { return authorize(original("/") + cookie()).status == 204; }));
}

TEST_F(GatewayPathRoutesTest, AllLiesBelowThePathOfTheTask) {
  const std::string base = "/t/" + task_ + "/";
  const std::string url = iframe_url();
  ASSERT_THAT(url, StartsWith("https://tasks.example.org" + base + ".resmgr/enter?code="));
  const RawAnswer entered = enter(code_in(url), original(base + ".resmgr/enter"));
  EXPECT_EQ(entered.header("location"), base + "lab?user=" + kAlice);
  EXPECT_THAT(entered.header("set-cookie"),
              MatchesRegex("__Secure-resmgr-" + task_ + "=[^;]+; Path=" + base + "; .*"));
  const RawAnswer answer = authorize(original(base + "lab") + cookie());
  EXPECT_EQ(answer.header("x-resmgr-path"), "/lab");
  EXPECT_EQ(answer.header("x-resmgr-base-path"), base);
  EXPECT_EQ(authorize(original(base + "../" + task_ + "/") + cookie()).status, 403);
}

class GatewayBasePathTest : public GatewayRoutesTest {
 protected:
  void SetUp() override {
    set_up(Mode::path, R"(
      name = "web"
      title = "Web"
      image = "web:1"
      container_port = 8080
      command = ["serve", "--base={basePath}"]
      probe = "none"
      [security]
      frame_ancestors = ["https://portal.example.org", "https://*.school.example"]
    )");
  }
};

TEST_F(GatewayBasePathTest, WhoKnowsOfThePathSeesIt) {
  const std::string base = "/t/" + task_ + "/";
  const RawAnswer answer = authorize(original(base + "a%2Fb") + cookie());
  EXPECT_EQ(answer.header("x-resmgr-path"), base + "a%2Fb");
  EXPECT_EQ(answer.header("x-resmgr-authorization"), "");
  EXPECT_EQ(answer.header("x-resmgr-frame-ancestors"),
            "https://portal.example.org https://*.school.example");
  EXPECT_THAT(world_.engine.spec_of("resmgr-" + task_).command,
              testing::ElementsAre("serve", "--base=" + base));
}

TEST_F(RoutesTest, WithoutAGatewayNobodyIsLetThrough) {
  const std::string headers = "X-Original-Host: a\r\nX-Original-URI: /\r\n";
  EXPECT_EQ(ask_get("/api/gateway/authorize", headers).status, 403);
  EXPECT_EQ(ask_get("/api/gateway/enter?code=x", headers).status, 403);
}

}  // namespace
}  // namespace resmgr::api
