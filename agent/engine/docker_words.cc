#include "agent/engine/docker_words.h"

#include <algorithm>
#include <initializer_list>

#include "common/error.h"
#include "common/json.h"

namespace resmgr::engine {
namespace {

constexpr std::size_t kLongestMessage = 1'000;

bool has_any(std::string_view text, std::initializer_list<std::string_view> parts) {
  return std::any_of(parts.begin(), parts.end(), [text](std::string_view part) {
    return text.find(part) != std::string_view::npos;
  });
}

}  // namespace

std::string read_error_message(std::string_view body) {
  std::string message;
  try {
    message = string_or(parse_json(body, "error"), "message");
  } catch (const Error&) {
    // A proxy before the engine answers in its own form.
    message = std::string(body);
  }
  if (message.size() > kLongestMessage) {
    // Cut between characters: the first byte left out must begin one.
    std::size_t end = kLongestMessage;
    while (end > 0 && (static_cast<unsigned char>(message[end]) & 0xC0U) == 0x80U) --end;
    message.resize(end);
  }
  for (char& c : message) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  }
  while (message.ends_with(' ') || message.ends_with('.')) message.pop_back();
  return message.empty() ? "no reason given" : message;
}

bool says_port_in_use(std::string_view message) {
  return has_any(message, {"address already in use", "port is already allocated",
                           "ports are not available", "all ports are allocated"});
}

bool says_network_missing(std::string_view message) {
  return has_any(message, {"network"}) && has_any(message, {"not found"});
}

bool says_image_missing(std::string_view message) {
  return has_any(message, {"manifest unknown", "name unknown", "pull access denied"});
}

}  // namespace resmgr::engine
