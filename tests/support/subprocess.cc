#include "tests/support/subprocess.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>

namespace resmgr::support {
namespace {

int memory_file(const char* name) {
  const int fd = ::memfd_create(name, MFD_CLOEXEC);
  if (fd < 0) throw std::system_error(errno, std::generic_category(), "memfd_create");
  return fd;
}

// pread, so that the child's own position is not moved.
std::string contents(int fd) {
  std::string text;
  std::array<char, 65536> block{};
  ssize_t got = 0;
  while ((got = ::pread(fd, block.data(), block.size(), static_cast<off_t>(text.size()))) > 0) {
    text.append(block.data(), static_cast<std::size_t>(got));
  }
  return text;
}

int input_file(const std::string& text) {
  const int fd = memory_file("stdin");
  if (::pwrite(fd, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) {
    throw std::runtime_error("cannot write the child's input");
  }
  return fd;
}

std::vector<std::string> merged_environment(const std::map<std::string, std::string>& extra) {
  std::vector<std::string> env;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    if (!extra.contains(text.substr(0, text.find('=')))) env.push_back(text);
  }
  for (const auto& [name, value] : extra) env.push_back(name + "=" + value);
  return env;
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> list;
  list.reserve(texts.size() + 1);
  for (const auto& text : texts) list.push_back(const_cast<char*>(text.c_str()));
  list.push_back(nullptr);
  return list;
}

}  // namespace

Subprocess::Subprocess(std::vector<std::string> argv, SpawnOptions options)
    : out_(memory_file("stdout")), err_(memory_file("stderr")) {
  const auto env = merged_environment(options.env);
  const int input = input_file(options.input);
  auto argument_list = pointers(argv);
  auto environment_list = pointers(env);
  const pid_t parent = ::getpid();
  // Until exec only what is safe in a signal handler: other threads may hold locks. A fork would
  // copy the page tables of a process that a sanitizer has made large.
  pid_ = ::vfork();  // NOLINT(clang-analyzer-security.insecureAPI.vfork)
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(127);
    ::dup2(input, STDIN_FILENO);
    ::dup2(out_, STDOUT_FILENO);
    ::dup2(err_, STDERR_FILENO);
    ::execvpe(argument_list.front(), argument_list.data(), environment_list.data());
    ::_exit(127);
  }
  ::close(input);
  if (pid_ < 0) throw std::system_error(errno, std::generic_category(), "fork");
}

Subprocess::~Subprocess() {
  if (running()) {
    signal(SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  ::close(out_);
  ::close(err_);
}

bool Subprocess::running() {
  if (code_) return false;
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) == 0) return true;
  code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return false;
}

void Subprocess::signal(int number) const {
  if (!code_) ::kill(pid_, number);
}

std::optional<int> Subprocess::wait(std::chrono::milliseconds bound) {
  const auto deadline = std::chrono::steady_clock::now() + bound;
  while (running()) {
    if (std::chrono::steady_clock::now() > deadline) return std::nullopt;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return code_;
}

std::string Subprocess::out() const { return contents(out_); }
std::string Subprocess::err() const { return contents(err_); }

Finished run(const std::vector<std::string>& argv, const SpawnOptions& options,
             std::chrono::milliseconds bound) {
  Subprocess child(argv, options);
  const auto code = child.wait(bound);
  if (!code) {
    throw std::runtime_error(argv.front() + " does not end; it printed:\n" + child.out() +
                             child.err());
  }
  return {*code, child.out(), child.err()};
}

}  // namespace resmgr::support
