// Tasks behind a real nginx with the configuration that is shipped: who gets in, and what passes.
#include <algorithm>
#include <optional>
#include <sstream>

#include "tests/e2e/fixture.h"
#include "tests/support/nginx.h"
#include "tests/support/node_script.h"

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

// Shows what came to it, and tries what a service behind a gateway must not get away with.
constexpr char kEcho[] = R"(
name = "echo"
title = "Echo"
image = "resmgr/jupyter:latest"
container_port = 8888
url_path = "/?token={token}"
probe = { http = "/", interval = "100ms" }
start_timeout = "3m"
stop_timeout = "1s"
pull = "never"
command = ["python3", "-c", '''
import asyncio, json
import tornado.ioloop, tornado.web, tornado.websocket

released = asyncio.Event()

class Echo(tornado.web.RequestHandler):
    def show(self):
        for cookie in ("wide=1; Domain=tasks.localhost; Path=/", "deep=1; Path=/deep", "plain=1"):
            self.add_header("Set-Cookie", cookie)
        self.set_header("Service-Worker-Allowed", "/")
        self.set_header("X-Frame-Options", "DENY")
        self.set_header("Clear-Site-Data", "*")
        self.set_header("X-Accel-Redirect", "/.resmgr/authorize")
        self.set_header("Content-Security-Policy",
                        "default-src 'self'; frame-ancestors 'none'; img-src *")
        self.write(json.dumps({"uri": self.request.uri, "bytes": len(self.request.body),
                               "headers": dict(self.request.headers)}))
    get = post = show

class Leads(tornado.web.RequestHandler):
    def get(self):
        self.redirect("/deep")

class Fails(tornado.web.RequestHandler):
    def get(self):
        raise tornado.web.HTTPError(500)

class Streams(tornado.web.RequestHandler):
    async def get(self):
        self.write("first")
        await self.flush()
        await released.wait()
        self.finish("last")

class Releases(tornado.web.RequestHandler):
    def get(self):
        released.set()

class Socket(tornado.websocket.WebSocketHandler):
    def on_message(self, message):
        self.write_message(message)

async def main():
    tornado.web.Application([("/leads", Leads), ("/fails", Fails), ("/streams", Streams),
                             ("/releases", Releases), ("/socket", Socket),
                             ("/.*", Echo)]).listen(8888)
    await asyncio.Event().wait()

asyncio.run(main())
''']
[gateway]
path = "/page"
authorization = "token {token}"
[security]
frame_ancestors = ["https://portal.example.org"]
)";

// As jupyter.toml, with the image that is made of Debian's packages.
constexpr char kGatewayNotebook[] = R"(
name = "notebook"
title = "Notebook"
image = "resmgr/jupyter:latest"
container_port = 8888
url_path = "/tree?token={token}"
command = ["jupyter", "notebook", "--ip=0.0.0.0", "--port=8888", "--no-browser",
           "--NotebookApp.base_url={basePath}"]
env = { JUPYTER_TOKEN = "{token}" }
probe = { http = "/api", interval = "200ms" }
start_timeout = "3m"
stop_timeout = "10s"
pull = "never"
[gateway]
path = "/tree"
authorization = "token {token}"
)";

struct Reply {
  int status = 0;
  std::string head;
  std::string body;

  // Every value of that header.
  std::vector<std::string> all(const std::string& name) const {
    std::vector<std::string> values;
    std::istringstream lines(head);
    for (std::string line; std::getline(lines, line);) {
      if (line.ends_with('\r')) line.pop_back();
      const auto colon = line.find(": ");
      if (colon != std::string::npos &&
          strcasecmp(line.substr(0, colon).c_str(), name.c_str()) == 0) {
        values.push_back(line.substr(colon + 2));
      }
    }
    return values;
  }
  std::string header(const std::string& name) const {
    const auto values = all(name);
    return values.empty() ? std::string() : values.front();
  }
};

class GatewayTest : public ::testing::Test {
 protected:
  void SetUp() override { set_up("host"); }

  void set_up(const std::string& mode) {
    support::ensure_jupyter_image();
    mode_ = mode;
    const std::string port = std::to_string(port_);
    support::AgentOptions options;
    options.config = support::kAuthWithTestKey + std::string("[server]\npublic_url = \"https://") +
                     support::kDashboardHost + ":" + port + "\"\n[gateway]\nbase = \"https://" +
                     support::kTasksHost + ":" + port + "\"\nmode = \"" + mode + "\"\n";
    options.services = {{"echo.toml", kEcho}, {"notebook.toml", kGatewayNotebook}};
    agent_ = std::make_unique<support::AgentProcess>(options);
    nginx_ = std::make_unique<support::Nginx>(port_, agent_->url());
  }
  void TearDown() override {
    if (!HasFailure()) return;
    std::cerr << "the agent's log:\n" << agent_->log() << "nginx's log:\n" << nginx_->log() << '\n';
  }

  support::RestClient as(const char* user) const { return agent_->as(support::user_token(user)); }

  // A running task with the cookie of somebody who entered it.
  struct Visited {
    std::string id;
    std::string url;  // iframeUrl
    std::string cookie;
    Reply entered;
  };
  Visited visit(const char* user, const std::string& service) const {
    const support::Answer started = as(user).start(service);
    EXPECT_EQ(started.status, 201) << started.response.body;
    Visited task;
    task.id = started.text("taskId");
    task.url = started.text("iframeUrl");
    const auto path = task.url.find('/', task.url.find("//") + 2);
    task.entered = ask(get(task, task.url.substr(path), ""));
    const std::string set = task.entered.header("Set-Cookie");
    task.cookie = set.substr(0, set.find(';'));
    return task;
  }

  std::string host_of(const Visited& task) const {
    return (mode_ == "host" ? task.id + "." : "") + support::kTasksHost;
  }
  std::string base_of(const Visited& task) const {
    return mode_ == "host" ? "/" : "/t/" + task.id + "/";
  }
  std::string origin_of(const Visited& task) const {
    return "https://" + host_of(task) + ":" + std::to_string(port_);
  }

  struct Raw {
    std::string name;  // of the server
    std::string text;
  };
  // `target` is sent as it stands.
  Raw request(const std::string& method, const Visited& task, const std::string& target,
              const std::string& headers, const std::string& body = "") const {
    return {host_of(task),
            method + " " + target + " HTTP/1.1\r\nHost: " + host_of(task) + ":" +
                std::to_string(port_) + "\r\n" + headers +
                (headers.find("Connection:") == std::string::npos ? "Connection: close\r\n" : "") +
                "\r\n" + body};
  }
  Raw get(const Visited& task, const std::string& target, const std::string& headers) const {
    return request("GET", task, target, headers);
  }
  static std::string with(const std::string& cookie) { return "Cookie: " + cookie + "\r\n"; }

  std::vector<Reply> ask_all(const std::vector<Raw>& requests) const {
    Json list = Json::array();
    for (const Raw& one : requests) list.push_back({{"name", one.name}, {"text", one.text}});
    support::SpawnOptions spawn;
    spawn.input = list.dump(-1, ' ', true, Json::error_handler_t::replace);
    const auto told =
        support::run({"python3", RESMGR_GATEWAY_CLIENT, std::to_string(port_)}, spawn);
    EXPECT_EQ(told.code, 0) << told.err;
    std::vector<Reply> replies;
    for (const Json& one : Json::parse(told.out)) {
      replies.push_back({one.at("status"), one.at("head"), one.at("body")});
    }
    return replies;
  }
  Reply ask(const Raw& request) const { return ask_all({request}).front(); }

  // With the right cookie for `mine`, and no plain way into it.
  void expect_none_gets_in(const Visited& mine, const std::vector<std::string>& targets) const {
    std::vector<Raw> requests;
    for (const std::string& target : targets) {
      for (const std::string method : {"GET", "POST"}) {
        requests.push_back(
            request(method, mine, target, with(mine.cookie) + "Content-Length: 0\r\n"));
      }
    }
    const std::vector<Reply> replies = ask_all(requests);
    ASSERT_EQ(replies.size(), requests.size());
    for (std::size_t i = 0; i < replies.size(); ++i) {
      const std::string line = requests[i].text.substr(0, requests[i].text.find('\r'));
      // nginx itself takes some for no request at all.
      EXPECT_TRUE(replies[i].status == 403 || replies[i].status == 400)
          << line << " " << replies[i].head;
    }
  }

  const int port_ = support::quiet_port();
  std::string mode_;
  std::unique_ptr<support::AgentProcess> agent_;
  std::unique_ptr<support::Nginx> nginx_;
};

class GatewayPathTest : public GatewayTest {
 protected:
  void SetUp() override { set_up("path"); }
};

TEST_F(GatewayTest, ANotebookComputesInAFrameOfTheDashboard) {
  const support::Finished played = support::run_node_script(
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
