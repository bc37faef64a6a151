#include "agent/catalog/spec_hash.h"

#include <cmath>

#include "common/crypto.h"
#include "common/jcs.h"
#include "common/json.h"

namespace resmgr::catalog {

std::string spec_hash_of(const Service& service) {
  Json env = Json::object();
  for (const auto& [name, value] : service.env) env[name] = value;
  Json volumes = Json::array();
  for (const Volume& volume : service.volumes) {
    volumes.push_back({{"name", volume.name}, {"path", volume.path}});
  }
  const Json spec = {
      // Raised when the agent makes containers in another way for the same definition.
      {"version", 1},
      {"name", service.name},  // it stands in a label
      {"image", service.image},
      {"containerPort", service.container_port},
      {"command", service.command},
      {"env", env},
      {"stopTimeoutMs", service.stop_timeout.count()},
      // The engine counts in billionths.
      {"nanoCpus", std::llround(service.cpus * 1e9)},
      {"memoryBytes", service.memory_bytes},
      {"pids", service.pids},
      {"shmBytes", service.shm_bytes},
      {"readOnly", service.read_only},
      {"capabilities", service.capabilities},
      {"user", service.user},
      {"network", service.network == NetworkMode::none ? "none" : "isolated"},
      {"volumes", volumes},
  };
  return sha256_hex(canonical_json(spec));
}

}  // namespace resmgr::catalog
