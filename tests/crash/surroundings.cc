#include "tests/crash/surroundings.h"

#include <algorithm>

#include "common/json.h"
#include "tests/contract/tiny_registry.h"

namespace resmgr::crash {
namespace {

constexpr char kPage[] = R"(
name = "page"
title = "A page, and a volume that goes with it"
image = "resmgr/hello:latest"
container_port = 8080
probe = { http = "/", interval = "50ms" }
start_timeout = "60s"
stop_timeout = "2s"
[[volumes]]
name = "resmgr-crash-{taskId}"
path = "/scratch"
keep = false
)";

constexpr char kNeverReady[] = R"(
name = "never-ready"
title = "Never ready"
image = "resmgr/hello:latest"
container_port = 8080
probe = { http = "/nothing-here", interval = "50ms" }
start_timeout = "500ms"
stop_timeout = "2s"
)";

// Its first process asks for more than there is, is killed, and the service goes on. Not at once:
// the engine (containerd's shim, in Start) begins to watch for that after it started the container,
// and tells of no earlier one.
constexpr char kHungry[] = R"(
name = "hungry"
title = "Loses a child for its memory"
image = "resmgr/hello:latest"
command = [
  "/bin/sh", "-c",
  "/bin/busybox sleep 1; /bin/busybox tail /dev/zero; exec /bin/busybox httpd -f -p 8080 -h /www",
]
container_port = 8080
probe = { http = "/", interval = "50ms" }
start_timeout = "60s"
stop_timeout = "2s"
[resources]
memory = "16MiB"
)";

// It has to be pulled, and can't be started: there is nothing in it.
constexpr char kEmpty[] = R"(
name = "empty"
title = "An image with nothing in it"
image = "{image}"
command = ["/nothing"]
container_port = 8080
probe = "none"
pull = "always"
start_timeout = "60s"
[[volumes]]
name = "resmgr-crash-{taskId}"
path = "/scratch"
keep = false
)";

// Old at once: it is warned of, put off, and stopped.
constexpr char kShortLived[] = R"(
name = "short-lived"
title = "Is stopped for its age"
image = "resmgr/hello:latest"
container_port = 8080
probe = { http = "/", interval = "50ms" }
start_timeout = "60s"
stop_timeout = "2s"
[lifetime]
max = "3s"
[idle]
warn = "2s"
)";

constexpr char kKeptWarm[] = R"(
name = "warm"
title = "Is ready before anybody asks"
image = "resmgr/hello:latest"
container_port = 8080
probe = { http = "/", interval = "50ms" }
start_timeout = "60s"
stop_timeout = "2s"
warm = 1
)";

constexpr char kConfig[] = R"(
[engine]
sample_interval = "100ms"
[sinks]
backoff_max = "1s"
[postgres]
url = "{postgres}"
schema = "{dir}"
[blockchain]
url = "{chain}/usage"
)";

// What the request's header line says whose name that is, in the client's own spelling.
std::string header_of(const std::string& request, const std::string& name) {
  const auto begin = request.find("\r\n" + name + ": ");
  if (begin == std::string::npos) return "";
  const auto from = begin + 2 + name.size() + 2;
  return request.substr(from, request.find("\r\n", from) - from);
}

void fill_in(std::string& text, const std::string& place, const std::string& value) {
  text.replace(text.find(place), place.size(), value);
}

}  // namespace

ChainService::ChainService() : server_([this](Peer& peer, int) { serve(peer); }) {}

void ChainService::serve(Peer& peer) {
  for (std::string request; !(request = peer.read_request()).empty();) {
    const std::string body = request.substr(request.find("\r\n\r\n") + 4);
    const Json post = Json::parse(body, nullptr, false);
    const std::string hash = header_of(request, "Idempotency-Key");
    if (!post.is_object() || string_or(post, "usageHash") != hash) {
      peer.answer("{}", "400 Bad Request");
      continue;
    }
    {
      const std::lock_guard lock(mutex_);
      posts_[string_or(object_at(post, "record"), "taskId")][hash].insert(body);
    }
    peer.answer(R"({"txHash": "0xabc", "blockNumber": 7})", "201 Created");
  }
}

ChainService::Posts ChainService::posts_of(const std::string& task_id) const {
  const std::lock_guard lock(mutex_);
  const auto found = posts_.find(task_id);
  return found == posts_.end() ? Posts() : found->second;
}

Destinations& destinations() {
  static Destinations all;
  return all;
}

std::string schema_of(const support::AgentProcess& agent) { return agent.dir().string(); }

support::AgentOptions agent_options(engine::TinyRegistry& registry, bool keeps_warm) {
  registry.add("crash/empty", 64);
  std::string empty = kEmpty;
  fill_in(empty, "{image}", registry.address() + "/crash/empty:1");
  support::AgentOptions options;
  options.config = kConfig;
  fill_in(options.config, "{postgres}", destinations().postgres.url());
  fill_in(options.config, "{chain}", destinations().chain.url());
  options.services = {{"page.toml", kPage},
                      {"never-ready.toml", kNeverReady},
                      {"hungry.toml", kHungry},
                      {"short-lived.toml", kShortLived},
                      {"empty.toml", empty}};
  if (keeps_warm) options.services["warm.toml"] = kKeptWarm;
  options.start_at_once = false;
  return options;
}

}  // namespace resmgr::crash
