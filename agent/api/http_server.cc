#include "agent/api/http_server.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <semaphore>
#include <thread>
#include <utility>

#include "agent/api/address.h"
#include "agent/api/listener.h"
#include "agent/api/server_context.h"
#include "agent/api/shard.h"
#include "common/error.h"
#include "common/log.h"

namespace resmgr::api {
namespace {

// Descriptors that the rest of the program needs: journal, engine, logs.
constexpr std::size_t kDescriptorsKept = 256;

// How many connections the process's file limit bears, once it is raised as far as it may be.
std::size_t affordable_connections(std::size_t wanted) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return wanted;
  const rlim_t needed = wanted + kDescriptorsKept;
  if (limit.rlim_cur < needed) {
    limit.rlim_cur = std::min(needed, limit.rlim_max);
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) getrlimit(RLIMIT_NOFILE, &limit);
  }
  if (limit.rlim_cur >= needed) return wanted;
  const auto files = static_cast<std::size_t>(limit.rlim_cur);
  const std::size_t affordable =
      std::min(wanted, files > 2 * kDescriptorsKept ? files - kDescriptorsKept : files / 2);
  if (affordable < wanted) {
    log::warning("At most {Connections} connections are served: the file limit is {Files}",
                 {{"Connections", affordable}, {"Files", files}});
  }
  return affordable;
}

std::vector<Endpoint> endpoints_of(const ServerOptions& options) {
  std::vector<Endpoint> endpoints;
  for (const std::string& text : options.listen) {
    const Endpoint endpoint = Endpoint::parse(text);
    if (!endpoint.address.is_loopback() && !options.allow_plaintext) {
      throw Error(ErrorKind::config,
                  "cannot listen on '" + text + "': tokens would cross the network in plain text",
                  "put a proxy that does TLS in front, and set [server] allow_plaintext = true");
    }
    endpoints.push_back(endpoint);
  }
  return endpoints;
}

}  // namespace

struct HttpServer::State {
  State(ServerOptions options, Application& application)
      : context(std::move(options), application), endpoints(endpoints_of(context.options)) {}

  void place(Accepted accepted) {
    const std::size_t turn = next_shard.fetch_add(1, std::memory_order_relaxed);
    shards[turn % shards.size()]->adopt(std::move(accepted));
  }

  ServerContext context;
  std::vector<Endpoint> endpoints;
  std::vector<std::string> listening;
  std::unique_ptr<UnixListener> unix_listener;
  std::vector<std::unique_ptr<Shard>> shards;
  std::atomic<std::size_t> next_shard{0};
};

HttpServer::HttpServer(ServerOptions options, Application& application)
    : state_(std::make_unique<State>(std::move(options), application)) {}

HttpServer::~HttpServer() { stop(); }

void HttpServer::start() {
  State& state = *state_;
  const ServerOptions& options = state.context.options;
  std::vector<OwnedFd> listeners;
  for (Endpoint& endpoint : state.endpoints) {
    listeners.push_back(listen_on(endpoint));
    state.listening.push_back(endpoint.text());
  }
  if (!options.socket_path.empty()) {
    state.unix_listener = std::make_unique<UnixListener>(options.socket_path, options.socket_group);
    listeners.emplace_back(state.unix_listener->release());
  }
  const std::size_t threads = std::max<std::size_t>(options.io_threads, 1);
  state.context.most_connections = affordable_connections(options.max_connections);
  for (std::size_t i = 0; i < threads; ++i) {
    state.shards.push_back(std::make_unique<Shard>(state.context));
  }
  for (OwnedFd& listener : listeners) {
    state.shards.front()->accept_from(
        listener.release(), [&state](Accepted accepted) { state.place(std::move(accepted)); });
  }
  for (const auto& shard : state.shards) shard->run();
}

const std::vector<std::string>& HttpServer::listening() const { return state_->listening; }

bool HttpServer::turns(std::chrono::milliseconds patience) const {
  // A thread may get to it after this call gave up.
  const auto turned = std::make_shared<std::counting_semaphore<>>(0);
  for (const auto& shard : state_->shards) shard->post([turned] { turned->release(); });
  const auto deadline = std::chrono::steady_clock::now() + patience;
  return std::all_of(state_->shards.begin(), state_->shards.end(),
                     [&](const auto&) { return turned->try_acquire_until(deadline); });
}

void HttpServer::stop() {
  State& state = *state_;
  for (const auto& shard : state.shards) shard->drain();
  const auto patience = std::chrono::steady_clock::now() + state.context.options.deadlines.stop;
  const auto busy = [&] {
    return std::any_of(state.shards.begin(), state.shards.end(),
                       [](const auto& shard) { return !shard->is_empty(); });
  };
  while (busy() && std::chrono::steady_clock::now() < patience) {
    std::this_thread::sleep_for(std::chrono::milliseconds{5});
  }
  state.unix_listener.reset();
  for (const auto& shard : state.shards) shard->close_all();
  state.shards.clear();
}

std::size_t HttpServer::connections() const {
  return state_->context.connections.load(std::memory_order_relaxed);
}

}  // namespace resmgr::api
