// Why no TLS came about, in words that say what to do.
#ifndef RESMGR_COMMON_HTTP_TLS_H_
#define RESMGR_COMMON_HTTP_TLS_H_

#include <httplib.h>

#include <optional>
#include <string>

#include "common/http_connection.h"
#include "common/http_url.h"

namespace resmgr {

struct TlsFailure {
  std::string cause;
  std::string hint;
};

// Empty if `error` is none of TLS. `ca_file` is the endpoint's.
std::optional<TlsFailure> tls_failure(const HttpConnection& connection, httplib::Error error,
                                      const HttpUrl& url, const std::string& ca_file);

}  // namespace resmgr

#endif  // RESMGR_COMMON_HTTP_TLS_H_
