// The key set behind an URL: fetched when it is needed, kept when its server is away.
#ifndef RESMGR_AGENT_IDENTITY_REMOTE_KEY_SET_H_
#define RESMGR_AGENT_IDENTITY_REMOTE_KEY_SET_H_

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "agent/identity/jwks.h"
#include "common/clock.h"
#include "common/http.h"

namespace resmgr::identity {

// Thread-safe.
class RemoteKeySet {
 public:
  // Between two attempts, so that tokens with invented key ids don't become a flood of requests.
  static constexpr Millis kMinInterval{60'000};
  // After this a key that its issuer withdrew is noticed to be gone.
  static constexpr Millis kMaxAge{15 * 60'000};
  static constexpr std::size_t kMaxBytes = 1 << 20;
  static constexpr std::chrono::seconds kConnectTimeout{5};
  static constexpr std::chrono::seconds kReadTimeout{5};
  // Of one whole attempt, even if the server sends a byte at a time.
  static constexpr Millis kMaxAttempt{15'000};

  // Throws Error(config) for an URL that can't be used. `client` is for tests; without one, it is
  // made from the URL.
  RemoteKeySet(const std::string& url, const std::string& ca_file, const Clock& clock,
               std::unique_ptr<HttpClient> client);

  // What was fetched last; null until an attempt succeeded.
  std::shared_ptr<const KeySet> keys() const;

  // Whether the keys are so old that an attempt should be made now.
  bool refresh_due() const;
  // Whether obtain() would find out something new about a key that is missing.
  bool obtainable() const;
  // Makes an attempt if kMinInterval allows it, or waits for one that is under way (blocks up to
  // kMaxAttempt and the timeouts). Returns whether this call changed the keys.
  bool obtain();

  // Fetches, whatever the interval says, and remembers nothing: to see whether it works. Throws
  // Error that says why it does not.
  KeySet fetch();

  // The last attempt failed (or there was none).
  bool failing() const;
  // Until the next attempt is allowed; at least one second.
  std::chrono::seconds retry_after() const;
  // Allows the next attempt at once, and makes it due.
  void expire();

 private:
  bool interval_over() const;
  bool attempt();
  std::string download();
  bool accept(const std::string& body);
  void note_failure(const std::string& cause);

  const Clock& clock_;
  std::string target_;
  std::unique_ptr<HttpClient> client_;

  mutable std::mutex mutex_;
  std::condition_variable done_;
  bool under_way_ = false;
  bool failing_ = true;
  bool said_so_ = false;
  std::optional<Millis> last_attempt_;  // since boot
  std::optional<Millis> last_success_;
  std::string body_digest_;
  std::shared_ptr<const KeySet> keys_;
};

}  // namespace resmgr::identity

#endif  // RESMGR_AGENT_IDENTITY_REMOTE_KEY_SET_H_
