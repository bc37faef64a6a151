// Where browsers reach tasks that lie behind the gateway, an nginx with
// packaging/nginx/resmgr.conf.
#ifndef RESMGR_COMMON_GATEWAY_ADDRESS_H_
#define RESMGR_COMMON_GATEWAY_ADDRESS_H_

#include <optional>
#include <string>
#include <string_view>

#include "common/http_url.h"

namespace resmgr {

// "https://host:port" of an URL, as browsers write it in Origin: lower case, without a port that is
// the scheme's own. Empty for what is no http or https URL.
std::optional<std::string> web_origin(const std::string& url);

class GatewayAddress {
 public:
  enum class Mode {
    host,  // https://<taskId>.tasks.example.org/…
    path,  // https://tasks.example.org/t/<taskId>/…: all tasks share one origin
  };

  // `base` is the tasks' origin, "https://tasks.example.org". Throws Error(config) whose message is
  // the cause alone, the end of a sentence.
  GatewayAddress(const std::string& base, Mode mode);

  Mode mode() const { return mode_; }
  std::string origin(std::string_view task_id) const;
  std::string host(std::string_view task_id) const;  // without a port; lower case
  int port() const { return base_.port; }
  // Under which all of a task's paths lie: "/" or "/t/<taskId>/".
  std::string base_path(std::string_view task_id) const;

  // Whose host that is, in lower case and without a port: in host mode the id that it begins with;
  // in path mode empty. No value: it is not the gateway's.
  std::optional<std::string> task_of_host(std::string_view host) const;

 private:
  HttpUrl base_;
  Mode mode_;
};

}  // namespace resmgr

#endif  // RESMGR_COMMON_GATEWAY_ADDRESS_H_
