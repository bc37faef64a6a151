// What [gateway] says.
#ifndef RESMGR_AGENT_GATEWAY_SETTINGS_H_
#define RESMGR_AGENT_GATEWAY_SETTINGS_H_

#include <optional>

#include "common/config.h"
#include "common/gateway_address.h"

namespace resmgr {

// Empty: there is no gateway. Throws Error(config) naming key and origin.
std::optional<GatewayAddress> gateway_from(const Config& config);

}  // namespace resmgr

#endif  // RESMGR_AGENT_GATEWAY_SETTINGS_H_
