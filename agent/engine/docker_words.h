// What the Docker daemon says when it refuses: the API gives no codes finer than a status, so its
// words have to be read. Pure functions.
#ifndef RESMGR_AGENT_ENGINE_DOCKER_WORDS_H_
#define RESMGR_AGENT_ENGINE_DOCKER_WORDS_H_

#include <string>
#include <string_view>

namespace resmgr::engine {

// The daemon's own words from the body of an error: one line, at most 1,000 bytes.
std::string read_error_message(std::string_view body);

// Whether these words of the daemon say that a host port is taken; that a network is not there;
// that a registry does not have an image (or not for us), for which the status may be 500 too.
bool says_port_in_use(std::string_view message);
bool says_network_missing(std::string_view message);
bool says_image_missing(std::string_view message);

}  // namespace resmgr::engine

#endif  // RESMGR_AGENT_ENGINE_DOCKER_WORDS_H_
