// Tasks behind a real nginx with the configuration that is shipped: who gets in, and what passes.
#include <algorithm>
#include <optional>

#include "tests/e2e/gateway_fixture.h"
#include "tests/support/browser_script.h"

namespace resmgr::e2e {
namespace {

using support::eventually;
using support::kAlice;
using support::kBob;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

class GatewayPathTest : public GatewayTest {
 protected:
  void SetUp() override { set_up("path"); }
};

TEST_F(GatewayTest, ANotebookComputesInAFrameOfTheDashboard) {
  const support::Finished played = support::run_browser_script(
      "gateway.mjs",
      {"https://" + std::string(support::kDashboardHost) + ":" + std::to_string(port_)},
      {{"ALICE", support::user_token(kAlice)}}, std::chrono::minutes(5));
  EXPECT_EQ(played.code, 0) << played.out << played.err;
}

TEST_F(GatewayTest, ATaskSeesItsOwnAloneAndReachesNothingBeyond) {
  const Visited task = visit(kAlice, "echo");
  EXPECT_EQ(task.entered.status, 303) << task.entered.head;
  EXPECT_EQ(task.entered.header("Location"), "/page");
  EXPECT_THAT(task.entered.header("Set-Cookie"),
              AllOf(StartsWith("__Host-"), HasSubstr("; Path=/;"), HasSubstr("; HttpOnly"),
                    HasSubstr("; Secure"), HasSubstr("; SameSite=None"), HasSubstr("; Partitioned"),
                    Not(HasSubstr("Domain"))));
  EXPECT_THAT(task.entered.header("Referrer-Policy"), "no-referrer");

  const Reply reply = ask(get(task, "/a%2Fb//c?x=1&y=/../z",
                              with("mine=1; " + task.cookie + "; resmgr_session=secret") +
                                  "Authorization: Bearer mine\r\nProxy-Authorization: Basic x\r\n"
                                  "Forwarded: for=6.6.6.6\r\nX-Forwarded-For: 6.6.6.6\r\n"));
  ASSERT_EQ(reply.status, 200) << reply.head << reply.body;
  const Json seen = Json::parse(reply.body);
  EXPECT_EQ(seen.at("uri"), "/a%2Fb//c?x=1&y=/../z");
  EXPECT_EQ(seen.at("headers").at("Cookie"), "mine=1");
  EXPECT_THAT(seen.at("headers").at("Authorization").get<std::string>(), StartsWith("token "));
  EXPECT_EQ(seen.at("headers").at("X-Forwarded-For"), "127.0.0.1");
  EXPECT_THAT(reply.body, Not(HasSubstr("secret")));
  EXPECT_THAT(reply.body, Not(HasSubstr("Proxy-Authorization")));

  EXPECT_THAT(reply.all("Set-Cookie"),
              ElementsAre("wide=1; Domain=; Path=/", "deep=1; Path=/deep", "plain=1"));
  for (const char* const hidden :
       {"Service-Worker-Allowed", "X-Frame-Options", "Clear-Site-Data"}) {
    EXPECT_THAT(reply.all(hidden), IsEmpty()) << hidden;
  }
  EXPECT_THAT(
      reply.all("Content-Security-Policy"),
      ElementsAre("default-src 'self';; img-src *", "frame-ancestors https://portal.example.org"));
}

TEST_F(GatewayTest, NobodyElseGetsIn) {
  const Visited alice = visit(kAlice, "echo");
  const Visited bob = visit(kBob, "echo");
  ASSERT_EQ(ask(get(bob, "/", with(bob.cookie))).status, 200);
  std::vector<Raw> requests = {
      get(alice, "/", ""),
      get(alice, "/", with(bob.cookie)),
      get(alice, "/", "Authorization: Bearer " + support::user_token(kAlice) + "\r\n"),
      get(alice, bob.url.substr(bob.url.find("/.resmgr")), ""),
      get(alice, "/.resmgr/enter?code=x", with(bob.cookie)),
      get(alice, "/.resmgr/enter", "")};
  // A name of the server and a Host that differ, twice a Host, and the like.
  Raw mixed = get(bob, "/", with(bob.cookie));
  mixed.text.replace(mixed.text.find(bob.id), bob.id.size(), alice.id);
  requests.push_back(mixed);
  requests.push_back(get(bob, "/", with(bob.cookie) + "Host: " + host_of(alice) + "\r\n"));
  requests.push_back(get(bob, "https://" + host_of(alice) + "/", with(bob.cookie)));
  requests.push_back(get(bob, "/",
                         with(bob.cookie) + "X-Original-Host: " + host_of(alice) + "\r\n" +
                             "Origin: https://evil.example\r\n"));
  for (const Reply& reply : ask_all(requests)) {
    EXPECT_TRUE(reply.status == 403 || reply.status == 400) << reply.head << reply.body;
  }
  // What nginx sets itself can't be had from outside.
  const std::vector<Reply> replies =
      ask_all({get(alice, "/.resmgr/authorize", with(alice.cookie)),
               get(bob, "/",
                   with(bob.cookie) + "X-Original-Host: " + host_of(alice) +
                       "\r\nX-Resmgr-Upstream: 127.0.0.1:1\r\n")});
  EXPECT_EQ(replies[0].status, 404);
  EXPECT_EQ(replies[1].status, 200);
  expect_none_gets_in(bob, {"/../x", "/x/../../y", "/%2e%2e/x", "/.%2e/x", "/x%2f..%2fy", "/..%5cx",
                            "/%252e%252e/x", "/..;/x", "/x/.", "/%c0%ae%c0%ae/x", "/%00",
                            "/\\..\\x", "/x%0d%0ay", "/..", "/.", "//../x", "/%5c..%5cx"});
}

TEST_F(GatewayTest, StreamsSocketsUploadsAndFaultsPass) {
  const Visited task = visit(kAlice, "echo");
  const std::string upgrade =
      with(task.cookie) +
      "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
  const std::string large(3'000'000, 'x');
  const std::vector<Reply> replies =
      ask_all({get(task, "/socket", upgrade + "Origin: " + origin_of(task) + "\r\n"),
               get(task, "/socket", upgrade + "Origin: https://evil.example\r\n"),
               request("POST", task, "/",
                       with(task.cookie) + "Origin: https://evil.example\r\n"
                                           "Content-Length: 0\r\n"),
               request("POST", task, "/", with(task.cookie) + "Content-Length: 3000000\r\n", large),
               get(task, "/fails", with(task.cookie))});
  EXPECT_EQ(replies[0].status, 101) << replies[0].head;
  EXPECT_EQ(replies[0].header("Sec-WebSocket-Accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  EXPECT_EQ(replies[1].status, 403);
  EXPECT_EQ(replies[2].status, 403);
  ASSERT_EQ(replies[3].status, 200) << replies[3].head;
  EXPECT_EQ(Json::parse(replies[3].body).at("bytes"), large.size());
  // The task's own, which is not taken for ours.
  EXPECT_EQ(replies[4].status, 500);
  EXPECT_EQ(replies[4].header("Retry-After"), "");

  // What the task has said is there before it goes on.
  support::Subprocess stream({"curl", "--silent", "--no-buffer", "--insecure", "--resolve",
                              host_of(task) + ":" + std::to_string(port_) + ":127.0.0.1",
                              "--cookie", task.cookie, origin_of(task) + "/streams"});
  EXPECT_TRUE(eventually([&] { return stream.out() == "first"; })) << stream.out() << stream.err();
  EXPECT_EQ(ask(get(task, "/releases", with(task.cookie))).status, 200);
  EXPECT_EQ(stream.wait(std::chrono::minutes(1)), 0);
  EXPECT_EQ(stream.out(), "firstlast");
}

TEST_F(GatewayTest, TheDoorClosesWithTheTaskAndWithoutTheAgent) {
  const Visited task = visit(kAlice, "echo");
  agent_->kill9();
  for (const Reply& reply : ask_all({get(task, "/", with(task.cookie)),
                                     get(task, task.url.substr(task.url.find("/.resmgr")), "")})) {
    EXPECT_EQ(reply.status, 503) << reply.head;
    EXPECT_NE(reply.header("Retry-After"), "");
  }
  // Another process, and nothing was stored: the cookie is as good as before.
  agent_->start();
  nginx_ = std::make_unique<support::Nginx>(port_, agent_->url());
  EXPECT_EQ(ask(get(task, "/", with(task.cookie))).status, 200);
  EXPECT_EQ(as(kAlice).del(wire::task_path(task.id)).status, 200);
  for (const Reply& reply :
       ask_all({get(task, "/", with(task.cookie)),
                get(task, task.url.substr(task.url.find("/.resmgr")), with(task.cookie))})) {
    EXPECT_EQ(reply.status, 403) << reply.head;
  }
}

TEST_F(GatewayPathTest, EachTaskKeepsToItsPath) {
  const Visited alice = visit(kAlice, "echo");
  const Visited bob = visit(kBob, "echo");
  const std::string base = base_of(alice);
  EXPECT_EQ(alice.entered.header("Location"), base + "page");
  EXPECT_THAT(alice.entered.header("Set-Cookie"),
              AllOf(StartsWith("__Secure-"), HasSubstr("; Path=" + base + ";")));
  const Reply reply = ask(get(alice, base + "x?y", with(alice.cookie + "; a=b")));
  ASSERT_EQ(reply.status, 200) << reply.head << reply.body;
  EXPECT_EQ(Json::parse(reply.body).at("uri"), "/x?y");
  EXPECT_EQ(Json::parse(reply.body).at("headers").at("Cookie"), "a=b");
  EXPECT_THAT(reply.all("Set-Cookie"), ElementsAre("wide=1; Domain=; Path=" + base,
                                                   "deep=1; Path=" + base + "deep", "plain=1"));
  EXPECT_EQ(ask(get(alice, base + "leads", with(alice.cookie))).header("Location"), base + "deep");
  const Reply bare = ask(get(alice, base.substr(0, base.size() - 1) + "?z", with(alice.cookie)));
  EXPECT_EQ(bare.status, 308);
  EXPECT_EQ(bare.header("Location"), base + "?z");

  const std::string mine = base_of(bob);
  const std::string wanted = alice.id;
  EXPECT_EQ(ask(get(bob, mine, with(bob.cookie))).status, 200);
  std::vector<std::string> tricks = {base,
                                     base + "x",
                                     "//t/" + wanted + "/",
                                     "/./t/" + wanted + "/",
                                     "/%74/" + wanted + "/",
                                     "/t%2f" + wanted + "/",
                                     "/x/../t/" + wanted + "/"};
  for (const std::string climb :
       {"../", "%2e%2e/", ".%2e/", "..%2f", "%2e%2e%2f", "..%5c", "%252e%252e/", "..;/", "x/../../",
        "x%2f..%2f..%2f", "..%252f", "%c0%ae%c0%ae/", "./../", "..\\", "..%00/", "..//"}) {
    tricks.push_back(mine + climb + wanted + "/");
    tricks.push_back(mine + climb + "t/" + wanted + "/");
  }
  expect_none_gets_in(bob, tricks);
}

TEST_F(GatewayPathTest, ANotebookIsToldItsPath) {
  const Visited task = visit(kAlice, "notebook");
  const std::string base = base_of(task);
  EXPECT_EQ(task.entered.header("Location"), base + "tree");
  const std::vector<Reply> replies = ask_all(
      {get(task, base + "tree", with(task.cookie)),
       request("POST", task, base + "api/contents",
               with(task.cookie) + "Origin: " + origin_of(task) + "\r\nContent-Length: 19\r\n",
               R"({"type":"notebook"})")});
  EXPECT_EQ(replies[0].status, 200) << replies[0].head;
  EXPECT_THAT(replies[0].body, HasSubstr("data-base-url=\"" + base + "\""));
  EXPECT_EQ(replies[1].status, 201) << replies[1].head << replies[1].body;
  EXPECT_THAT(replies[0].all("Content-Security-Policy").back(),
              StartsWith("frame-ancestors 'self' https://resmgr.localhost:"));
}

}  // namespace
}  // namespace resmgr::e2e
