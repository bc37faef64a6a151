#include "tests/bench/raw_engine.h"

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <thread>
#include <utility>

#include "agent/engine/labels.h"
#include "common/error.h"
#include "common/http.h"
#include "common/ids.h"
#include "tests/bench/figures.h"

namespace resmgr::bench {
namespace {

constexpr double kLongestWaitMillis = 180'000;
constexpr int kEndersAtOnce = 4;
constexpr Millis kFirstPause{10};  // as the agent does

bool answers(int port, const std::string& path) {
  HttpEndpoint endpoint;
  endpoint.url = "http://127.0.0.1:" + std::to_string(port);
  HttpRequest request;
  request.target = path;
  request.headers = {{"Connection", "close"}};
  try {
    return make_http_client(endpoint)->send(request).status < 400;
  } catch (const Error&) {
    return false;
  }
}

}  // namespace

RawEngine::RawEngine(std::string agent_id, Service service)
    : agent_id_(std::move(agent_id)), service_(std::move(service)), engine_({}) {}

void RawEngine::start_one() {
  engine::ContainerSpec spec = service_.spec;
  spec.name = "resmgr-bench-" + random_hex(8);
  spec.labels = engine::ours(agent_id_);
  spec.network = engine::network_name(agent_id_);
  const std::string id = engine_.create(spec);
  {
    const std::lock_guard lock(mutex_);
    made_.push_back(id);
  }
  engine_.start(id);
  const auto state = engine_.inspect(id);
  if (!state) throw std::runtime_error("a container went away");
  if (!service_.probe_path.empty()) await_answer(state->host_port);
}

void RawEngine::await_answer(int port) const {
  const auto begin = SteadyClock::now();
  Millis pause = kFirstPause;
  while (!answers(port, service_.probe_path)) {
    if (millis_since(begin) > kLongestWaitMillis) throw std::runtime_error("a service is silent");
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, service_.probe_interval);
  }
}

void RawEngine::clear() {
  measure(kEndersAtOnce, static_cast<int>(made_.size()), [this] {
    std::string id;
    {
      const std::lock_guard lock(mutex_);
      id = made_.back();
      made_.pop_back();
    }
    engine_.stop(id, Millis{1'000});
    engine_.remove(id);
  });
}

}  // namespace resmgr::bench
