#include "agent/api/gateway_pass.h"

#include <charconv>
#include <cstdint>
#include <utility>

#include "agent/api/gateway_request.h"
#include "common/crypto.h"
#include "common/error.h"

namespace resmgr::api {
namespace {

// A code is never taken for a cookie, and the other way round.
constexpr std::string_view kCode = "code";
constexpr std::string_view kCookie = "cookie";

// The clock may have been set back a little since.
constexpr std::chrono::seconds kAhead{60};

std::string derived_key(std::string_view secret_key) {
  constexpr std::size_t kLeast = 32;
  if (secret_key.size() < kLeast) {
    throw Error(ErrorKind::internal, "the gateway has no key for its cookies");
  }
  return hmac_sha256(secret_key, "resmgr gateway pass 1");
}

std::int64_t unix_seconds(Instant time) {
  return std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
}

}  // namespace

GatewayPasses::GatewayPasses(std::string_view secret_key) : key_(derived_key(secret_key)) {}

// "<seconds since 1970>.<user>.<MAC>": letters, digits, '-', '_' and '.'.
std::string GatewayPasses::seal(std::string_view kind, std::string_view task_id,
                                std::string_view user_id, Instant now) const {
  std::string text = std::to_string(unix_seconds(now));
  text.append(".").append(user_id);
  std::string sealed(kind);
  sealed.append("\n").append(task_id).append("\n").append(text);
  return text + "." + base64url_encode(hmac_sha256(key_, sealed));
}

std::optional<GatewayPass> GatewayPasses::open(std::string_view kind, std::string_view task_id,
                                               std::string_view text, std::chrono::seconds life,
                                               Instant now) const {
  constexpr std::size_t kLongest = 160;
  const std::size_t dot = text.find('.');
  const std::size_t last = text.rfind('.');
  // A dozen digits last for ever.
  constexpr std::size_t kDigits = 12;
  if (text.size() > kLongest || dot > kDigits || last == dot) return std::nullopt;
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + dot, seconds);
  if (error != std::errc() || end != text.data() + dot) return std::nullopt;
  const std::chrono::seconds age{unix_seconds(now) - seconds};
  if (age < -kAhead || age > life) return std::nullopt;
  GatewayPass pass;
  pass.user_id = text.substr(dot + 1, last - dot - 1);
  pass.issued = Instant{std::chrono::seconds{seconds}};
  // The whole text, so that there is one spelling only.
  if (!equal_in_constant_time(seal(kind, task_id, pass.user_id, pass.issued), text)) {
    return std::nullopt;
  }
  return pass;
}

std::string GatewayPasses::code(std::string_view task_id, std::string_view user_id,
                                Instant now) const {
  return seal(kCode, task_id, user_id, now);
}

std::optional<GatewayPass> GatewayPasses::read_code(std::string_view task_id, std::string_view code,
                                                    Instant now) const {
  return open(kCode, task_id, code, kCodeLife, now);
}

// Browsers hold to the prefixes: no other host, and none without TLS, can put such a cookie there.
std::string GatewayPasses::cookie_name(const GatewayAddress& gateway, std::string_view task_id) {
  if (gateway.mode() == GatewayAddress::Mode::host) return "__Host-resmgr-task";
  return "__Secure-resmgr-" + std::string(task_id);
}

std::string GatewayPasses::set_cookie(const GatewayAddress& gateway, std::string_view task_id,
                                      std::string_view user_id, Instant now) const {
  return cookie_name(gateway, task_id) + "=" + seal(kCookie, task_id, user_id, now) +
         "; Path=" + gateway.base_path(task_id) +
         "; Max-Age=" + std::to_string(kCookieLife.count()) +
         "; HttpOnly; Secure; SameSite=None; Partitioned";
}

std::optional<GatewayPass> GatewayPasses::read_cookie(const GatewayAddress& gateway,
                                                      std::string_view task_id,
                                                      std::string_view header, Instant now) const {
  std::optional<GatewayPass> newest;
  for (const std::string_view value : cookie_values(header, cookie_name(gateway, task_id))) {
    auto pass = open(kCookie, task_id, value, kCookieLife, now);
    if (pass && (!newest || pass->issued > newest->issued)) newest = std::move(pass);
  }
  return newest;
}

}  // namespace resmgr::api
