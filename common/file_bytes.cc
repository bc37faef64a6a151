#include "common/file_bytes.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>

namespace resmgr {
namespace {

int read_all(int fd, std::size_t most, std::string& bytes) {
  std::array<char, 4096> buffer{};
  for (;;) {
    const ssize_t got = read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno;
    if (got == 0) return 0;
    bytes.append(buffer.data(), static_cast<std::size_t>(got));
    if (bytes.size() > most) return EFBIG;
  }
}

}  // namespace

FileBytes read_file_bytes(const std::string& path, std::size_t most) {
  FileBytes file;
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) {
    file.error = errno;
    return file;
  }
  struct stat status {};
  if (fstat(fd, &status) == 0) file.mode = status.st_mode;
  file.error = read_all(fd, most, file.bytes);
  close(fd);
  return file;
}

std::string file_version(const std::string& path) {
  struct stat file {};
  if (path.empty() || stat(path.c_str(), &file) != 0) return {};
  std::string version;
  for (const std::int64_t part :
       {static_cast<std::int64_t>(file.st_ino), static_cast<std::int64_t>(file.st_mtim.tv_sec),
        static_cast<std::int64_t>(file.st_mtim.tv_nsec), static_cast<std::int64_t>(file.st_size)}) {
    version += std::to_string(part) + ' ';
  }
  return version;
}

}  // namespace resmgr
