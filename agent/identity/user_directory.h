// Names and e-mail addresses of users, from an IdentityService. Nobody waits for it but who says
// so: a request reads what is known, and what is not known yet is asked for in the background.
#ifndef RESMGR_AGENT_IDENTITY_USER_DIRECTORY_H_
#define RESMGR_AGENT_IDENTITY_USER_DIRECTORY_H_

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "agent/identity/profile_cache.h"
#include "agent/identity/user_profiles.h"
#include "common/backoff.h"
#include "common/clock.h"
#include "common/destination.h"
#include "common/http.h"
#include "common/http_call.h"

namespace resmgr::identity {

// Thread-safe.
class UserDirectory final : public UserProfiles {
 public:
  // After this a profile is asked for again, and an old one goes on to count where none comes.
  static constexpr Millis kMaxAge{10 * 60'000};
  // … and after this somebody whom the service did not know.
  static constexpr Millis kMaxAgeOfUnknown{60'000};
  static constexpr std::size_t kMaxUsers = 10'000;
  static constexpr std::size_t kMaxWaiting = 256;
  // After a failure nobody is asked for that long, growing with each failure.
  static constexpr Millis kMinPause{1'000};
  static constexpr Millis kMaxPause{60'000};
  // Of one whole question, even if the service answers a byte at a time.
  static constexpr Millis kMaxAnswer{10'000};
  static constexpr std::size_t kMaxBytes = 64 << 10;

  // `client` is for tests; without one, it is made from the destination. Throws Error(config) for
  // an URL that can't be used. `clock` must outlive it.
  UserDirectory(const Destination& destination, const Clock& clock,
                std::unique_ptr<HttpClient> client = nullptr);
  ~UserDirectory() override;  // as stop()
  UserDirectory(const UserDirectory&) = delete;
  UserDirectory& operator=(const UserDirectory&) = delete;

  // Starts to ask in the background.
  void run();

  // Ends a question under way, and each later one: only what is known is told from then on.
  void stop() noexcept { caller_.interrupt(); }

  // What is known now; never waits. What is missing or old is asked for in the background.
  std::optional<UserProfile> known(const std::string& user_id) override;

  // Asks where that is needed, for kMaxAnswer at most; while the service is failing nobody is
  // asked, and only what is known is told.
  std::optional<UserProfile> profile_of(const std::string& user_id) override;

  // Asks for one that known() missed; whether there was one. Tests call it instead of run().
  bool step();

  // Asks about nobody, to see whether the service answers and takes the token. Throws Error.
  void check();

 private:
  void ask_and_remember(const std::string& user_id);
  // Empty: the service does not know them. Throws Error.
  std::optional<UserProfile> ask(const std::string& user_id);
  bool may_ask() const;  // under mutex_
  void note_success();
  void note_failure(const std::string& cause, const std::string& hint);
  void work(const std::stop_token& stop);

  const Clock& clock_;
  const Secret token_;
  const std::string shown_;  // the URL
  HttpCaller caller_;

  mutable std::mutex mutex_;  // over what follows; held for no I/O
  std::condition_variable_any asked_for_;
  ProfileCache cache_;
  std::deque<std::string> waiting_;
  Backoff backoff_;
  Millis pause_until_{0};  // Clock::since_boot()
  bool failing_ = false;

  std::jthread worker_;
};

}  // namespace resmgr::identity

#endif  // RESMGR_AGENT_IDENTITY_USER_DIRECTORY_H_
