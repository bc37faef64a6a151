// An engine whose calls are timed.
#ifndef RESMGR_AGENT_ENGINE_METERED_ENGINE_H_
#define RESMGR_AGENT_ENGINE_METERED_ENGINE_H_

#include <chrono>
#include <functional>
#include <string_view>

#include "agent/engine/engine.h"

namespace resmgr::engine {

class MeteredEngine final : public Engine {
 public:
  // Called at the end of each call, on the caller's thread; must not throw. Streams (events and
  // logs) are not told of: how long they last says nothing of the engine.
  using OnCall =
      std::function<void(std::string_view operation, bool failed, std::chrono::nanoseconds took)>;

  // `engine` must outlive it.
  MeteredEngine(Engine& engine, OnCall on_call);

  EngineInfo info() override;
  std::string create(const ContainerSpec& spec) override;
  void start(const std::string& id) override;
  std::optional<ContainerState> inspect(const std::string& id_or_name) override;
  void rename(const std::string& id, const std::string& name) override;
  void stop(const std::string& id, Millis timeout) override;
  void remove(const std::string& id) override;
  std::vector<ContainerSummary> list(const std::map<std::string, std::string>& labels) override;
  void events(const std::function<void()>& on_subscribed,
              const std::function<void(const EngineEvent&)>& on_event,
              std::stop_token stop) override;
  void logs(const std::string& id, const LogOptions& options,
            const std::function<bool(std::string_view)>& on_bytes, std::stop_token stop) override;
  std::optional<Stats> stats(const std::string& id) override;
  std::optional<std::string> image_id(const std::string& image) override;
  void pull(const std::string& image, const std::function<void(const PullProgress&)>& on_progress,
            std::stop_token stop) override;
  std::optional<NetworkState> inspect_network(const std::string& name) override;
  void create_network(const NetworkSpec& spec) override;
  void remove_volume(const std::string& name) override;

 private:
  template <typename Call>
  auto timed(std::string_view operation, Call&& call);

  Engine& engine_;
  const OnCall on_call_;
};

}  // namespace resmgr::engine

#endif  // RESMGR_AGENT_ENGINE_METERED_ENGINE_H_
