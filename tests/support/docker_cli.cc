#include "tests/support/docker_cli.h"

#include <sstream>
#include <stdexcept>

#include "tests/support/subprocess.h"

namespace resmgr::support {
namespace {

std::string label_filter(std::string_view agent_id) {
  return "label=io.resmgr.agent-id=" + std::string(agent_id);
}

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> result;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) result.push_back(line);
  return result;
}

}  // namespace

std::string docker(const std::vector<std::string>& arguments) {
  std::vector<std::string> argv = {"docker"};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  auto finished = run(argv);
  if (finished.code != 0) {
    throw std::runtime_error("docker " + arguments.front() + ": " + finished.err);
  }
  if (!finished.out.empty() && finished.out.back() == '\n') finished.out.pop_back();
  return finished.out;
}

std::vector<ListedContainer> containers_of(std::string_view agent_id) {
  std::vector<ListedContainer> result;
  for (const auto& line :
       lines(docker({"ps", "--all", "--no-trunc", "--filter", label_filter(agent_id), "--format",
                     "{{.ID}} {{.Names}} {{.State}}"}))) {
    ListedContainer container;
    std::istringstream(line) >> container.id >> container.name >> container.state;
    result.push_back(container);
  }
  return result;
}

bool container_exists(const std::string& id_or_name) {
  return run({"docker", "container", "inspect", id_or_name}).code == 0;
}

void remove_all_of(std::string_view agent_id) {
  std::vector<std::string> arguments = {"rm", "--force", "--volumes"};
  for (const auto& container : containers_of(agent_id)) arguments.push_back(container.id);
  if (arguments.size() > 3) docker(arguments);
  for (const auto& network :
       lines(docker({"network", "ls", "--quiet", "--filter", label_filter(agent_id)}))) {
    docker({"network", "rm", network});
  }
}

void ensure_hello_image() {
  static const int code = run({RESMGR_SOURCE_DIR "/packaging/images/hello/build"}).code;
  if (code != 0) throw std::runtime_error("packaging/images/hello/build failed");
}

void ensure_jupyter_image() {
  static const int code =
      run({RESMGR_SOURCE_DIR "/packaging/images/jupyter/build"}, {}, std::chrono::minutes(15)).code;
  if (code != 0) throw std::runtime_error("packaging/images/jupyter/build failed");
}

void ensure_terminal_image() {
  static const int code =
      run({RESMGR_SOURCE_DIR "/packaging/images/terminal/build"}, {}, std::chrono::minutes(15))
          .code;
  if (code != 0) throw std::runtime_error("packaging/images/terminal/build failed");
}

}  // namespace resmgr::support
