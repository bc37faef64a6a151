#include "tests/contract/docker_engine_harness.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <stdexcept>
#include <system_error>

#include "common/error.h"
#include "tests/contract/engine_contract.h"
#include "tests/support/docker_cli.h"
#include "tests/support/subprocess.h"

namespace resmgr::engine {
namespace {

constexpr std::size_t kLayerBytes = 2'000'000;

std::unique_ptr<EngineHarness> make() { return std::make_unique<DockerEngineHarness>(); }

INSTANTIATE_TEST_SUITE_P(Docker, EngineContract, testing::Values(&make));

}  // namespace

DockerOptions DockerEngineHarness::options() {
  DockerOptions options;
  const char* host = std::getenv("DOCKER_HOST");
  if (host != nullptr && *host != '\0') options.url = host;
  return options;
}

DockerEngineHarness::DockerEngineHarness() {
  try {
    engine_.info();
  } catch (const Error& error) {
    throw std::runtime_error("these tests need a Docker engine: " + error.message() +
                             "; try: " + error.hint());
  }
  support::ensure_hello_image();
}

DockerEngineHarness::~DockerEngineHarness() {
  release_port();
  if (registry_) registry_->resume();
  try {
    support::remove_all_of(agent_id_);
  } catch (const std::exception& failure) {
    ADD_FAILURE() << failure.what();
  }
  // One that was never pulled, or is no longer there, is none to remove.
  for (const std::string& image : pulled_) support::run({"docker", "rmi", "--force", image});
}

std::unique_ptr<Engine> DockerEngineHarness::unreachable() {
  return std::make_unique<DockerEngine>(
      DockerOptions{"unix:///tmp/resmgr-no-such-engine-" + random_hex(6) + ".sock", {}});
}

void DockerEngineHarness::behave(ContainerSpec& spec, const Behaviour& behaviour) {
  if (behaviour.output.empty() && behaviour.errors.empty() && !behaviour.exit_code &&
      !behaviour.ignores_stop) {
    return;
  }
  std::string script = behaviour.ignores_stop ? "trap '' TERM; " : "";
  script += R"(printf %s "$OUTPUT"; printf %s "$ERRORS" >&2; )";
  script += behaviour.exit_code ? "exit " + std::to_string(*behaviour.exit_code)
                                : "exec /bin/busybox sleep 3600";
  spec.command = {"/bin/sh", "-c", script};
  spec.env.emplace_back("OUTPUT", behaviour.output);
  spec.env.emplace_back("ERRORS", behaviour.errors);
}

void DockerEngineHarness::print(const std::string& id, const std::string& line) {
  support::docker({"exec", id, "/bin/sh", "-c", "echo '" + line + "' > /proc/1/fd/1"});
}

void DockerEngineHarness::pause(const std::string& id) { support::docker({"pause", id}); }

void DockerEngineHarness::restart(const std::string& id) {
  support::docker({"restart", "--time", "5", id});
}

std::string DockerEngineHarness::occupied_port_range() {
  occupied_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (occupied_ < 0 || bind(occupied_, generic, size) != 0 || listen(occupied_, 1) != 0 ||
      getsockname(occupied_, generic, &size) != 0) {
    throw std::system_error(errno, std::generic_category(), "cannot listen");
  }
  const std::string port = std::to_string(ntohs(address.sin_port));
  return port + "-" + port;
}

void DockerEngineHarness::release_port() {
  if (occupied_ >= 0) close(occupied_);
  occupied_ = -1;
}

TinyRegistry& DockerEngineHarness::registry() {
  if (!registry_) registry_ = std::make_unique<TinyRegistry>();
  return *registry_;
}

std::string DockerEngineHarness::pullable_image() {
  const std::string name = "resmgr-contract/" + random_hex(6);
  registry().add(name, kLayerBytes);
  pulled_.push_back(registry().address() + "/" + name + ":1");
  return pulled_.back();
}

std::string DockerEngineHarness::missing_image() {
  return registry().address() + "/resmgr-contract/missing:1";
}

}  // namespace resmgr::engine
