// A WebSocket client (RFC 6455) that reads by the letter.
#ifndef RESMGR_TESTS_UNIT_API_LIVE_READER_H_
#define RESMGR_TESTS_UNIT_API_LIVE_READER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "tests/unit/api/raw_client.h"

namespace resmgr::api {

inline constexpr char kWebSocketHeaders[] =
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

class LiveReader {
 public:
  struct Frame {
    int opcode = 0;  // 0: the connection ended, or nothing came for a minute
    std::string payload;

    std::optional<int> close_code() const {
      if (opcode != kClose || payload.size() < 2) return std::nullopt;
      return static_cast<std::uint8_t>(payload[0]) << 8 | static_cast<std::uint8_t>(payload[1]);
    }
  };
  static constexpr int kText = 1;
  static constexpr int kClose = 8;
  static constexpr int kPing = 9;

  // "/api/live…"; headers as for get().
  LiveReader(const std::string& address, const std::string& target, const std::string& headers)
      : client_(address) {
    client_.send(get(target, kWebSocketHeaders + headers));
    std::size_t end = 0;
    while ((end = input_.find("\r\n\r\n")) == std::string::npos && fill()) continue;
    head_ = input_.substr(0, end);
    input_.erase(0, end == std::string::npos ? end : end + 4);
  }

  // Status line and headers of the answer to the handshake.
  const std::string& head() const { return head_; }
  bool is_open() const { return head_.starts_with("HTTP/1.1 101 "); }

  // The next one of whatever kind.
  Frame frame() {
    while (true) {
      if (auto whole = take()) return *whole;
      if (!fill()) return {};
    }
  }
  // The next text; pings are passed over. What it is of a close: its code.
  Json next_of_any() {
    Frame got = frame();
    while (got.opcode == kPing) got = frame();
    if (got.opcode == kText) return parse_json(got.payload, "message");
    return {{"closed", got.close_code().value_or(0)}};
  }
  // … but for the progress of starts, of which nobody knows how often it is told.
  Json next() {
    Json message = next_of_any();
    while (is_progress(message)) message = next_of_any();
    return message;
  }
  static bool is_progress(const Json& message) {
    return string_or(message, "type") == "task.progress";
  }

 private:
  bool fill() {
    const std::string bytes = client_.read_some();
    input_ += bytes;
    return !bytes.empty();
  }
  // A server's frames are whole and not masked.
  std::optional<Frame> take() {
    const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(input_[i]); };
    if (input_.size() < 2) return std::nullopt;
    std::size_t size = byte(1);
    std::size_t begin = 2;
    if (size == 126) {
      if (input_.size() < 4) return std::nullopt;
      size = static_cast<std::size_t>(byte(2)) << 8 | byte(3);
      begin = 4;
    }
    if (input_.size() < begin + size) return std::nullopt;
    Frame frame{byte(0) & 0x0F, input_.substr(begin, size)};
    input_.erase(0, begin + size);
    return frame;
  }

  RawClient client_;
  std::string head_;
  std::string input_;
};

}  // namespace resmgr::api

#endif  // RESMGR_TESTS_UNIT_API_LIVE_READER_H_
