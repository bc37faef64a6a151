// Where an image comes from, and with what credentials. Pure but for read_registry_auth.
#ifndef RESMGR_AGENT_ENGINE_IMAGE_SOURCE_H_
#define RESMGR_AGENT_ENGINE_IMAGE_SOURCE_H_

#include <optional>
#include <string>
#include <string_view>

namespace resmgr::engine {

// An image's name, split as the Engine API wants it. Names are those of the OCI distribution
// specification with Docker's short forms ("busybox", "user/app:1").
struct ImageSource {
  std::string name;      // without tag and digest
  std::string tag;       // or digest "sha256:…"; "latest" if the name has neither
  std::string registry;  // host[:port]; "docker.io" if the name has none
};

ImageSource parse_image(std::string_view image);

// The X-Registry-Auth header for a registry, from the text of a Docker config.json ("auths" only;
// credential helpers are programs, and are not run). Empty if the file has nothing for it. Throws
// Error(config) if the text is not understood; no credential ever stands in the message.
std::optional<std::string> registry_auth(std::string_view config_json, std::string_view registry);

// As above, with the text of `file`. Empty if `file` is empty. Throws Error(config).
std::optional<std::string> read_registry_auth(const std::string& file, std::string_view registry);

}  // namespace resmgr::engine

#endif  // RESMGR_AGENT_ENGINE_IMAGE_SOURCE_H_
