#include "agent/directories.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <utility>

#include "common/error.h"
#include "common/failpoint.h"
#include "common/ids.h"

namespace resmgr {
namespace {

constexpr std::size_t kSecretBytes = 32;

Error cannot(const std::string& verb, const std::string& path, int error) {
  return {ErrorKind::config, "cannot " + verb + " '" + path + "': " + std::strerror(error),
          "see that the agent's user may write there, or name another directory"};
}

class File {
 public:
  File(const std::string& path, int flags, unsigned mode)
      : fd_(open(path.c_str(), flags | O_CLOEXEC, static_cast<mode_t>(mode))) {
    if (fd_ < 0) throw cannot("open", path, errno);
  }
  ~File() {
    if (fd_ >= 0) close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int fd() const { return fd_; }

 private:
  int fd_;
};

void write_all(int fd, const std::string& path, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw cannot("write", path, errno);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  if (fsync(fd) != 0) throw cannot("write", path, errno);
}

std::string read_small(int fd) {
  char text[64];
  const ssize_t size = pread(fd, text, sizeof text, 0);
  std::string result(text, size > 0 ? static_cast<std::size_t>(size) : 0);
  while (!result.empty() && result.back() == '\n') result.pop_back();
  return result;
}

std::optional<std::string> read_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  if (!file || !std::getline(file, line)) return std::nullopt;
  return line;
}

}  // namespace

LockedDirectory::LockedDirectory(std::string path, unsigned mode) : path_(std::move(path)) {
  std::error_code error;
  const bool made = std::filesystem::create_directories(path_, error);
  if (error) throw cannot("make directory", path_, error.value());
  if (made && chmod(path_.c_str(), static_cast<mode_t>(mode)) != 0) {
    throw cannot("make directory", path_, errno);
  }
  const std::string lock_path = file("lock");
  lock_ = open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock_ < 0) throw cannot("open", lock_path, errno);
  if (flock(lock_, LOCK_EX | LOCK_NB) != 0) {
    const std::string holder = read_small(lock_);
    close(lock_);
    throw Error(ErrorKind::config,
                "cannot use directory '" + path_ + "': another agent has it (process " +
                    (holder.empty() ? "unknown" : holder) + ")",
                "stop that agent, or give this one directories of its own");
  }
  name_holder();
}

// The lock is what counts. Its file keeps its block, so that it can be written on a full disk too.
void LockedDirectory::name_holder() const {
  const std::string pid = std::to_string(getpid()) + "\n";
  const ssize_t written = pwrite(lock_, pid.data(), pid.size(), 0);
  // A number that is not ours would lead astray; if it can't be cut off either, nothing can be
  // done.
  if (ftruncate(lock_, written > 0 ? written : 0) != 0) return;
}

LockedDirectory::~LockedDirectory() {
  if (lock_ >= 0) close(lock_);
}

void write_file_atomically(const std::string& path, std::string_view text, unsigned mode) {
  const std::string temporary = path + ".new";
  {
    const File file(temporary, O_WRONLY | O_CREAT | O_TRUNC, mode);
    // Whatever the umask: agent.json is there for everyone to read, also where nothing else is.
    if (fchmod(file.fd(), static_cast<mode_t>(mode)) != 0) throw cannot("write", temporary, errno);
    write_all(file.fd(), temporary, text);
  }
  failpoint("file.before_rename");
  if (rename(temporary.c_str(), path.c_str()) != 0) throw cannot("write", path, errno);
  failpoint("file.after_rename");
  const File folder(std::filesystem::path(path).parent_path().string(), O_RDONLY | O_DIRECTORY, 0);
  if (fsync(folder.fd()) != 0) throw cannot("write", path, errno);
}

std::string load_agent_id(const LockedDirectory& data) {
  const std::string path = data.file("agent-id");
  if (const auto line = read_line(path)) {
    if (auto id = parse_uuid(*line)) return *id;
    throw Error(ErrorKind::corrupt, "cannot read the agent's id from '" + path + "': it is no UUID",
                "put the id there that the labels io.resmgr.agent-id of its containers show");
  }
  std::string id = new_uuid_v4();
  write_file_atomically(path, id + "\n", 0644);
  return id;
}

std::string load_secret_key(const LockedDirectory& data) {
  const std::string path = data.file("secret.key");
  if (const auto line = read_line(path)) {
    if (line->size() >= 2 * kSecretBytes) return *line;
    throw Error(ErrorKind::corrupt,
                "cannot use the key in '" + path + "': it has fewer than " +
                    std::to_string(2 * kSecretBytes) + " characters",
                "restore it; with another key running services refuse the links handed out");
  }
  std::string key = random_hex(kSecretBytes);
  write_file_atomically(path, key + "\n", 0600);
  return key;
}

}  // namespace resmgr
