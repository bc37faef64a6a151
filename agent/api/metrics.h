// What is counted and timed as it happens, for GET /metrics.
#ifndef RESMGR_AGENT_API_METRICS_H_
#define RESMGR_AGENT_API_METRICS_H_

#include <chrono>
#include <memory>
#include <string_view>
#include <vector>

namespace prometheus {
class Registry;
}

namespace resmgr::api {

struct Route;

// Thread-safe. Labels have few values: routes, statuses, kinds of calls; never a user or a task.
class Metrics {
 public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // The routes whose requests will be counted, in the place of any named before. No request may be
  // under way; they must outlive the last one.
  void set_routes(const std::vector<const Route*>& routes);
  // A request was answered. Null, or a route that was not named: it was for none of them. Takes
  // the lock of that route's histogram, and no other once there was a request of that status.
  void request(const Route* route, int status, std::chrono::nanoseconds took);
  // A call of the engine's ended, well or with an error.
  void engine_call(std::string_view operation, bool failed, std::chrono::nanoseconds took);
  // A start succeeded: how long it took from its admission to the start of the container (a pull
  // included), and from there until the service was ready.
  void start(std::chrono::nanoseconds to_container, std::chrono::nanoseconds to_readiness);

  prometheus::Registry& registry() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace resmgr::api

#endif  // RESMGR_AGENT_API_METRICS_H_
