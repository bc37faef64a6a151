// Reads a small file whole, and notices when it changed.
#ifndef RESMGR_COMMON_FILE_BYTES_H_
#define RESMGR_COMMON_FILE_BYTES_H_

#include <sys/types.h>

#include <cstddef>
#include <string>

namespace resmgr {

struct FileBytes {
  int error = 0;  // errno(3); EFBIG for a file over the limit
  std::string bytes;
  mode_t mode = 0;
};

// Never waits: a FIFO that nobody writes to reads as empty.
FileBytes read_file_bytes(const std::string& path, std::size_t most);

// Another text after each change of the file's content; empty where it can't be seen.
std::string file_version(const std::string& path);

}  // namespace resmgr

#endif  // RESMGR_COMMON_FILE_BYTES_H_
