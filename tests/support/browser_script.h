// A script of tests/npm that plays with a browser.
#ifndef RESMGR_TESTS_SUPPORT_BROWSER_SCRIPT_H_
#define RESMGR_TESTS_SUPPORT_BROWSER_SCRIPT_H_

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "tests/support/subprocess.h"

namespace resmgr::support {

// Runs it to its end, as run_node_script(), with what keeps the browser from being told of the
// containers' networks as they come and go.
Finished run_browser_script(const std::string& name, const std::vector<std::string>& arguments,
                            std::map<std::string, std::string> env,
                            std::chrono::milliseconds bound);

}  // namespace resmgr::support

#endif  // RESMGR_TESTS_SUPPORT_BROWSER_SCRIPT_H_
