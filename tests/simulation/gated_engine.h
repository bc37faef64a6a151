// The fake engine as one incarnation of the agent sees it: through a gate that the test holds.
//
// At the gate, before and after each call, the test may let others act, or kill the incarnation. No
// call blocks, not even events(): the stream stands, and the test hands its events on one by one.
#ifndef RESMGR_TESTS_SIMULATION_GATED_ENGINE_H_
#define RESMGR_TESTS_SIMULATION_GATED_ENGINE_H_

#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "tests/fakes/fake_engine.h"

namespace resmgr::simulation {

// Thrown where the process would be killed. It is no std::exception, so that nothing in the agent
// takes it for an error that it can live with.
struct Killed {};

// For one thread.
class GatedEngine final : public engine::Engine {
 public:
  // Called with the gate's call before (`done` false) and after it.
  using Hook = std::function<void(engine::Op op, bool done)>;

  GatedEngine(engine::FakeEngine& engine, Hook hook);

  // From now on it is another engine.
  void attach(engine::FakeEngine& engine);

  bool stream_stands() const { return static_cast<bool>(on_event_); }
  // Hands on the next event; false: there is none, or the stream has just broken.
  bool deliver();

  engine::EngineInfo info() override;
  std::string create(const engine::ContainerSpec& spec) override;
  void start(const std::string& id) override;
  std::optional<engine::ContainerState> inspect(const std::string& id_or_name) override;
  void rename(const std::string& id, const std::string& name) override;
  void stop(const std::string& id, Millis timeout) override;
  void remove(const std::string& id) override;
  std::vector<engine::ContainerSummary> list(
      const std::map<std::string, std::string>& labels) override;
  // Returns once `on_subscribed` has. Throws unavailable if the stream before has broken.
  void events(const std::function<void()>& on_subscribed,
              const std::function<void(const engine::EngineEvent&)>& on_event,
              std::stop_token stop) override;
  void logs(const std::string& id, const engine::LogOptions& options,
            const std::function<bool(std::string_view)>& on_bytes, std::stop_token stop) override;
  std::optional<engine::Stats> stats(const std::string& id) override;
  std::optional<std::string> image_id(const std::string& image) override;
  void pull(const std::string& image,
            const std::function<void(const engine::PullProgress&)>& on_progress,
            std::stop_token stop) override;
  std::optional<engine::NetworkState> inspect_network(const std::string& name) override;
  void create_network(const engine::NetworkSpec& spec) override;
  void remove_volume(const std::string& name) override;

 private:
  template <typename Call>
  auto pass(engine::Op op, Call&& call);

  engine::FakeEngine* engine_;
  const Hook hook_;
  std::optional<engine::FakeEngine::Stream> stream_;
  std::function<void(const engine::EngineEvent&)> on_event_;
  bool broken_ = false;  // and the agent was not told yet
};

}  // namespace resmgr::simulation

#endif  // RESMGR_TESTS_SIMULATION_GATED_ENGINE_H_
