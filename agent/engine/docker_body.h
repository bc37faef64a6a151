// What is sent to the Docker Engine API (v1.41 to v1.45). Pure functions.
#ifndef RESMGR_AGENT_ENGINE_DOCKER_BODY_H_
#define RESMGR_AGENT_ENGINE_DOCKER_BODY_H_

#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/engine/engine.h"

namespace resmgr::engine {

// Body of POST /containers/create: all capabilities dropped, no new privileges, an init process,
// never restarted by the engine; the rest as the spec says.
std::string create_body(const ContainerSpec& spec);

// Body of POST /networks/create: a bridge.
std::string network_body(const NetworkSpec& spec);

// Value of `filters` for a list by labels, and for events of containers.
std::string label_filter(const std::map<std::string, std::string>& labels);
std::string container_event_filter();

// "?a=1&b=2", the values encoded; empty if there are none.
std::string query_string(const std::vector<std::pair<std::string_view, std::string>>& values);

// Unix time "<seconds>.<nine digits>", as `since` takes it.
std::string unix_time(Instant instant);

// Whole seconds, rounded up: the engine counts its patience in them.
std::chrono::seconds whole_seconds(Millis duration);

}  // namespace resmgr::engine

#endif  // RESMGR_AGENT_ENGINE_DOCKER_BODY_H_
