#include "tests/support/browser_script.h"

#include "tests/support/node_script.h"

namespace resmgr::support {

Finished run_browser_script(const std::string& name, const std::vector<std::string>& arguments,
                            std::map<std::string, std::string> env,
                            std::chrono::milliseconds bound) {
  env["RESMGR_STILL_NETWORK"] = RESMGR_STILL_NETWORK;
  return run_node_script(name, arguments, env, bound);
}

}  // namespace resmgr::support
