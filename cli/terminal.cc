#include "cli/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include "common/error.h"

namespace resmgr::cli {
namespace {

constexpr std::size_t kHeldBack = std::size_t{64} << 10;
constexpr int kUsualWidth = 80;

std::string reason(int error) { return std::generic_category().message(error); }

}  // namespace

FileStream::FileStream(int descriptor, std::string name)
    : descriptor_(descriptor), name_(std::move(name)), is_terminal_(isatty(descriptor) == 1) {}

FileStream::~FileStream() {
  try {
    flush();
  } catch (const std::exception&) {
    // The command's own flush, which reports, came before; this is the way out of an exception.
    pending_.clear();
  }
}

void FileStream::write(std::string_view text) {
  pending_ += text;
  if (pending_.size() >= kHeldBack) flush();
}

void FileStream::flush() {
  const std::string text = std::exchange(pending_, {});
  std::size_t written = 0;
  while (written < text.size()) {
    const ssize_t n = ::write(descriptor_, text.data() + written, text.size() - written);
    if (n >= 0) {
      written += static_cast<std::size_t>(n);
    } else if (errno == EPIPE) {
      throw OutputClosed();
    } else if (errno != EINTR) {
      throw Error(ErrorKind::unavailable, "cannot write " + name_ + ": " + reason(errno));
    }
  }
}

int FileStream::width() const {
  winsize size{};
  if (is_terminal_ && ioctl(descriptor_, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    return size.ws_col;
  }
  return kUsualWidth;
}

std::string read_standard_input() {
  std::string text;
  std::array<char, std::size_t{16} << 10> buffer;
  for (;;) {
    const ssize_t n = read(STDIN_FILENO, buffer.data(), buffer.size());
    if (n > 0) {
      text.append(buffer.data(), static_cast<std::size_t>(n));
    } else if (n == 0) {
      return text;
    } else if (errno != EINTR) {
      throw Error(ErrorKind::unavailable, "cannot read standard input: " + reason(errno));
    }
  }
}

}  // namespace resmgr::cli
