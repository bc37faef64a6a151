// What the engine contract needs of an engine beside its port.
#ifndef RESMGR_TESTS_CONTRACT_ENGINE_HARNESS_H_
#define RESMGR_TESTS_CONTRACT_ENGINE_HARNESS_H_

#include <memory>
#include <optional>
#include <string>

#include "agent/engine/engine.h"

namespace resmgr::engine {

// What a container is to do.
struct Behaviour {
  std::string output;            // to its standard output, at once
  std::string errors;            // to its standard error, after that
  std::optional<int> exit_code;  // ends then; empty: runs until it is stopped
  bool ignores_stop = false;
};

// One engine for one test. Whatever was made with the harness's labels is gone at its end.
class EngineHarness {
 public:
  virtual ~EngineHarness() = default;

  virtual Engine& engine() = 0;
  // An engine that is away.
  virtual std::unique_ptr<Engine> unreachable() = 0;

  // Put on everything a test makes, so that it can be told from what others have.
  virtual std::string agent_id() = 0;
  // An image that is there; its containers serve HTTP on port 8080 unless told otherwise.
  virtual std::string image() = 0;
  virtual void behave(ContainerSpec& spec, const Behaviour& behaviour) = 0;

  virtual void print(const std::string& id, const std::string& line) = 0;
  virtual void pause(const std::string& id) = 0;
  virtual void restart(const std::string& id) = 0;

  // A range of one port, which another program holds until release_port().
  virtual std::string occupied_port_range() = 0;
  virtual void release_port() = 0;

  // An image that only a registry has, and one that it does not have either.
  virtual std::string pullable_image() = 0;
  virtual std::string missing_image() = 0;
  // Pulls don't end while the registry is stalled; true once one waits for it.
  virtual void stall_registry() = 0;
  virtual bool wait_until_stalled() = 0;
  virtual void resume_registry() = 0;
};

using MakeHarness = std::unique_ptr<EngineHarness> (*)();

}  // namespace resmgr::engine

#endif  // RESMGR_TESTS_CONTRACT_ENGINE_HARNESS_H_
