// 100 starts at once, while another program takes and frees host ports where the engine looks for
// them.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <deque>
#include <random>
#include <set>
#include <stop_token>
#include <thread>

#include "tests/e2e/fixture.h"

namespace resmgr::e2e {
namespace {

using support::Answer;

constexpr int kStarts = 100;

// A listening socket on that port of the loopback address; -1 if it is taken.
int take(int port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
      ::listen(fd, 1) == 0) {
    return fd;
  }
  ::close(fd);
  return -1;
}

// Holds up to `blocks` runs of `length` neighbouring ports of a range, and moves one every few
// milliseconds, until it is destroyed. Runs, because the engine itself passes over a few taken
// ports.
class PortTaker {
 public:
  PortTaker(int first, int last, int blocks, int length)
      : thread_([=](const std::stop_token& stop) {
          std::minstd_rand random(20'261'122);
          std::uniform_int_distribution<int> start(first, last - length + 1);
          std::deque<std::vector<int>> held;
          while (!stop.stop_requested()) {
            std::vector<int> block;
            const int from = start(random);
            for (int port = from; port < from + length; ++port) block.push_back(take(port));
            held.push_back(block);
            while (static_cast<int>(held.size()) > blocks) release(held);
            std::this_thread::sleep_for(std::chrono::milliseconds(3));
          }
          while (!held.empty()) release(held);
        }) {}

 private:
  static void release(std::deque<std::vector<int>>& held) {
    for (const int fd : held.front()) {
      if (fd >= 0) ::close(fd);
    }
    held.pop_front();
  }
  std::jthread thread_;
};

std::vector<Answer> start_all(const support::AgentProcess& agent) {
  std::vector<Answer> answers(kStarts);
  std::vector<std::jthread> clients;
  clients.reserve(kStarts);
  for (auto& answer : answers) {
    clients.emplace_back([&answer, &agent] {
      answer = agent.as(support::user_token(support::kAlice)).start("hello");
    });
  }
  clients.clear();
  return answers;
}

// Stops them all; the ports must be free again.
void stop_all_and_expect_nothing_left(const support::AgentProcess& agent,
                                      const std::vector<Answer>& answers) {
  {
    std::vector<std::jthread> clients;
    for (const auto& answer : answers) {
      clients.emplace_back([&answer, &agent] {
        const auto alice = agent.as(support::user_token(support::kAlice));
        EXPECT_EQ(alice.del(wire::task_path(answer.text("taskId"))).status, 200);
      });
    }
  }
  EXPECT_TRUE(support::eventually([&] { return support::containers_of(agent.agent_id()).empty(); },
                                  std::chrono::minutes(2)));
  for (const auto& answer : answers) {
    const int port = static_cast<int>(integer_or(answer.json, "containerPort", 0));
    EXPECT_TRUE(support::eventually([&] {
      const int fd = take(port);
      if (fd >= 0) ::close(fd);
      return fd >= 0;
    })) << "port "
        << port << " leaked";
  }
}

void expect_all_serve(const std::vector<Answer>& answers) {
  std::set<std::int64_t> ports;
  for (const auto& answer : answers) {
    ASSERT_EQ(answer.status, 201) << answer.response.body;
    ports.insert(integer_or(answer.json, "containerPort", 0));
    EXPECT_EQ(fetch(answer.text("iframeUrl")).status, 200);
  }
  EXPECT_EQ(ports.size(), answers.size());
}

class PortsTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    support::ensure_hello_image();
    rlimit files{};
    ::getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
  }
};

TEST_F(PortsTest, EngineChoosesAmongPortsThatOthersTake) {
  support::AgentOptions options;
  options.config = support::kAuthWithTestKey;
  const support::AgentProcess agent(options);
  // The engine goes on from the port that it gave last, so that is where others are made to be.
  const Answer first = agent.as(support::user_token(support::kAlice)).start("hello");
  ASSERT_EQ(first.status, 201) << first.response.body;
  const int from = static_cast<int>(integer_or(first.json, "containerPort", 0)) + 1;
  std::vector<Answer> answers;
  {
    const PortTaker taker(from, std::min(from + 1500, 65'535), 12, 32);
    answers = start_all(agent);
  }
  answers.push_back(first);
  expect_all_serve(answers);
  stop_all_and_expect_nothing_left(agent, answers);
}

TEST_F(PortsTest, ConfiguredRangeIsSharedWithOthers) {
  // Below the range from which the kernel gives out ports by itself.
  constexpr int kFirst = 21'000;
  constexpr int kLast = 21'249;
  support::AgentOptions options;
  options.config = std::string(support::kAuthWithTestKey) + "[engine]\nport_range = \"" +
                   std::to_string(kFirst) + "-" + std::to_string(kLast) + "\"\n";
  const support::AgentProcess agent(options);
  std::vector<Answer> answers;
  {
    const PortTaker taker(kFirst, kLast, 8, 8);
    answers = start_all(agent);
  }
  expect_all_serve(answers);
  for (const auto& answer : answers) {
    EXPECT_GE(integer_or(answer.json, "containerPort", 0), kFirst);
    EXPECT_LE(integer_or(answer.json, "containerPort", 0), kLast);
  }
  stop_all_and_expect_nothing_left(agent, answers);
}

}  // namespace
}  // namespace resmgr::e2e
