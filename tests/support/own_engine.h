// A Docker engine of a test's own, to be stopped, killed and started again. It has a network
// namespace, a data root and a socket of its own, so that it shares nothing with the machine's
// engine. Needs root, iproute2 and util-linux.
#ifndef RESMGR_TESTS_SUPPORT_OWN_ENGINE_H_
#define RESMGR_TESTS_SUPPORT_OWN_ENGINE_H_

#include <memory>
#include <string>
#include <vector>

#include "tests/support/subprocess.h"
#include "tests/support/temp_dir.h"

namespace resmgr::support {

class OwnEngine {
 public:
  // Started when it returns, with the image of the service 'hello'.
  explicit OwnEngine(bool live_restore);
  // Removes its containers and ends every process of it.
  ~OwnEngine();
  OwnEngine(const OwnEngine&) = delete;
  OwnEngine& operator=(const OwnEngine&) = delete;

  std::string url() const { return "unix://" + (dir_.path() / "docker.sock").string(); }

  // As docker() of docker_cli.h, asking this engine.
  std::string docker(const std::vector<std::string>& arguments) const;
  bool answers() const;

  void start();
  void stop();   // as its service manager does
  void kill9();  // the daemon alone: containers go on until it is back
  // The daemon, what it runs to keep containers, and what is in them: as when power is lost.
  void kill_everything();

  // Of a container that runs, as the host counts: also while the daemon is away.
  int pid_of(const std::string& container) const;

 private:
  void launch();
  // What bears this engine's directory in its command line, and all that descends from that.
  std::vector<int> processes() const;

  TempDir dir_;
  std::string namespace_;
  bool live_restore_;
  std::unique_ptr<Subprocess> daemon_;
};

}  // namespace resmgr::support

#endif  // RESMGR_TESTS_SUPPORT_OWN_ENGINE_H_
