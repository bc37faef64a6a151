#include "agent/engine/metered_engine.h"

#include <exception>
#include <utility>

namespace resmgr::engine {
namespace {

using SteadyClock = std::chrono::steady_clock;

// Tells at its end, also where the call throws.
class Timing {
 public:
  Timing(const MeteredEngine::OnCall& on_call, std::string_view operation)
      : on_call_(on_call),
        operation_(operation),
        begin_(SteadyClock::now()),
        exceptions_(std::uncaught_exceptions()) {}
  ~Timing() {
    on_call_(operation_, std::uncaught_exceptions() > exceptions_, SteadyClock::now() - begin_);
  }
  Timing(const Timing&) = delete;
  Timing& operator=(const Timing&) = delete;

 private:
  const MeteredEngine::OnCall& on_call_;
  const std::string_view operation_;
  const SteadyClock::time_point begin_;
  const int exceptions_;
};

}  // namespace

MeteredEngine::MeteredEngine(Engine& engine, OnCall on_call)
    : engine_(engine), on_call_(std::move(on_call)) {}

template <typename Call>
auto MeteredEngine::timed(std::string_view operation, Call&& call) {
  const Timing timing(on_call_, operation);
  return std::forward<Call>(call)();
}

EngineInfo MeteredEngine::info() {
  return timed("info", [&] { return engine_.info(); });
}

std::string MeteredEngine::create(const ContainerSpec& spec) {
  return timed("create", [&] { return engine_.create(spec); });
}

void MeteredEngine::start(const std::string& id) {
  timed("start", [&] { engine_.start(id); });
}

std::optional<ContainerState> MeteredEngine::inspect(const std::string& id_or_name) {
  return timed("inspect", [&] { return engine_.inspect(id_or_name); });
}

void MeteredEngine::rename(const std::string& id, const std::string& name) {
  timed("rename", [&] { engine_.rename(id, name); });
}

void MeteredEngine::stop(const std::string& id, Millis timeout) {
  timed("stop", [&] { engine_.stop(id, timeout); });
}

void MeteredEngine::remove(const std::string& id) {
  timed("remove", [&] { engine_.remove(id); });
}

std::vector<ContainerSummary> MeteredEngine::list(
    const std::map<std::string, std::string>& labels) {
  return timed("list", [&] { return engine_.list(labels); });
}

void MeteredEngine::events(const std::function<void()>& on_subscribed,
                           const std::function<void(const EngineEvent&)>& on_event,
                           std::stop_token stop) {
  engine_.events(on_subscribed, on_event, std::move(stop));
}

void MeteredEngine::logs(const std::string& id, const LogOptions& options,
                         const std::function<bool(std::string_view)>& on_bytes,
                         std::stop_token stop) {
  engine_.logs(id, options, on_bytes, std::move(stop));
}

std::optional<Stats> MeteredEngine::stats(const std::string& id) {
  return timed("stats", [&] { return engine_.stats(id); });
}

std::optional<std::string> MeteredEngine::image_id(const std::string& image) {
  return timed("image_id", [&] { return engine_.image_id(image); });
}

void MeteredEngine::pull(const std::string& image,
                         const std::function<void(const PullProgress&)>& on_progress,
                         std::stop_token stop) {
  timed("pull", [&] { engine_.pull(image, on_progress, std::move(stop)); });
}

std::optional<NetworkState> MeteredEngine::inspect_network(const std::string& name) {
  return timed("inspect_network", [&] { return engine_.inspect_network(name); });
}

void MeteredEngine::create_network(const NetworkSpec& spec) {
  timed("create_network", [&] { engine_.create_network(spec); });
}

void MeteredEngine::remove_volume(const std::string& name) {
  timed("remove_volume", [&] { engine_.remove_volume(name); });
}

}  // namespace resmgr::engine
