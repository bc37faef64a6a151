// Another program as a child of the test.
#ifndef RESMGR_TESTS_SUPPORT_SUBPROCESS_H_
#define RESMGR_TESTS_SUPPORT_SUBPROCESS_H_

#include <sys/types.h>

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace resmgr::support {

struct SpawnOptions {
  std::map<std::string, std::string> env;  // beside the test's own environment
  std::string input;                       // standard input, whole
};

// The child is killed when the thread that made it ends: none outlives a test that crashed. So make
// it on a thread that lives as long as it is wanted.
class Subprocess {
 public:
  // `argv[0]` is looked up in PATH. Throws std::system_error if the child can't be made; a program
  // that can't be run ends with code 127.
  explicit Subprocess(std::vector<std::string> argv, SpawnOptions options = {});
  ~Subprocess();  // SIGKILL if it still runs
  Subprocess(const Subprocess&) = delete;
  Subprocess& operator=(const Subprocess&) = delete;

  pid_t pid() const { return pid_; }
  bool running();
  void signal(int number) const;
  // The exit code, or 128 + the signal that ended it; empty if it still runs after `bound`.
  std::optional<int> wait(std::chrono::milliseconds bound);
  // What it has printed so far. It writes to files, so it never waits for a reader.
  std::string out() const;
  std::string err() const;

 private:
  pid_t pid_ = -1;
  int out_ = -1;
  int err_ = -1;
  std::optional<int> code_;
};

struct Finished {
  int code = -1;
  std::string out;
  std::string err;
};

// Runs it to its end. Throws std::runtime_error, with what it printed, after `bound`.
Finished run(const std::vector<std::string>& argv, const SpawnOptions& options = {},
             std::chrono::milliseconds bound = std::chrono::minutes(2));

}  // namespace resmgr::support

#endif  // RESMGR_TESTS_SUPPORT_SUBPROCESS_H_
