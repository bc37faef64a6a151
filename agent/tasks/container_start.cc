#include "agent/tasks/container_start.h"

#include <algorithm>
#include <charconv>

#include "agent/tasks/container_spec.h"
#include "common/error.h"
#include "common/failpoint.h"
#include "common/time_format.h"

namespace resmgr::tasks {
namespace {

using std::chrono::steady_clock;

constexpr int kPortTries = 64;
constexpr Millis kFirstProbeDelay{10};

int port_tries(const std::string& range) {
  int low = 0;
  int high = 0;
  const char* end = range.data() + range.size();
  const auto first = std::from_chars(range.data(), end, low);
  if (first.ec != std::errc{} || first.ptr == end) return kPortTries;
  const auto second = std::from_chars(first.ptr + 1, end, high);
  return second.ec == std::errc{} ? std::max(kPortTries, high - low + 1) : kPortTries;
}

}  // namespace

ContainerStart::Came ContainerStart::attempt(engine::Engine& engine, EngineSession& session,
                                             const std::string& container_id,
                                             const std::string& port_range) {
  const int tries = port_tries(port_range);
  while (true) {
    try {
      failpoint("engine.before_start");
      engine.start(container_id);
      failpoint("engine.after_start");
      return Came::to_a_look;
    } catch (const Error& error) {
      if (error.problem == "port-in-use" && ++failed_tries_ < tries) continue;
      if (error.kind() == ErrorKind::unavailable) throw;
      // The container is gone, or the network is: `docker network prune` takes an idle one.
      if (error.kind() == ErrorKind::not_found && ++failed_tries_ < tries) {
        session.restore_network();
        return Came::to_a_look;
      }
      reason_ = error.message();
      return Came::to_nothing;
    }
  }
}

void ProbePace::begin() {
  if (!since_) since_ = steady_clock::now();
}

Millis ProbePace::lasted() const {
  return since_ ? std::chrono::duration_cast<Millis>(steady_clock::now() - *since_) : Millis{0};
}

Millis ProbePace::next(Millis interval) {
  return delay_ = delay_ == Millis{0} ? kFirstProbeDelay : std::min(delay_ * 2, interval);
}

bool is_ready(const TaskOptions& options, const catalog::Service& service, const std::string& id,
              int host_port, Millis patience) {
  if (service.network == catalog::NetworkMode::none ||
      service.probe.kind == catalog::ProbeKind::none) {
    return true;
  }
  catalog::Probe asked = service.probe;
  asked.path = path_in_container(options, service, id, asked.path);
  return answers(asked, options.publish_address, host_port, patience);
}

std::string no_answer(const catalog::Service& service) {
  return "did not answer on its port " + std::to_string(service.container_port) + " within " +
         format_duration(service.start_timeout);
}

}  // namespace resmgr::tasks
