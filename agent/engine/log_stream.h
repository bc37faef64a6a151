// Docker's framing of a container's output when it has no terminal: each frame is a header of 8
// bytes, {stream, 0, 0, 0, length (32 bits, big endian)}, and `length` bytes of payload. Streams: 0
// stdin, 1 stdout, 2 stderr, 3 an error of the daemon's own.
// https://docs.docker.com/reference/api/engine/, "Attach to a container", stream format.
#ifndef RESMGR_AGENT_ENGINE_LOG_STREAM_H_
#define RESMGR_AGENT_ENGINE_LOG_STREAM_H_

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace resmgr::engine {

// Pure. Holds nothing but a header and a bounded message of the daemon: a frame of 4 GB costs no
// memory.
class LogDemultiplexer {
 public:
  using Output = std::function<bool(std::string_view)>;

  // Takes the next bytes, cut anywhere, and gives what containers printed to `output` (never an
  // empty piece), in order. False once `output` returned false; nothing is to be fed afterwards.
  // Throws Error(unavailable) for what is no frame, and Error(rejected) with the daemon's words
  // for a frame of its own errors.
  bool feed(std::string_view bytes, const Output& output);

  // Whether the bytes so far end with a frame's end. If not, the stream was cut.
  bool at_boundary() const { return header_size_ == 0 && left_ == 0; }

 private:
  void begin_frame();
  [[noreturn]] void fail_with_daemon_error();

  std::array<char, 8> header_{};
  std::size_t header_size_ = 0;
  std::uint32_t left_ = 0;  // of the payload
  bool from_daemon_ = false;
  std::string daemon_error_;
};

}  // namespace resmgr::engine

#endif  // RESMGR_AGENT_ENGINE_LOG_STREAM_H_
