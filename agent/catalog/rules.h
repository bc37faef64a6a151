// What names, paths and placeholders in a service definition may look like. Pure.
#ifndef RESMGR_AGENT_CATALOG_RULES_H_
#define RESMGR_AGENT_CATALOG_RULES_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace resmgr::catalog {

// What is wrong with a text, as the end of a sentence that began with its key: "must …". Empty:
// nothing.
using Objection = std::optional<std::string>;

Objection check_service_name(const std::string& text);
Objection check_title(const std::string& text);        // one line of up to 100 bytes
Objection check_description(const std::string& text);  // up to 1000 bytes
Objection check_icon(const std::string& text);         // an URL that runs nothing, or a path
Objection check_build(const std::string& text);
Objection check_image(const std::string& text);
Objection check_command_word(const std::string& text);
Objection check_url_path(const std::string& text);
Objection check_probe_path(const std::string& text);
Objection check_gateway_path(const std::string& text);
Objection check_authorization(const std::string& text);  // the value of a header
Objection check_env_name(const std::string& text);
Objection check_env_value(const std::string& text);
Objection check_user(const std::string& text);
Objection check_frame_ancestor(const std::string& text);  // a source of CSP's frame-ancestors
Objection check_volume_name(const std::string& text);
Objection check_volume_path(const std::string& text);
Objection check_capability(const std::string& text);

// The engine's own spelling of a capability: NET_RAW of cap_net_raw.
std::string canonical_capability(std::string_view text);
// With such a capability (in that spelling) a container's root is the host's root, or near to it.
bool breaks_isolation(std::string_view name);

// The names in braces, {token}: a letter, then letters, digits and '_'. Other braces are text.
std::vector<std::string> placeholders(std::string_view text);

}  // namespace resmgr::catalog

#endif  // RESMGR_AGENT_CATALOG_RULES_H_
