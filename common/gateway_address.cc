#include "common/gateway_address.h"

#include <algorithm>
#include <utility>

#include "common/error.h"
#include "common/ids.h"

namespace resmgr {
namespace {

std::string lower_case(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return text;
}

bool is_address(std::string_view host) {
  return host.find(':') != std::string_view::npos ||
         host.find_first_not_of("0123456789.") == std::string_view::npos;
}

bool is_name(std::string_view host) {
  return host.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789.-") == std::string_view::npos;
}

// Browsers take these for secure without TLS.
bool is_local(std::string_view host) {
  return host == "localhost" || host.ends_with(".localhost") || host.starts_with("127.") ||
         host == "::1";
}

}  // namespace

std::optional<std::string> web_origin(const std::string& url) {
  try {
    HttpUrl parsed = parse_http_url(url);
    if (parsed.scheme == HttpUrl::Scheme::unix_socket) return std::nullopt;
    parsed.host = lower_case(parsed.host);
    parsed.prefix.clear();
    return parsed.to_string();
  } catch (const Error&) {
    return std::nullopt;
  }
}

GatewayAddress::GatewayAddress(const std::string& base, Mode mode) : mode_(mode) {
  if (!web_origin(base)) {
    throw Error(ErrorKind::config, "it is no URL such as https://tasks.example.org");
  }
  base_ = parse_http_url(base);
  base_.host = lower_case(base_.host);
  if (!base_.prefix.empty()) throw Error(ErrorKind::config, "it is an origin, and has no path");
  if (!is_address(base_.host) && !is_name(base_.host)) {
    throw Error(ErrorKind::config, "its host is no name of letters, digits, '-' and '.'");
  }
  if (mode_ == Mode::host && is_address(base_.host)) {
    throw Error(ErrorKind::config, "with mode = \"host\" it needs a name, not an address");
  }
  // A cookie for a frame on another site must be Secure.
  if (base_.scheme == HttpUrl::Scheme::http && !is_local(base_.host)) {
    throw Error(ErrorKind::config, "browsers keep a task's cookie only from an https origin");
  }
}

std::string GatewayAddress::origin(std::string_view task_id) const {
  HttpUrl url = base_;
  url.host = host(task_id);
  return url.to_string();
}

std::string GatewayAddress::host(std::string_view task_id) const {
  return mode_ == Mode::host ? std::string(task_id) + "." + base_.host : base_.host;
}

std::string GatewayAddress::base_path(std::string_view task_id) const {
  return mode_ == Mode::host ? "/" : "/t/" + std::string(task_id) + "/";
}

std::optional<std::string> GatewayAddress::task_of_host(std::string_view host) const {
  if (mode_ == Mode::path) {
    return host == base_.host ? std::optional<std::string>("") : std::nullopt;
  }
  constexpr std::size_t kIdLength = 36;
  const std::string_view id = host.substr(0, kIdLength);
  if (parse_uuid(id) != id || host != this->host(id)) return std::nullopt;
  return std::string(id);
}

}  // namespace resmgr
