#include "tests/support/node_script.h"

#include <filesystem>
#include <stdexcept>

#include "tests/support/eventually.h"

namespace resmgr::support {
namespace {

constexpr char kScripts[] = RESMGR_SOURCE_DIR "/tests/npm/";

std::vector<std::string> command(const std::string& name,
                                 const std::vector<std::string>& arguments) {
  if (!std::filesystem::exists(RESMGR_NPM_DIR "/node_modules")) {
    throw std::runtime_error("there is no " RESMGR_NPM_DIR "/node_modules: run tests/npm/install");
  }
  std::vector<std::string> argv = {"node", kScripts + name};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return argv;
}

SpawnOptions with_packages(const std::map<std::string, std::string>& env) {
  SpawnOptions spawn;
  spawn.env = env;
  spawn.env["RESMGR_NPM_DIR"] = RESMGR_NPM_DIR;
  return spawn;
}

}  // namespace

NodeScript::NodeScript(const std::string& name, const std::vector<std::string>& arguments,
                       const std::map<std::string, std::string>& env)
    : process_(command(name, arguments), with_packages(env)) {
  std::string out;
  eventually([&] {
    out = process_.out();
    return out.find('\n') != std::string::npos || !process_.running();
  });
  if (out.find('\n') == std::string::npos) {
    throw std::runtime_error(name + " does not say its URL; it printed:\n" + out + process_.err());
  }
  url_ = out.substr(0, out.find('\n'));
  while (url_.ends_with('/')) url_.pop_back();
}

Finished run_node_script(const std::string& name, const std::vector<std::string>& arguments,
                         const std::map<std::string, std::string>& env,
                         std::chrono::milliseconds bound) {
  return run(command(name, arguments), with_packages(env), bound);
}

}  // namespace resmgr::support
