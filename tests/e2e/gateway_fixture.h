// An agent behind a real nginx with the configuration that is shipped, and raw requests to both.
#ifndef RESMGR_TESTS_E2E_GATEWAY_FIXTURE_H_
#define RESMGR_TESTS_E2E_GATEWAY_FIXTURE_H_

#include <strings.h>

#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "tests/e2e/fixture.h"
#include "tests/support/nginx.h"

namespace resmgr::e2e {

// Shows what came to it, and tries what a service behind a gateway must not get away with.
inline constexpr char kEcho[] = R"(
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
inline constexpr char kGatewayNotebook[] = R"(
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

}  // namespace resmgr::e2e

#endif  // RESMGR_TESTS_E2E_GATEWAY_FIXTURE_H_
