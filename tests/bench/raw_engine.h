// What a start costs without an agent: the engine's calls that the agent makes for one, with the
// same container, over the same socket and by the same client.
#ifndef RESMGR_TESTS_BENCH_RAW_ENGINE_H_
#define RESMGR_TESTS_BENCH_RAW_ENGINE_H_

#include <mutex>
#include <string>
#include <vector>

#include "agent/engine/docker_engine.h"
#include "common/clock.h"

namespace resmgr::bench {

// The containers bear the agent's labels without a task's: it does not see them as its own, and
// whoever clears away after it removes them too. Thread-safe.
class RawEngine {
 public:
  struct Service {
    engine::ContainerSpec spec;  // without name, labels and network
    std::string probe_path;      // of HTTP; empty: none
    Millis probe_interval{0};
  };

  RawEngine(std::string agent_id, Service service);

  // Create, start and inspect, and then the probe until it is answered. Throws std::runtime_error
  // where that takes minutes.
  void start_one();
  // Ends and removes all that it made.
  void clear();

 private:
  void await_answer(int port) const;

  const std::string agent_id_;
  const Service service_;
  engine::DockerEngine engine_;
  std::mutex mutex_;
  std::vector<std::string> made_;
};

}  // namespace resmgr::bench

#endif  // RESMGR_TESTS_BENCH_RAW_ENGINE_H_
