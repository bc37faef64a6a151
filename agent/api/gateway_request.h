// What a visitor of a task asked of nginx, as far as the gateway has to understand it. Pure.
#ifndef RESMGR_AGENT_API_GATEWAY_REQUEST_H_
#define RESMGR_AGENT_API_GATEWAY_REQUEST_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/gateway_address.h"

namespace resmgr::api {

// Whether no server that decodes a path, once or several times, could take it for one that climbs:
// visible ASCII with whole percent-encodings, and no segment that is "." or ".." however it is
// encoded, with whatever is taken for a separator, and with parameters (";…") or blanks about it.
// No control characters. Begins with '/'.
bool is_plain_path(std::string_view path);

struct GatewayTarget {
  std::string task_id;
  std::string path;  // as it was sent, without query, behind "/t/<taskId>"; begins with '/'
};

// `host` is that of the request, with or without a port; `uri` its target as it was sent, in origin
// form. Empty: it is no task's, or not plain. In path mode nothing of "/t/<taskId>/" may be
// encoded: a cookie's path is compared as it stands.
std::optional<GatewayTarget> gateway_target(const GatewayAddress& gateway, std::string_view host,
                                            std::string_view uri);

// The values of all cookies of that name; another site's may shadow ours.
std::vector<std::string_view> cookie_values(std::string_view header, std::string_view name);

// A Cookie header without what is ours: cookies whose names begin with "resmgr", or with that after
// "__Host-" or "__Secure-".
std::string without_own_cookies(std::string_view header);

}  // namespace resmgr::api

#endif  // RESMGR_AGENT_API_GATEWAY_REQUEST_H_
