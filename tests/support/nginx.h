// Debian's nginx before an agent, as a process of the test's own, with the configuration that is
// shipped for it.
#ifndef RESMGR_TESTS_SUPPORT_NGINX_H_
#define RESMGR_TESTS_SUPPORT_NGINX_H_

#include <memory>
#include <string>

#include "tests/support/subprocess.h"
#include "tests/support/temp_dir.h"

namespace resmgr::support {

// Names below localhost lead browsers to this host, without a name server.
inline constexpr char kTasksHost[] = "tasks.localhost";
inline constexpr char kDashboardHost[] = "resmgr.localhost";

// A port of 127.0.0.1 on which nobody listens, and which the kernel gives to nobody.
int quiet_port();

// It listens on 127.0.0.1 alone, with TLS and a certificate that nobody signed. One process, which
// is killed at the end.
class Nginx {
 public:
  // packaging/nginx/resmgr.conf, with these names, this port, and the agent at `agent_url`
  // (http://HOST:PORT). Returns once it listens; throws std::runtime_error with what it printed.
  Nginx(int port, const std::string& agent_url);

  std::string log() const { return process_->err(); }

 private:
  TempDir dir_;
  std::unique_ptr<Subprocess> process_;
};

}  // namespace resmgr::support

#endif  // RESMGR_TESTS_SUPPORT_NGINX_H_
