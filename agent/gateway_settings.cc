#include "agent/gateway_settings.h"

#include <string>

#include "common/error.h"

namespace resmgr {
namespace {

GatewayAddress::Mode gateway_mode(const Config& config) {
  const std::string mode = config.text("gateway.mode");
  if (mode == "host") return GatewayAddress::Mode::host;
  if (mode == "path") return GatewayAddress::Mode::path;
  throw Error(ErrorKind::config, "cannot use gateway.mode '" + mode + "' (" +
                                     config.origin("gateway.mode") +
                                     "): it is neither host nor path");
}

}  // namespace

// On the dashboard's own origin a task's page could act as its user.
std::optional<GatewayAddress> gateway_from(const Config& config) {
  const std::string base = config.text("gateway.base");
  const GatewayAddress::Mode mode = gateway_mode(config);
  if (base.empty()) return std::nullopt;
  const auto refuse = [&](const std::string& cause) {
    // Credentials are not repeated.
    const std::string shown = base.find('@') == std::string::npos ? base : "…";
    throw Error(ErrorKind::config, "cannot use gateway.base '" + shown + "' (" +
                                       config.origin("gateway.base") + "): " + cause);
  };
  if (web_origin(base) && web_origin(base) == web_origin(config.text("server.public_url"))) {
    refuse("it is the origin of server.public_url, and tasks need one that is not the dashboard's");
  }
  try {
    return GatewayAddress(base, mode);
  } catch (const Error& error) {
    refuse(error.message());
  }
  return std::nullopt;
}

}  // namespace resmgr
