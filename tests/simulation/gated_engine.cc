#include "tests/simulation/gated_engine.h"

#include <type_traits>
#include <utility>

namespace resmgr::simulation {

using engine::Op;

GatedEngine::GatedEngine(engine::FakeEngine& engine, Hook hook)
    : engine_(&engine), hook_(std::move(hook)) {}

void GatedEngine::attach(engine::FakeEngine& engine) {
  engine_ = &engine;
  if (!on_event_) return;
  on_event_ = nullptr;
  broken_ = true;
}

template <typename Call>
auto GatedEngine::pass(Op op, Call&& call) {
  hook_(op, false);
  try {
    if constexpr (std::is_void_v<decltype(call())>) {
      call();
      hook_(op, true);
    } else {
      auto result = call();
      hook_(op, true);
      return result;
    }
  } catch (const Error&) {
    hook_(op, true);
    throw;
  }
}

bool GatedEngine::deliver() {
  if (!on_event_) return false;
  try {
    const auto event = engine_->poll(*stream_);
    if (!event) return false;
    on_event_(*event);
    return true;
  } catch (const Error&) {
    on_event_ = nullptr;
    broken_ = true;
    return false;
  }
}

engine::EngineInfo GatedEngine::info() {
  return pass(Op::info, [&] { return engine_->info(); });
}

std::string GatedEngine::create(const engine::ContainerSpec& spec) {
  return pass(Op::create, [&] { return engine_->create(spec); });
}

void GatedEngine::start(const std::string& id) {
  pass(Op::start, [&] { engine_->start(id); });
}

std::optional<engine::ContainerState> GatedEngine::inspect(const std::string& id_or_name) {
  return pass(Op::inspect, [&] { return engine_->inspect(id_or_name); });
}

void GatedEngine::rename(const std::string& id, const std::string& name) {
  pass(Op::rename, [&] { engine_->rename(id, name); });
}

void GatedEngine::stop(const std::string& id, Millis timeout) {
  pass(Op::stop, [&] { engine_->stop(id, timeout); });
}

void GatedEngine::remove(const std::string& id) {
  pass(Op::remove, [&] { engine_->remove(id); });
}

std::vector<engine::ContainerSummary> GatedEngine::list(
    const std::map<std::string, std::string>& labels) {
  return pass(Op::list, [&] { return engine_->list(labels); });
}

void GatedEngine::events(const std::function<void()>& on_subscribed,
                         const std::function<void(const engine::EngineEvent&)>& on_event,
                         std::stop_token /*stop*/) {
  if (std::exchange(broken_, false)) {
    throw Error(ErrorKind::unavailable, "cannot reach the container engine: the stream broke");
  }
  pass(Op::events, [&] {
    stream_ = engine_->subscribe();
    on_subscribed();
  });
  on_event_ = on_event;
}

void GatedEngine::logs(const std::string& id, const engine::LogOptions& options,
                       const std::function<bool(std::string_view)>& on_bytes,
                       std::stop_token stop) {
  pass(Op::logs, [&] { engine_->logs(id, options, on_bytes, std::move(stop)); });
}

std::optional<engine::Stats> GatedEngine::stats(const std::string& id) {
  return pass(Op::stats, [&] { return engine_->stats(id); });
}

std::optional<std::string> GatedEngine::image_id(const std::string& image) {
  return pass(Op::image_id, [&] { return engine_->image_id(image); });
}

void GatedEngine::pull(const std::string& image,
                       const std::function<void(const engine::PullProgress&)>& on_progress,
                       std::stop_token stop) {
  engine_->pull(image, on_progress, std::move(stop));  // on a thread of its own: no gate
}

std::optional<engine::NetworkState> GatedEngine::inspect_network(const std::string& name) {
  return pass(Op::inspect_network, [&] { return engine_->inspect_network(name); });
}

void GatedEngine::create_network(const engine::NetworkSpec& spec) {
  pass(Op::create_network, [&] { engine_->create_network(spec); });
}

void GatedEngine::remove_volume(const std::string& name) {
  pass(Op::remove_volume, [&] { engine_->remove_volume(name); });
}

}  // namespace resmgr::simulation
