// The engine seen by somebody else's eyes: the docker command.
#ifndef RESMGR_TESTS_SUPPORT_DOCKER_CLI_H_
#define RESMGR_TESTS_SUPPORT_DOCKER_CLI_H_

#include <string>
#include <string_view>
#include <vector>

namespace resmgr::support {

// Runs docker and returns what it printed, without the last newline. Throws std::runtime_error with
// its words if it fails.
std::string docker(const std::vector<std::string>& arguments);

struct ListedContainer {
  std::string id;  // whole
  std::string name;
  std::string state;  // "running", "exited", "created", …
};

// Every container, in whatever state, that bears the label of this agent.
std::vector<ListedContainer> containers_of(std::string_view agent_id);

bool container_exists(const std::string& id_or_name);

// Removes the containers and networks that bear the label of this agent, and nothing else.
void remove_all_of(std::string_view agent_id);

// Builds the image of the service 'hello' unless this process has seen to it already.
void ensure_hello_image();
// … of the service 'jupyter', from Debian's packages: minutes, if it is not there yet.
void ensure_jupyter_image();
// … of the service 'terminal', as well.
void ensure_terminal_image();

}  // namespace resmgr::support

#endif  // RESMGR_TESTS_SUPPORT_DOCKER_CLI_H_
