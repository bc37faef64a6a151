// Hostile clients against a server in a process of its own: its memory stays small, good clients
// are served meanwhile, and nothing is smuggled.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "agent/api/gate.h"
#include "agent/api/router.h"
#include "tests/support/temp_dir.h"
#include "tests/support/tokens.h"
#include "tests/unit/api/raw_client.h"

namespace resmgr::api {
namespace {

constexpr std::size_t kMemoryLimitKb = 40 * 1024;
constexpr std::string_view kBody = R"({"serviceType":"web"})";

// The server's process: a route that echoes its body to whoever has a token, until standard input
// ends. What it handled is counted; "GET /count" tells.
int serve(const std::string& key_file) {
  std::atomic<int> handled{0};
  Router router;
  router.add({.method = Method::post,
              .pattern = "/api/tasks",
              .runs = Runs::on_worker,
              .takes_body = true,
              .handler = [&](const Responder& responder) -> std::optional<Response> {
                ++handled;
                return json_response(200, responder.request().body);
              }});
  router.add({.method = Method::get,
              .pattern = "/count",
              .access = Access::open,
              .handler = [&](const Responder&) -> std::optional<Response> {
                return json_response(200, std::to_string(handled));
              }});
  SystemClock clock;
  identity::AuthOptions auth;
  auth.hmac_key_file = key_file;
  identity::Authenticator authenticator(auth, clock, "aaaaaaaa-0000-4000-8000-000000000001");
  WorkerPool workers(8, 64);
  Gate gate(router, authenticator, workers, nullptr, {});
  ServerOptions options;
  options.listen = {"127.0.0.1:0"};
  HttpServer server(options, gate);
  server.start();
  std::cout << server.listening().front() << std::endl;
  std::string line;
  while (std::getline(std::cin, line)) continue;
  server.stop();
  workers.stop();
  return 0;
}

// A client that goes on sending may find the connection gone before it reads why.
auto refusal(int status) { return testing::AnyOf(0, status); }

class HostileTest : public testing::Test {
 protected:
  void SetUp() override {
    const std::string key_file = dir_.write("key", support::kTestKey);
    std::array<int, 2> to_child{};
    std::array<int, 2> from_child{};
    ASSERT_EQ(pipe2(to_child.data(), O_CLOEXEC), 0);
    ASSERT_EQ(pipe2(from_child.data(), O_CLOEXEC), 0);
    pid_ = fork();
    if (pid_ == 0) {
      dup2(to_child[0], 0);
      dup2(from_child[1], 1);
      execl("/proc/self/exe", "server", "--serve", key_file.c_str(), nullptr);
      _exit(127);
    }
    close(to_child[0]);
    close(from_child[1]);
    input_ = to_child[1];
    FILE* const lines = fdopen(from_child[0], "r");
    std::array<char, 128> line{};
    ASSERT_NE(std::fgets(line.data(), line.size(), lines), nullptr);
    std::fclose(lines);
    address_ = line.data();
    address_.pop_back();
  }
  void TearDown() override {
    EXPECT_TRUE(serves());
    expect_small();
    close(input_);
    int status = 0;
    ASSERT_EQ(waitpid(pid_, &status, 0), pid_);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  }

  std::size_t memory_kb(const std::string& field) const {
    std::ifstream status("/proc/" + std::to_string(pid_) + "/status");
    std::string line;
    while (std::getline(status, line)) {
      if (line.rfind(field + ":", 0) == 0) return std::stoul(line.substr(field.size() + 1));
    }
    return 0;
  }
  void expect_small() const {
    RecordProperty("VmHWM", static_cast<int>(memory_kb("VmHWM")));
    RecordProperty("RssAnon", static_cast<int>(memory_kb("RssAnon")));
    std::cout << "VmHWM " << memory_kb("VmHWM") << " kB, RssAnon " << memory_kb("RssAnon")
              << " kB\n";
#ifndef RESMGR_SANITIZED
    EXPECT_GT(memory_kb("VmHWM"), 0U);
    EXPECT_LT(memory_kb("VmHWM"), kMemoryLimitKb);
#endif
  }
  static std::string token() {
    return "Authorization: Bearer " + support::user_token(support::kAlice) + "\r\n";
  }
  bool serves() const {
    return RawClient(address_).ask(post("/api/tasks", kBody, token())).body == kBody;
  }
  int handled() const { return std::stoi(RawClient(address_).ask(get("/count")).body); }

  support::TempDir dir_;
  pid_t pid_ = -1;
  int input_ = -1;
  std::string address_;
};

TEST_F(HostileTest, ChunkedBodyOfAGigabyte) {
  RawClient client(address_);
  client.send("POST /api/tasks HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n" +
              token() + "Transfer-Encoding: chunked\r\n\r\n");
  const std::string chunk = "8000\r\n" + std::string(0x8000, ' ') + "\r\n";
  std::size_t sent = 0;
  while (sent < (1UL << 30) && client.send(chunk)) sent += chunk.size();
  EXPECT_LT(sent, 64UL << 20);
  EXPECT_THAT(client.read().status, refusal(413));
  EXPECT_EQ(handled(), 0);
}

TEST_F(HostileTest, TellsWhyALargeBodyIsRefused) {
  RawClient client(address_);
  client.send("POST /api/tasks HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n" +
              token() + "Transfer-Encoding: chunked\r\n\r\n10001\r\n" + std::string(0x8000, ' '));
  EXPECT_EQ(client.read().status, 413);
  RawClient announced(address_);
  EXPECT_EQ(announced
                .ask("POST /api/tasks HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n" +
                     token() + "Content-Length: 1073741824\r\n\r\n" + std::string(70'000, ' '))
                .status,
            413);
}

TEST_F(HostileTest, OneByteChunks) {
  RawClient client(address_);
  client.send("POST /api/tasks HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n" +
              token() + "Transfer-Encoding: chunked\r\n\r\n");
  std::string chunks;
  for (int i = 0; i < 10'000; ++i) chunks += "1\r\n \r\n";
  for (int i = 0; i < 100 && client.send(chunks); ++i) continue;
  EXPECT_THAT(client.read().status, refusal(413));
}

TEST_F(HostileTest, ChunkExtensionsWithoutEnd) {
  RawClient client(address_);
  client.send("POST /api/tasks HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n" +
              token() + "Transfer-Encoding: chunked\r\n\r\n1;");
  const std::string more(64 * 1024, 'a');
  for (int i = 0; i < 1000 && client.send(more); ++i) continue;
  EXPECT_THAT(client.read().status, refusal(400));
}

TEST_F(HostileTest, TrailersWithoutEnd) {
  RawClient client(address_);
  client.send("POST /api/tasks HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n" +
              token() + "Transfer-Encoding: chunked\r\n\r\n0\r\n");
  std::string more;
  for (int i = 0; i < 5'000; ++i) more += "A: b\r\n";
  for (int i = 0; i < 1000 && client.send(more); ++i) continue;
  EXPECT_THAT(client.read().status, refusal(400));
  EXPECT_EQ(handled(), 0);
}

TEST_F(HostileTest, AMillionHeaders) {
  RawClient client(address_);
  client.send("GET /count HTTP/1.1\r\nHost: a\r\n");
  std::string some;
  for (int i = 0; i < 10'000; ++i) some += "X-A: b\r\n";
  for (int i = 0; i < 100 && client.send(some); ++i) continue;
  EXPECT_THAT(client.read().status, refusal(431));
}

TEST_F(HostileTest, ARequestLineOf256Megabytes) {
  RawClient client(address_);
  client.send("GET /");
  const std::string some(1 << 20, 'a');
  int sent = 0;
  while (sent < 256 && client.send(some)) ++sent;
  EXPECT_LT(sent, 64);
  EXPECT_THAT(client.read().status, refusal(431));
}

TEST_F(HostileTest, CompressedBodies) {
  const RawAnswer answer = RawClient(address_).ask(
      post("/api/tasks", "\x1f\x8b\x08", "Content-Encoding: gzip\r\n" + token()));
  EXPECT_EQ(answer.status, 415);
  EXPECT_EQ(handled(), 0);
}

TEST_F(HostileTest, FramingThatTwoPartiesReadDifferently) {
  const std::string inner =
      post("/api/tasks", kBody, token());  // would count if it were taken for a request
  const std::string head =
      "POST /api/tasks HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n" + token();
  for (const std::string& framing : std::vector<std::string>{
           "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nX",
           "Transfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\nX",
           "Content-Length: 0\r\nContent-Length: " + std::to_string(inner.size()) + "\r\n\r\n",
           "Content-Length: 0," + std::to_string(inner.size()) + "\r\n\r\n",
           "Transfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n",
           "Transfer-Encoding:\x0b chunked\r\n\r\n0\r\n\r\n",
           "Transfer-Encoding: chunked\r\nTransfer-encoding: x\r\n\r\n0\r\n\r\n",
           "Transfer-Encoding\r\n : chunked\r\n\r\n0\r\n\r\n",
           "Transfer-Encoding: chunked\r\n\r\n-1\r\n", "Transfer-Encoding: chunked\r\n\r\n0\n\n",
           "Transfer-Encoding: chunked\r\n\r\n00000000000000000000000g\r\n",
           "Content-Length: -5\r\n\r\n", "Content-Length: 0x0\r\n\r\n", "Foo: bar\n\n"}) {
    RawClient client(address_);
    const RawAnswer answer = client.ask(head + framing + inner);
    EXPECT_TRUE(answer.status == 400 || answer.status == 501) << framing;
    EXPECT_TRUE(client.ends()) << framing;
  }
  EXPECT_EQ(handled(), 0);
}

TEST_F(HostileTest, PipelinedGarbage) {
  for (int i = 0; i < 50; ++i) {
    RawClient client(address_);
    client.send(get("/count") + get("/count") + std::string(100'000, '\xff'));
    EXPECT_EQ(client.read().status, 200);
    EXPECT_EQ(client.read().status, 200);
    EXPECT_EQ(client.read().status, 400);
  }
}

TEST_F(HostileTest, APipelineWhoseAnswersNobodyReads) {
  RawClient client(address_);
  std::string requests;
  for (int i = 0; i < 1'000; ++i) requests += get("/count");
  std::size_t sent = 0;
  int stuck = 0;
  while (sent < (256UL << 20) && stuck < 20) {
    const std::size_t more = client.send_some(requests);
    sent += more;
    if (more > 0) {
      stuck = 0;
      continue;
    }
    ++stuck;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  // Back pressure: what it does not take waits on the attacker's side.
  EXPECT_LT(sent, 256UL << 20);
}

TEST_F(HostileTest, FiveHundredSlowConnections) {
  std::vector<std::unique_ptr<RawClient>> slow;
  for (int i = 0; i < 500; ++i) {
    slow.push_back(std::make_unique<RawClient>(address_));
    slow.back()->send("GET /count HTTP/1.1\r\nHost: a\r\nX: " + std::string(15'000, 'a'));
  }
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(serves());
    for (const auto& client : slow) client->send("a");
  }
  expect_small();
}

TEST_F(HostileTest, FiveHundredSlowBodies) {
  std::vector<std::unique_ptr<RawClient>> slow;
  for (int i = 0; i < 500; ++i) {
    slow.push_back(std::make_unique<RawClient>(address_));
    slow.back()->send("POST /api/tasks HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n" +
                      token() + "Content-Length: 65536\r\n\r\n" + std::string(65'000, ' '));
  }
  EXPECT_TRUE(serves());
  expect_small();
  slow.clear();
}

TEST_F(HostileTest, ConnectionsThatComeAndGo) {
  for (int i = 0; i < 2'000; ++i) {
    RawClient client(address_);
    if (i % 2 == 0) client.send("GET /co");
  }
}

}  // namespace
}  // namespace resmgr::api

int main(int argc, char** argv) {
  signal(SIGPIPE, SIG_IGN);
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  if (argc == 3 && std::string_view(argv[1]) == "--serve") return resmgr::api::serve(argv[2]);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
