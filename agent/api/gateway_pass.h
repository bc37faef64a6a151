// What lets somebody into a task through the gateway: the code in an `iframeUrl`, and the cookie
// that it is exchanged for. Both are a time and a user under an HMAC for one task; nothing is
// stored.
#ifndef RESMGR_AGENT_API_GATEWAY_PASS_H_
#define RESMGR_AGENT_API_GATEWAY_PASS_H_

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "common/clock.h"
#include "common/gateway_address.h"

namespace resmgr::api {

struct GatewayPass {
  std::string user_id;
  Instant issued{};  // whole seconds
};

// Immutable; thread-safe.
class GatewayPasses {
 public:
  static constexpr std::chrono::seconds kCodeLife{60};
  static constexpr std::chrono::seconds kCookieLife = std::chrono::hours(12);
  // A cookie older than that is given anew with the answer to a request.
  static constexpr std::chrono::seconds kFresh = std::chrono::minutes(10);

  // `secret_key` is the data directory's; what is used is derived from it. Throws Error(internal)
  // for one of less than 32 bytes.
  explicit GatewayPasses(std::string_view secret_key);

  std::string code(std::string_view task_id, std::string_view user_id, Instant now) const;
  // Any number of times within kCodeLife: browsers prefetch, and load a frame twice.
  std::optional<GatewayPass> read_code(std::string_view task_id, std::string_view code,
                                       Instant now) const;

  // The whole Set-Cookie header.
  std::string set_cookie(const GatewayAddress& gateway, std::string_view task_id,
                         std::string_view user_id, Instant now) const;
  // The newest that a Cookie header has for the task.
  std::optional<GatewayPass> read_cookie(const GatewayAddress& gateway, std::string_view task_id,
                                         std::string_view header, Instant now) const;

  static std::string cookie_name(const GatewayAddress& gateway, std::string_view task_id);

 private:
  std::string seal(std::string_view kind, std::string_view task_id, std::string_view user_id,
                   Instant now) const;
  std::optional<GatewayPass> open(std::string_view kind, std::string_view task_id,
                                  std::string_view text, std::chrono::seconds life,
                                  Instant now) const;

  const std::string key_;
};

}  // namespace resmgr::api

#endif  // RESMGR_AGENT_API_GATEWAY_PASS_H_
