// What the engine alone takes to be asked about all containers of an agent, as the agent asks at
// its start: the list, and an inspection of each, one after the other.
//
// Usage: engine_bench --agent-id ID [--rounds R] [--json FILE]

#include <stdexcept>

#include "agent/engine/docker_engine.h"
#include "agent/engine/labels.h"
#include "tests/bench/figures.h"

namespace resmgr::bench {
namespace {

void run(int argc, char** argv) {
  const Options given(argc, argv, {"--agent-id", "--rounds", "--json"});
  Figures figures(given.text("--json", ""));
  const auto labels = engine::ours(given.text("--agent-id", ""));
  engine::DockerEngine engine({});
  std::size_t containers = 0;
  Rounds taken;
  for (int i = 0; i < given.integer("--rounds", 5); ++i) {
    const auto begin = SteadyClock::now();
    const auto listed = engine.list(labels);
    for (const auto& container : listed) {
      if (!engine.inspect(container.id)) throw std::runtime_error("a container went away");
    }
    taken.push_back({millis_since(begin)});
    containers = listed.size();
  }
  figures.add("engine.list_and_inspect", "ms", {{"containers", containers}}, taken);
}

}  // namespace
}  // namespace resmgr::bench

int main(int argc, char** argv) {
  return resmgr::bench::run_bench("engine_bench", [&] { resmgr::bench::run(argc, argv); });
}
