// What the Docker Engine API (https://docs.docker.com/reference/api/engine/, v1.41 to v1.45) says,
// turned into the port's types. Pure functions.
//
// Text that is not what the API promises throws Error(unavailable): an answer that can't be read
// tells nothing about the engine, and what tells nothing is not acted upon.
#ifndef RESMGR_AGENT_ENGINE_DOCKER_JSON_H_
#define RESMGR_AGENT_ENGINE_DOCKER_JSON_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/engine/engine.h"

namespace resmgr::engine {

// A version of the API, "1.41".
struct ApiVersion {
  int major = 0;
  int minor = 0;
  bool operator==(const ApiVersion&) const = default;
  bool operator<(const ApiVersion& other) const {
    return major != other.major ? major < other.major : minor < other.minor;
  }
};
inline constexpr ApiVersion kLeastApiVersion{1, 41};
inline constexpr ApiVersion kGreatestApiVersion{1, 45};

std::string to_string(ApiVersion version);
std::optional<ApiVersion> parse_api_version(std::string_view text);

// The greatest version that both sides speak, from the answer to GET /version. Throws
// Error(rejected) if there is none.
ApiVersion negotiate_api_version(std::string_view version_body);

// GET /info. `api_version` is left empty: it is what was negotiated.
EngineInfo read_info(std::string_view body);
// The engine's own clock, from GET /info.
Instant read_engine_time(std::string_view body);

// POST /containers/create
std::string read_created_id(std::string_view body);

// GET /images/{name}/json
std::string read_image_id(std::string_view body);

// GET /containers/{id}/json
ContainerState read_container(std::string_view body);
// The id of its first process, as the engine's host counts; 0 if it does not run.
std::int64_t read_pid(std::string_view body);

// GET /containers/json
std::vector<ContainerSummary> read_container_list(std::string_view body);

// One line of GET /events. Empty if it is not about a container.
std::optional<EngineEvent> read_event(std::string_view line);

// GET /containers/{id}/stats. Empty if it tells that the container does not run.
std::optional<Stats> read_stats(std::string_view body);

// GET /networks/{name}. Empty if it is another network (the daemon takes the beginning of an id
// for a name).
std::optional<NetworkState> read_network(std::string_view body, std::string_view name);
// When it was made; empty if it is not told.
std::optional<Instant> read_network_creation(std::string_view body);

}  // namespace resmgr::engine

#endif  // RESMGR_AGENT_ENGINE_DOCKER_JSON_H_
