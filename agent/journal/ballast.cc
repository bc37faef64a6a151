#include "agent/journal/ballast.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "common/log.h"

namespace resmgr::journal {
namespace {

constexpr std::int64_t kPart = 1 << 20;
constexpr std::chrono::milliseconds kBetweenTries{200};

class File {
 public:
  File(const std::string& path, int flags) : fd_(open(path.c_str(), flags | O_CLOEXEC, 0600)) {}
  ~File() {
    if (fd_ >= 0) close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int fd() const { return fd_; }

 private:
  int fd_;
};

// The disk may have room for it another time.
bool may_pass(int error) {
  return error == ENOSPC || error == EDQUOT || error == EROFS || error == EIO;
}

}  // namespace

Ballast::Ballast(std::string file, std::int64_t bytes) : file_(std::move(file)), wanted_(bytes) {
  if (wanted_ <= 0) return;
  look();
  if (!whole()) allocate();
}

// What is there by blocks: a file that was copied may have holes.
void Ballast::look() {
  struct stat status {};
  if (stat(file_.c_str(), &status) != 0) return;
  size_ = std::min<std::int64_t>(status.st_size, static_cast<std::int64_t>(status.st_blocks) * 512);
}

bool Ballast::give() {
  if (size_ <= 0) return false;
  const std::int64_t left = std::max<std::int64_t>(size_ - kPart, 0);
  const File file(file_, O_WRONLY);
  if (file.fd() < 0 || ftruncate(file.fd(), left) != 0) return false;
  // Some file systems give blocks back only once the change is on disk.
  static_cast<void>(fsync(file.fd()));
  size_ = left;
  return true;
}

bool Ballast::refill() {
  const auto now = std::chrono::steady_clock::now();
  if (whole() || now < next_try_) return whole();
  allocate();
  next_try_ = std::chrono::steady_clock::now() + kBetweenTries;
  return whole();
}

void Ballast::allocate() {
  const File file(file_, O_WRONLY | O_CREAT);
  int error = file.fd() < 0 ? errno : 0;
  if (error == 0) error = posix_fallocate(file.fd(), 0, wanted_);
  if (error == 0 && fsync(file.fd()) != 0) error = errno;
  if (error == 0) {
    size_ = wanted_;
    return;
  }
  // What a failed try took is needed more elsewhere.
  if (file.fd() >= 0 && ftruncate(file.fd(), size_) != 0) {
    log::debug("Could not cut '{File}' back", {{"File", file_}});
  }
  if (may_pass(error)) return;
  log::warning("No space can be kept for stops on a full disk: '{File}': {Reason}",
               {{"File", file_}, {"Reason", std::strerror(error)}});
  wanted_ = 0;
}

}  // namespace resmgr::journal
