// Opens the connection that an HTTP client talks over.
#ifndef RESMGR_COMMON_HTTP_CONNECT_H_
#define RESMGR_COMMON_HTTP_CONNECT_H_

#include <chrono>
#include <stop_token>
#include <string>

#include "common/http_url.h"

namespace resmgr {

struct ConnectResult {
  int fd = -1;        // blocking, close-on-exec, Nagle off; the caller owns it. -1 = none
  std::string cause;  // why there is none: "connection refused", …
};

// Tries every address of the host in turn, `timeout` each, and ends within 50 ms of `stop`. (The
// look-up of a name follows resolv.conf(5), and can't be stopped.)
ConnectResult http_connect(const HttpUrl& url, std::chrono::milliseconds timeout,
                           const std::stop_token& stop);

}  // namespace resmgr

#endif  // RESMGR_COMMON_HTTP_CONNECT_H_
