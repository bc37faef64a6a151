// What a task can reach and hurt, tried from inside of one.

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <sstream>
#include <stdexcept>
#include <stop_token>
#include <thread>

#include "tests/e2e/fixture.h"
#include "tests/e2e/tool_service.h"

namespace resmgr::e2e {
namespace {

using support::Answer;
using support::docker;
using support::Finished;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kGreeting[] = "somebody is here";

// Greets whoever connects, on a free port of one address of the host.
class Greeter {
 public:
  explicit Greeter(in_addr_t address) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in own{};
    own.sin_family = AF_INET;
    own.sin_addr.s_addr = htonl(address);
    socklen_t size = sizeof own;
    auto* const raw = reinterpret_cast<sockaddr*>(&own);
    if (::bind(fd_, raw, size) != 0 || ::listen(fd_, 8) != 0 ||
        ::getsockname(fd_, raw, &size) != 0) {
      throw std::runtime_error("no socket to listen on");
    }
    port_ = ntohs(own.sin_port);
    thread_ = std::jthread([this](const std::stop_token& stop) {
      for (int peer = 0; (peer = ::accept(fd_, nullptr, nullptr)) >= 0; ::close(peer)) {
        if (stop.stop_requested()) break;
        [[maybe_unused]] const auto sent = ::send(peer, kGreeting, sizeof kGreeting - 1, 0);
      }
    });
  }
  ~Greeter() {
    thread_.request_stop();
    ::shutdown(fd_, SHUT_RDWR);
    thread_.join();
    ::close(fd_);
  }
  std::string port() const { return std::to_string(port_); }

 private:
  int fd_;
  int port_ = 0;
  std::jthread thread_;
};

std::string toml_volume(const std::string& name, const std::string& path, bool keep) {
  return "[[volumes]]\nname = \"" + name + "\"\npath = \"" + path +
         "\"\nkeep = " + (keep ? "true" : "false") + "\n";
}

class IsolationTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    support::ensure_hello_image();
    volumes_ = "resmgr-e2e-" + std::to_string(::getpid());
    support::AgentOptions options;
    options.config = std::string(support::kAuthWithTestKey) + "[server]\nallow_plaintext = true\n";
    options.listen = {"127.0.0.1:0", "0.0.0.0:0"};
    std::string keeper = tool_service("keeper");
    keeper.replace(keeper.find("read_only = true"), 16, "read_only = true, user = \"0\"");
    options.services = {
        {"tool.toml", tool_service("tool", "pids = 24\nmemory = \"32MiB\"\ncpus = 0.5")},
        {"keeper.toml", keeper + toml_volume(volumes_ + "-kept-{userId}", "/kept", true) +
                            toml_volume(volumes_ + "-lost-{taskId}", "/lost", false)}};
    agent_ = std::make_unique<support::AgentProcess>(options);
  }
  static void TearDownTestSuite() {
    agent_.reset();
    // An agent that was stopped right after a task's end leaves its volumes for its next start.
    std::istringstream left(docker({"volume", "ls", "--quiet", "--filter", "name=" + volumes_}));
    for (std::string name; left >> name;) docker({"volume", "rm", name});
  }

  static support::AgentProcess& agent() { return *agent_; }
  support::RestClient alice() const { return agent().as(support::user_token(support::kAlice)); }
  support::RestClient bob() const { return agent().as(support::user_token(support::kBob)); }

  void TearDown() override {
    if (HasFailure()) std::cerr << "the agent's log:\n" << agent().log() << '\n';
    const auto admin = agent().as(support::admin_token());
    for (const auto& task : admin.get("/api/tasks?status=Running,Starting").json) {
      admin.del(wire::task_path(string_or(task, "taskId")));
    }
  }

  static std::string network() {
    return docker({"network", "ls", "--format", "{{.Name}}", "--filter",
                   "label=io.resmgr.agent-id=" + agent().agent_id()});
  }
  static std::string gateway() {
    return docker(
        {"network", "inspect", "--format", "{{(index .IPAM.Config 0).Gateway}}", network()});
  }
  static std::string address_of(const std::string& container) {
    return docker({"inspect", "--format",
                   "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", container});
  }
  // What a task gets to read from there.
  static std::string read_from(const std::string& container, const std::string& host,
                               const std::string& port) {
    return inside(container, "printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 3 " + host + " " + port +
                                 " 2>&1 || echo unreachable")
        .out;
  }
  static bool serves(const Answer& task) { return fetch(task.text("iframeUrl")).status == 200; }

  inline static std::string volumes_;

 private:
  inline static std::unique_ptr<support::AgentProcess> agent_;
};

TEST_F(IsolationTest, NeighbourCantBeReached) {
  const std::string own = alice().start("tool").text("containerId");
  const Answer other = bob().start("hello");
  ASSERT_TRUE(serves(other));
  const std::string port = std::to_string(integer_or(other.json, "containerPort", 0));
  EXPECT_THAT(read_from(own, address_of(other.text("containerId")), "8080"),
              Not(HasSubstr("HTTP/")));
  // Hazard 11: it answers through the gateway too, unless published on loopback alone.
  EXPECT_THAT(read_from(own, gateway(), port), Not(HasSubstr("HTTP/")));
}

TEST_F(IsolationTest, HostsLoopbackCantBeReached) {
  const std::string own = alice().start("tool").text("containerId");
  const Greeter on_loopback(INADDR_LOOPBACK);
  const Greeter everywhere(INADDR_ANY);
  // What the host offers to everyone is reached: the way is there, and this test could fail.
  EXPECT_THAT(read_from(own, gateway(), everywhere.port()), HasSubstr(kGreeting));
  EXPECT_THAT(read_from(own, gateway(), on_loopback.port()), Not(HasSubstr(kGreeting)));
  EXPECT_THAT(read_from(own, "127.0.0.1", on_loopback.port()), Not(HasSubstr(kGreeting)));
}

// Hazard 11: though it listens everywhere.
TEST_F(IsolationTest, AgentCantBeReached) {
  const std::string own = alice().start("tool").text("containerId");
  const std::string everywhere = agent().listening().at(1);
  const std::string port = everywhere.substr(everywhere.rfind(':') + 1);
  ASSERT_EQ(support::RestClient("http://127.0.0.1:" + port).get("/healthz").status, 200);
  EXPECT_THAT(read_from(own, gateway(), port), Not(HasSubstr("HTTP/")));
  const std::string on_loopback = agent().listening().at(0);
  EXPECT_THAT(read_from(own, gateway(), on_loopback.substr(on_loopback.rfind(':') + 1)),
              Not(HasSubstr("HTTP/")));
}

// Hazard 11.
TEST_F(IsolationTest, PortsForAllTheWorldHaveToBeAskedForTwice) {
  support::AgentOptions options;
  options.config = "[engine]\npublish_address = \"0.0.0.0\"\n";
  try {
    const support::AgentProcess refused(options);
    ADD_FAILURE() << "it started";
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), HasSubstr("allow_neighbours = true"));
  }
  options.config += "allow_neighbours = true\n";
  EXPECT_NO_THROW(support::AgentProcess{options});
}

TEST_F(IsolationTest, ContainerIsConfinedAsDockerSeesIt) {
  const std::string own = alice().start("tool").text("containerId");
  EXPECT_EQ(
      docker({"inspect", "--format",
              "{{json .HostConfig.CapDrop}} {{json .HostConfig.CapAdd}} "
              "{{json .HostConfig.SecurityOpt}} {{.HostConfig.Privileged}} "
              "{{.HostConfig.ReadonlyRootfs}} {{json .HostConfig.Binds}} "
              "{{json .HostConfig.Devices}} {{.HostConfig.PidMode}}/{{.HostConfig.IpcMode}}/"
              "{{.HostConfig.UTSMode}}/{{.HostConfig.UsernsMode}} {{.HostConfig.NetworkMode}}",
              own}),
      R"(["ALL"] null ["no-new-privileges"] false true null null /private// )" + network());
  EXPECT_EQ(docker({"inspect", "--format",
                    "{{.HostConfig.Memory}} {{.HostConfig.MemorySwap}} {{.HostConfig.NanoCpus}} "
                    "{{.HostConfig.PidsLimit}} {{.HostConfig.LogConfig.Type}} {{json "
                    ".HostConfig.LogConfig.Config}}",
                    own}),
            R"(33554432 33554432 500000000 24 )"
            R"(json-file {"max-file":"1","max-size":"10485760"})");
  const std::string status = inside(own, "cat /proc/1/status; mount").out;
  EXPECT_THAT(status, HasSubstr("CapBnd:\t0000000000000000"));
  EXPECT_THAT(status, HasSubstr("NoNewPrivs:\t1"));
  EXPECT_THAT(status, HasSubstr("Seccomp:\t2"));
  EXPECT_THAT(status, Not(HasSubstr("docker.sock")));
}

TEST_F(IsolationTest, ForkBombHurtsOnlyItself) {
  const Answer bomb = alice().start("tool");
  const Answer other = bob().start("hello");
  tell(bomb.text("containerId"), "bomb() { while :; do bomb & done; }; bomb & exec sleep 1000");
  // It meets its limit of 24, for which the kernel has this error. A shell that can't fork dies, so
  // counting those that live would miss a bomb that burnt itself out.
  ASSERT_TRUE(support::eventually([&] {
    const Finished logs =
        support::run({"docker", "logs", "--tail", "20", bomb.text("containerId")});
    return (logs.out + logs.err).find("can't fork: Resource temporarily unavailable") !=
           std::string::npos;
  }));
  // Others don't notice.
  EXPECT_TRUE(serves(other));
  EXPECT_EQ(bob().start("hello").status, 201);
  EXPECT_EQ(alice().del(wire::task_path(bomb.text("taskId"))).status, 200);
}

TEST_F(IsolationTest, NoMoreProcessesThanItsLimit) {
  const std::string own = alice().start("tool").text("containerId");
  const Finished many = inside(own, "for i in $(seq 100); do sleep 60 & done; wait");
  EXPECT_NE(many.code, 0);
  EXPECT_THAT(many.err + many.out, HasSubstr("can't fork"));
}

TEST_F(IsolationTest, MemoryHogHurtsOnlyItself) {
  const Answer hog = alice().start("tool");
  const Answer other = bob().start("hello");
  EXPECT_EQ(inside(hog.text("containerId"), "tail /dev/zero").code, 137);
  EXPECT_TRUE(serves(other));
  EXPECT_EQ(alice().get(wire::task_path(hog.text("taskId"))).text("status"), "Running");
}

TEST_F(IsolationTest, WorkSurvivesAStopAndScratchDoesNot) {
  const Answer first = alice().start("keeper");
  ASSERT_EQ(first.status, 201) << first.response.body;
  const std::string lost = volumes_ + "-lost-" + first.text("taskId");
  ASSERT_EQ(inside(first.text("containerId"), "echo thesis > /kept/work; echo x > /lost/x").code,
            0);
  EXPECT_EQ(support::run({"docker", "volume", "inspect", lost}).code, 0);
  ASSERT_EQ(alice().del(wire::task_path(first.text("taskId"))).status, 200);
  EXPECT_TRUE(support::eventually([&] {
    return support::run({"docker", "volume", "inspect", lost}).code != 0;
  }));

  const Answer again = alice().start("keeper");
  EXPECT_EQ(inside(again.text("containerId"), "cat /kept/work; ls /lost").out, "thesis\n");
  // Another user has another one.
  const Answer other = bob().start("keeper");
  EXPECT_EQ(inside(other.text("containerId"), "ls /kept").out, "");
}

}  // namespace
}  // namespace resmgr::e2e
