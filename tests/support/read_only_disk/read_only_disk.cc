// For LD_PRELOAD: while the file $RESMGR_TEST_READ_ONLY_WHILE is there, the directory
// $RESMGR_TEST_READ_ONLY_DIR lies on a read-only disk for this process; with
// $RESMGR_TEST_DISK_IS_FULL, on one without space. The kernel itself makes a file system read-only
// under open files only after an error of its disk, and then for good.

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdlib>
#include <cstring>

namespace {

bool is_read_only() {
  const char* const flag = std::getenv("RESMGR_TEST_READ_ONLY_WHILE");
  struct stat status {};
  return flag != nullptr && stat(flag, &status) == 0;
}

bool is_full() { return std::getenv("RESMGR_TEST_DISK_IS_FULL") != nullptr; }

bool is_inside(const char* path) {
  const char* const folder = std::getenv("RESMGR_TEST_READ_ONLY_DIR");
  return folder != nullptr && std::strncmp(path, folder, std::strlen(folder)) == 0;
}

bool refuses(const char* path) {
  if (!is_read_only() || !is_inside(path)) return false;
  errno = is_full() ? ENOSPC : EROFS;
  return true;
}

bool refuses(int fd) {
  if (!is_read_only()) return false;
  char link[64] = "/proc/self/fd/";
  // Digits of a descriptor, without the library's formatting, which may write.
  char digits[16];
  int count = 0;
  do {
    digits[count++] = static_cast<char>('0' + fd % 10);
    fd /= 10;
  } while (fd > 0);
  std::size_t end = std::strlen(link);
  while (count > 0) link[end++] = digits[--count];
  char path[4096];
  const ssize_t size = readlink(link, path, sizeof path - 1);
  if (size < 0) return false;
  path[size] = '\0';
  return refuses(static_cast<const char*>(path));
}

template <typename Function>
Function* real(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

using Open = int(const char*, int, ...);
using Write = ssize_t(int, const void*, size_t);
using PWrite = ssize_t(int, const void*, size_t, off_t);
using PWriteVector = ssize_t(int, const iovec*, int, off_t);
using Allocate = int(int, off_t, off_t);
using Truncate = int(int, off_t);

int open_as(const char* name, const char* path, int flags, mode_t mode) {
  // What is there can be opened on a full disk.
  const bool writes = (flags & (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC)) != 0;
  if (writes && !is_full() && refuses(path)) return -1;
  return real<Open>(name)(path, flags, mode);
}

mode_t mode_of(va_list arguments, int flags) {
  return (flags & O_CREAT) != 0 ? static_cast<mode_t>(va_arg(arguments, int)) : 0;
}

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(arguments, flags);
  va_end(arguments);
  return open_as("open", path, flags, mode);
}
int open64(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(arguments, flags);
  va_end(arguments);
  return open_as("open64", path, flags, mode);
}
ssize_t write(int fd, const void* bytes, size_t size) {
  return refuses(fd) ? -1 : real<Write>("write")(fd, bytes, size);
}
ssize_t pwrite(int fd, const void* bytes, size_t size, off_t at) {
  return refuses(fd) ? -1 : real<PWrite>("pwrite")(fd, bytes, size, at);
}
ssize_t pwrite64(int fd, const void* bytes, size_t size, off_t at) {
  return refuses(fd) ? -1 : real<PWrite>("pwrite64")(fd, bytes, size, at);
}
ssize_t pwritev(int fd, const iovec* parts, int count, off_t at) {
  return refuses(fd) ? -1 : real<PWriteVector>("pwritev")(fd, parts, count, at);
}
ssize_t pwritev64(int fd, const iovec* parts, int count, off_t at) {
  return refuses(fd) ? -1 : real<PWriteVector>("pwritev64")(fd, parts, count, at);
}
// These give the error back instead of setting it.
int posix_fallocate(int fd, off_t from, off_t size) {
  return refuses(fd) ? errno : real<Allocate>("posix_fallocate")(fd, from, size);
}
int posix_fallocate64(int fd, off_t from, off_t size) {
  return refuses(fd) ? errno : real<Allocate>("posix_fallocate64")(fd, from, size);
}
int ftruncate(int fd, off_t size) {
  return refuses(fd) ? -1 : real<Truncate>("ftruncate")(fd, size);
}
int ftruncate64(int fd, off_t size) {
  return refuses(fd) ? -1 : real<Truncate>("ftruncate64")(fd, size);
}

}  // extern "C"
