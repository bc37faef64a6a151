// A directory that is gone at the end of the scope.
#ifndef RESMGR_TESTS_SUPPORT_TEMP_DIR_H_
#define RESMGR_TESTS_SUPPORT_TEMP_DIR_H_

#include <filesystem>
#include <string>
#include <string_view>

namespace resmgr::support {

class TempDir {
 public:
  // Right under /tmp, whatever TMPDIR says: the path of a unix socket has at most 107 bytes.
  explicit TempDir(const std::string& parent = "/tmp");
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  const std::filesystem::path& path() const { return path_; }
  // Writes `text` to a file of that name (mode 0600), making folders in between; returns its path.
  std::string write(std::string_view name, std::string_view text) const;

 private:
  std::filesystem::path path_;
};

// The whole file; empty if it can't be read.
std::string read_file(const std::filesystem::path& path);

}  // namespace resmgr::support

#endif  // RESMGR_TESTS_SUPPORT_TEMP_DIR_H_
