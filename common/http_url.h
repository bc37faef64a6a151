// What an endpoint's URL names.
#ifndef RESMGR_COMMON_HTTP_URL_H_
#define RESMGR_COMMON_HTTP_URL_H_

#include <string>

namespace resmgr {

struct HttpUrl {
  enum class Scheme { http, https, unix_socket };

  Scheme scheme = Scheme::http;
  std::string host;    // a name or an address, IPv6 without brackets; of a socket: its path
  int port = 0;        // 0 for a socket
  std::string prefix;  // "" or "/path" without a slash at the end

  std::string host_header() const;
  // For messages: the URL as it is understood.
  std::string to_string() const;
};

// Throws Error(config) for what HttpEndpoint::url can't be. A URL that holds credentials is refused
// and not repeated: messages and logs show URLs.
HttpUrl parse_http_url(const std::string& url);

}  // namespace resmgr

#endif  // RESMGR_COMMON_HTTP_URL_H_
