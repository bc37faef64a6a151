// A program of tests/npm, run by Node.js: what others wrote, as a process of the test's own.
#ifndef RESMGR_TESTS_SUPPORT_NODE_SCRIPT_H_
#define RESMGR_TESTS_SUPPORT_NODE_SCRIPT_H_

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "tests/support/subprocess.h"

namespace resmgr::support {

// A server: the first line that it prints is its URL. It is killed at the end. Its process may live
// no longer than the thread that makes it (Subprocess).
class NodeScript {
 public:
  // `name` is of a file in tests/npm. Returns once the script has said its URL; throws
  // std::runtime_error with what it printed if it never does, and if tests/npm/install was not run.
  explicit NodeScript(const std::string& name, const std::vector<std::string>& arguments = {},
                      const std::map<std::string, std::string>& env = {});

  const std::string& url() const { return url_; }  // without a slash at its end
  Subprocess& process() { return process_; }

 private:
  Subprocess process_;
  std::string url_;
};

// Runs another one to its end, as run().
Finished run_node_script(const std::string& name, const std::vector<std::string>& arguments,
                         const std::map<std::string, std::string>& env,
                         std::chrono::milliseconds bound);

}  // namespace resmgr::support

#endif  // RESMGR_TESTS_SUPPORT_NODE_SCRIPT_H_
