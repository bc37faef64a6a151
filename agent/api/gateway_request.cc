#include "agent/api/gateway_request.h"

#include <algorithm>
#include <functional>

#include "agent/api/message.h"
#include "common/http.h"
#include "common/ids.h"

namespace resmgr::api {
namespace {

constexpr std::size_t kLongestPath = 8192;
// Who encodes a name twice means it; who does so more often means harm.
constexpr int kMostDecodings = 4;
constexpr std::size_t kIdLength = 36;

bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool is_well_encoded(std::string_view path) {
  for (std::size_t i = 0; i < path.size(); ++i) {
    const auto byte = static_cast<unsigned char>(path[i]);
    if (byte <= 0x20 || byte >= 0x7f || path[i] == '\\' || path[i] == '#' || path[i] == '?') {
      return false;
    }
    if (path[i] == '%' && !(i + 2 < path.size() && is_hex(path[i + 1]) && is_hex(path[i + 2]))) {
      return false;
    }
  }
  return true;
}

// UTF-8 writes no character so; lenient decoders read '.' and '/' out of it.
bool is_overlong(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const auto next = static_cast<unsigned char>(i + 1 < text.size() ? text[i + 1] : 0);
    const bool continues = (next & 0xc0U) == 0x80U;
    if (!continues) continue;
    if (byte == 0xc0 || byte == 0xc1 || (byte == 0xe0 && next < 0xa0) ||
        (byte == 0xf0 && next < 0x90)) {
      return true;
    }
  }
  return false;
}

bool climbs(std::string_view segment) {
  segment = segment.substr(0, segment.find(';'));
  const std::size_t begin = segment.find_first_not_of(' ');
  if (begin == std::string_view::npos) return false;
  segment = segment.substr(begin, segment.find_last_not_of(' ') - begin + 1);
  return segment == "." || segment == "..";
}

bool is_harmless(std::string_view decoded) {
  const bool has_control = std::ranges::any_of(decoded, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
  });
  if (has_control || is_overlong(decoded)) return false;
  while (true) {
    const std::size_t end = decoded.find_first_of("/\\");
    if (climbs(decoded.substr(0, end))) return false;
    if (end == std::string_view::npos) return true;
    decoded.remove_prefix(end + 1);
  }
}

bool is_own_cookie(std::string_view name) {
  for (const std::string_view prefix : {"__Host-", "__Secure-"}) {
    if (equal_ignoring_case(name.substr(0, prefix.size()), prefix)) {
      name.remove_prefix(prefix.size());
      break;
    }
  }
  constexpr std::string_view kOurs = "resmgr";
  return equal_ignoring_case(name.substr(0, kOurs.size()), kOurs);
}

void for_each_cookie(std::string_view header,
                     const std::function<void(std::string_view whole, std::string_view name,
                                              std::string_view value)>& visit) {
  while (!header.empty()) {
    const std::size_t end = std::min(header.find(';'), header.size());
    const std::string_view cookie = trimmed(header.substr(0, end));
    header.remove_prefix(std::min(end + 1, header.size()));
    if (cookie.empty()) continue;
    const std::size_t equals = cookie.find('=');
    const std::string_view value =
        equals == std::string_view::npos ? std::string_view() : cookie.substr(equals + 1);
    visit(cookie, trimmed(cookie.substr(0, equals)), trimmed(value));
  }
}

}  // namespace

bool is_plain_path(std::string_view path) {
  if (!path.starts_with('/') || path.size() > kLongestPath || !is_well_encoded(path)) return false;
  std::string text(path);
  for (int decodings = 0; decodings <= kMostDecodings; ++decodings) {
    if (!is_harmless(text)) return false;
    std::string decoded = url_decode(text);
    if (decoded == text) return true;
    text = std::move(decoded);
  }
  return false;
}

std::optional<GatewayTarget> gateway_target(const GatewayAddress& gateway, std::string_view host,
                                            std::string_view uri) {
  const std::string_view path = uri.substr(0, uri.find('?'));
  if (!is_plain_path(path)) return std::nullopt;
  // An address in brackets has colons of its own.
  const std::size_t colon = host.rfind(':');
  if (colon != std::string_view::npos && host.find(']', colon) == std::string_view::npos) {
    host = host.substr(0, colon);
  }
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  auto task_id = gateway.task_of_host(host);
  if (!task_id) return std::nullopt;
  if (gateway.mode() == GatewayAddress::Mode::host)
    return GatewayTarget{*task_id, std::string(path)};

  constexpr std::string_view kPrefix = "/t/";
  if (!path.starts_with(kPrefix)) return std::nullopt;
  const std::string_view id = path.substr(kPrefix.size(), kIdLength);
  const std::string_view rest = path.substr(std::min(kPrefix.size() + kIdLength, path.size()));
  if (parse_uuid(id) != id || !rest.starts_with('/')) return std::nullopt;
  return GatewayTarget{std::string(id), std::string(rest)};
}

std::vector<std::string_view> cookie_values(std::string_view header, std::string_view name) {
  std::vector<std::string_view> values;
  for_each_cookie(header, [&](std::string_view, std::string_view known, std::string_view value) {
    if (known == name) values.push_back(value);
  });
  return values;
}

std::string without_own_cookies(std::string_view header) {
  std::string rest;
  for_each_cookie(header, [&](std::string_view whole, std::string_view name, std::string_view) {
    if (is_own_cookie(name)) return;
    if (!rest.empty()) rest += "; ";
    rest += whole;
  });
  return rest;
}

}  // namespace resmgr::api
