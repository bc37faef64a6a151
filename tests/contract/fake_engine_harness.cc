#include "tests/contract/engine_contract.h"
#include "tests/fakes/fake_clock.h"
#include "tests/fakes/fake_engine.h"

namespace resmgr::engine {
namespace {

class FakeEngineHarness final : public EngineHarness {
 public:
  FakeEngineHarness() {
    engine_.add_image("hello");
    engine_.add_pullable("registry/there");
  }

  Engine& engine() override { return engine_; }
  std::unique_ptr<Engine> unreachable() override {
    auto away = std::make_unique<FakeEngine>(clock_);
    away->set_reachable(false);
    return away;
  }

  std::string agent_id() override { return agent_id_; }
  std::string image() override { return "hello"; }
  void behave(ContainerSpec& spec, const Behaviour& behaviour) override {
    engine_.set_program(spec.name, {behaviour.output + behaviour.errors, behaviour.exit_code,
                                    behaviour.ignores_stop});
  }

  void print(const std::string& id, const std::string& line) override {
    engine_.print(id, line + "\n");
  }
  void pause(const std::string& id) override { engine_.pause_by_hand(id); }
  void restart(const std::string& id) override {
    clock_.advance(Millis{1'000});
    engine_.restart_by_hand(id);
  }

  std::string occupied_port_range() override {
    engine_.occupy_ports(1);
    return "40000-40000";
  }
  // The port counts for one start only.
  void release_port() override {}

  std::string pullable_image() override { return "registry/there"; }
  std::string missing_image() override { return "registry/not-there"; }
  void stall_registry() override { engine_.hold(Op::pull); }
  bool wait_until_stalled() override { return engine_.wait_until_held(Op::pull); }
  void resume_registry() override { engine_.release(Op::pull); }

 private:
  FakeClock clock_;
  FakeEngine engine_{clock_};
  const std::string agent_id_ = new_uuid_v4();
};

std::unique_ptr<EngineHarness> make() { return std::make_unique<FakeEngineHarness>(); }

INSTANTIATE_TEST_SUITE_P(Fake, EngineContract, testing::Values(&make));

}  // namespace
}  // namespace resmgr::engine
