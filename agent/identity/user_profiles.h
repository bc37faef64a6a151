// Who a user is, beside the id. A port: the directory behind it may be away, or not configured.
#ifndef RESMGR_AGENT_IDENTITY_USER_PROFILES_H_
#define RESMGR_AGENT_IDENTITY_USER_PROFILES_H_

#include <optional>
#include <string>

namespace resmgr::identity {

// Either may be empty: not known.
struct UserProfile {
  std::string email;
  std::string full_name;
};

class UserProfiles {
 public:
  virtual ~UserProfiles() = default;

  // What is known just now, without asking anybody. Thread-safe.
  virtual std::optional<UserProfile> known(const std::string& user_id) = 0;
  // Empty: not known. May ask over the network, within a time limit of its own. Thread-safe.
  virtual std::optional<UserProfile> profile_of(const std::string& user_id) = 0;
};

}  // namespace resmgr::identity

#endif  // RESMGR_AGENT_IDENTITY_USER_PROFILES_H_
