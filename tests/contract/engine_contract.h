// The suite that every engine passes. A program links the engine_contract_*.cc files and names its
// engine with INSTANTIATE_TEST_SUITE_P.
#ifndef RESMGR_TESTS_CONTRACT_ENGINE_CONTRACT_H_
#define RESMGR_TESTS_CONTRACT_ENGINE_CONTRACT_H_

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

#include "agent/engine/engine.h"
#include "agent/engine/labels.h"
#include "common/error.h"
#include "common/ids.h"
#include "tests/contract/engine_harness.h"
#include "tests/support/thrown.h"

namespace resmgr::engine {

class EngineContract : public testing::TestWithParam<MakeHarness> {
 protected:
  void SetUp() override { harness_ = GetParam()(); }

  EngineHarness& harness() { return *harness_; }
  Engine& engine() { return harness_->engine(); }

  std::string unique_name() { return "resmgr-contract-" + random_hex(6); }

  // Of a container that publishes nothing and has no network: the quickest one.
  ContainerSpec spec(const Behaviour& behaviour = {}) {
    ContainerSpec spec;
    spec.name = unique_name();
    spec.image = harness_->image();
    spec.labels = ours(harness_->agent_id());
    spec.network = "none";
    harness_->behave(spec, behaviour);
    return spec;
  }
  ContainerSpec publishing_spec() {
    ContainerSpec spec = this->spec();
    spec.network = "bridge";
    spec.container_port = 8080;
    return spec;
  }

  std::string started(const ContainerSpec& spec) {
    std::string id = engine().create(spec);
    engine().start(id);
    return id;
  }

  // Of one that must be there.
  ContainerState state_of(const std::string& id) {
    const auto state = engine().inspect(id);
    if (!state) ADD_FAILURE() << "no container " << id;
    return state.value_or(ContainerState{});
  }

  bool has_ended(const std::string& id) {
    const auto state = engine().inspect(id);
    return state && state->status == ContainerStatus::exited;
  }

  std::string output_of(const std::string& id, const LogOptions& options = {}) {
    std::string text;
    engine().logs(id, options,
                  [&](std::string_view bytes) {
                    text += bytes;
                    return true;
                  },
                  {});
    return text;
  }

 private:
  std::unique_ptr<EngineHarness> harness_;
};

using support::error_of;

}  // namespace resmgr::engine

#endif  // RESMGR_TESTS_CONTRACT_ENGINE_CONTRACT_H_
