// Something outside that is spoken to over HTTP: where it is, whom to trust there, and the secret
// that it wants. The one way in which all of them are configured.
#ifndef RESMGR_COMMON_DESTINATION_H_
#define RESMGR_COMMON_DESTINATION_H_

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "common/config.h"
#include "common/http.h"

namespace resmgr {

// Comes from a file or from the environment, and is never shown. Thread-safe.
class Secret {
 public:
  Secret() = default;  // none
  static Secret in_file(std::string path);
  static Secret of(std::string text);

  bool given() const { return !file_.empty() || !text_.empty(); }
  // Empty if there is none. A file is read anew each time, so that it can be exchanged while the
  // agent runs. Throws Error(config), without a byte of it, where a file can't be read and where
  // the secret could not stand in a header.
  std::string read() const;
  // As read(), for what need not stand in a header.
  std::string bytes() const;

 private:
  std::string file_;
  std::string text_;
};

struct Destination {
  std::string section;  // "seq"
  std::string url;      // http or https; never with credentials in it
  std::string ca_file;  // PEM; empty: the system's
  Secret secret;
};

// What [section] says by `url`, `ca_file`, and NAME_file (or NAME, which comes from the environment
// alone) for the secret NAME; no NAME, no secret. Empty without an URL. Throws Error(config) for an
// URL that can't be used and for files that can't be read. Logs a warning where others may read
// the secret's file, and where the secret would go to another host without TLS.
std::optional<Destination> destination_from(const Config& config, std::string_view section,
                                            std::string_view secret = {});

// For a service whose paths lie under the URL. `timeout` limits the wait for each read; connecting
// takes 5 s at most.
HttpEndpoint endpoint_of(const Destination& destination, std::chrono::milliseconds timeout);

// For an URL that is whole: what to connect to, and the path and query to ask for there.
struct SplitUrl {
  std::string origin;  // "https://host:port"
  std::string target;  // "/path?query"; at least "/"
};
// Throws Error(config) for what is no http or https URL.
SplitUrl split_url(const std::string& url);

// Whether the URL names this host, so that nobody is on the way.
bool is_on_loopback(const std::string& url);

}  // namespace resmgr

#endif  // RESMGR_COMMON_DESTINATION_H_
