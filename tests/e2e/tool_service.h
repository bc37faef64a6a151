// A service that does what a test tells its container to do.
#ifndef RESMGR_TESTS_E2E_TOOL_SERVICE_H_
#define RESMGR_TESTS_E2E_TOOL_SERVICE_H_

#include <string>

#include "tests/support/docker_cli.h"
#include "tests/support/subprocess.h"

namespace resmgr::e2e {

// `more` are further lines of TOML: keys of [resources], then other tables.
inline std::string tool_service(const std::string& name, const std::string& more = "") {
  return "name = \"" + name + R"("
title = "Does as it is told"
image = "resmgr/hello:latest"
container_port = 8080
probe = "none"
stop_timeout = "1s"
command = ["/bin/sh", "-c", "until [ -e /tmp/do ]; do sleep 0.1; done; . /tmp/do"]
security = { read_only = true }
[resources]
)" + more +
         "\n";
}

// Its main program goes on with this script.
inline void tell(const std::string& container, const std::string& script) {
  support::docker({"exec", "--env", "SCRIPT=" + script, container, "/bin/sh", "-c",
                   "printf '%s' \"$SCRIPT\" > /tmp/new && mv /tmp/new /tmp/do"});
}

// Runs a script inside beside the main program, as that is confined.
inline support::Finished inside(const std::string& container, const std::string& script) {
  return support::run({"docker", "exec", container, "/bin/sh", "-c", script});
}

}  // namespace resmgr::e2e

#endif  // RESMGR_TESTS_E2E_TOOL_SERVICE_H_
