// Docker on this machine, for tests: what they make bears a random agent id and is gone afterwards.
#ifndef RESMGR_TESTS_CONTRACT_DOCKER_ENGINE_HARNESS_H_
#define RESMGR_TESTS_CONTRACT_DOCKER_ENGINE_HARNESS_H_

#include <memory>
#include <string>
#include <vector>

#include "agent/engine/docker_engine.h"
#include "common/ids.h"
#include "tests/contract/engine_harness.h"
#include "tests/contract/tiny_registry.h"

namespace resmgr::engine {

class DockerEngineHarness final : public EngineHarness {
 public:
  // Builds the image if it is missing. Throws std::runtime_error, saying so, where no engine
  // answers.
  DockerEngineHarness();
  ~DockerEngineHarness() override;
  DockerEngineHarness(const DockerEngineHarness&) = delete;
  DockerEngineHarness& operator=(const DockerEngineHarness&) = delete;

  Engine& engine() override { return engine_; }
  std::unique_ptr<Engine> unreachable() override;
  std::string agent_id() override { return agent_id_; }
  std::string image() override { return "resmgr/hello:latest"; }
  void behave(ContainerSpec& spec, const Behaviour& behaviour) override;
  void print(const std::string& id, const std::string& line) override;
  void pause(const std::string& id) override;
  void restart(const std::string& id) override;
  std::string occupied_port_range() override;
  void release_port() override;
  std::string pullable_image() override;
  std::string missing_image() override;
  void stall_registry() override { registry().stall(); }
  bool wait_until_stalled() override { return registry().wait_until_stalled(); }
  void resume_registry() override { registry().resume(); }

  TinyRegistry& registry();
  // DOCKER_HOST, or where Docker listens by default.
  static DockerOptions options();

 private:
  const std::string agent_id_ = new_uuid_v4();
  DockerEngine engine_{options()};
  std::unique_ptr<TinyRegistry> registry_;
  std::vector<std::string> pulled_;
  int occupied_ = -1;
};

}  // namespace resmgr::engine

#endif  // RESMGR_TESTS_CONTRACT_DOCKER_ENGINE_HARNESS_H_
