#include "agent/engine/log_stream.h"

#include <algorithm>

#include "common/error.h"

namespace resmgr::engine {
namespace {

constexpr unsigned char kLastStream = 3;
constexpr unsigned char kDaemonStream = 3;
constexpr std::size_t kLongestDaemonError = 1'000;

}  // namespace

bool LogDemultiplexer::feed(std::string_view bytes, const Output& output) {
  while (!bytes.empty()) {
    if (left_ == 0) {
      const std::size_t taken = std::min(header_.size() - header_size_, bytes.size());
      std::copy_n(bytes.begin(), taken,
                  header_.begin() + static_cast<std::ptrdiff_t>(header_size_));
      header_size_ += taken;
      bytes.remove_prefix(taken);
      if (header_size_ == header_.size()) begin_frame();
      continue;
    }
    const std::string_view payload = bytes.substr(0, left_);
    left_ -= static_cast<std::uint32_t>(payload.size());
    bytes.remove_prefix(payload.size());
    if (!from_daemon_) {
      if (!output(payload)) return false;
      continue;
    }
    daemon_error_ += payload.substr(0, kLongestDaemonError - daemon_error_.size());
    if (left_ == 0) fail_with_daemon_error();
  }
  return true;
}

void LogDemultiplexer::begin_frame() {
  const auto byte = [this](std::size_t i) { return static_cast<unsigned char>(header_.at(i)); };
  header_size_ = 0;
  if (byte(0) > kLastStream || byte(1) != 0 || byte(2) != 0 || byte(3) != 0) {
    throw Error(ErrorKind::unavailable,
                "cannot read the output of a container: the engine sent no frame of it");
  }
  from_daemon_ = byte(0) == kDaemonStream;
  left_ = (std::uint32_t{byte(4)} << 24U) | (std::uint32_t{byte(5)} << 16U) |
          (std::uint32_t{byte(6)} << 8U) | std::uint32_t{byte(7)};
  if (from_daemon_ && left_ == 0) fail_with_daemon_error();
}

void LogDemultiplexer::fail_with_daemon_error() {
  std::string message = daemon_error_.empty() ? "no reason given" : daemon_error_;
  for (char& c : message) {
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  }
  throw Error(ErrorKind::rejected, "cannot read the output of a container: " + message);
}

}  // namespace resmgr::engine
