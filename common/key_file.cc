#include "common/key_file.h"

#include <sys/stat.h>

#include <cstring>
#include <string_view>

#include "common/config.h"
#include "common/crypto.h"
#include "common/error.h"
#include "common/file_bytes.h"
#include "common/log.h"

namespace resmgr {
namespace {

// Far more than any key; a wrong path should not fill the memory.
constexpr std::size_t kLargestKeyFile = std::size_t{1} << 20;

[[noreturn]] void refuse_key(const std::string& path, const std::string& cause) {
  throw Error(ErrorKind::config, "cannot read key file '" + path + "': " + cause);
}

}  // namespace

std::string read_key_bytes(const std::string& path) {
  FileBytes file = read_file_bytes(path, kLargestKeyFile);
  if (file.error != 0) refuse_key(path, std::strerror(file.error));
  std::string key = std::move(file.bytes);
  if (key.ends_with('\n')) key.pop_back();
  constexpr std::string_view kEncoded = "base64:";
  if (key.starts_with(kEncoded)) {
    const auto decoded = base64_decode(std::string_view(key).substr(kEncoded.size()));
    if (!decoded) refuse_key(path, "what follows 'base64:' is no base64 (RFC 4648, section 4)");
    key = *decoded;
  }
  if (key.empty()) refuse_key(path, "it is empty");
  return key;
}

void warn_if_exposed(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return;
  if ((status.st_mode & S_IROTH) == 0) return;
  log::warning("Key file {Path} may be read by every user of this host; chmod o-rwx mends it",
               {{"Path", path}});
}

std::string read_key_file(const std::string& path) {
  std::string key = read_key_bytes(path);
  warn_if_exposed(path);
  return key;
}

}  // namespace resmgr
