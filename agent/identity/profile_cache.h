// Profiles by user, the least recently read one dropped where there are too many.
#ifndef RESMGR_AGENT_IDENTITY_PROFILE_CACHE_H_
#define RESMGR_AGENT_IDENTITY_PROFILE_CACHE_H_

#include <cstddef>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "agent/identity/user_profiles.h"
#include "common/clock.h"

namespace resmgr::identity {

// For one thread at a time.
class ProfileCache {
 public:
  struct Entry {
    std::string user_id;
    std::optional<UserProfile> profile;  // empty: there is no such user
    Millis read_at{0};                   // Clock::since_boot()
  };

  explicit ProfileCache(std::size_t most) : most_(most) {}

  // Null if there is none. Valid until the next put().
  const Entry* find(const std::string& user_id);
  void put(Entry entry);
  std::size_t size() const { return index_.size(); }

 private:
  const std::size_t most_;
  std::list<Entry> entries_;  // the most recently read first
  std::unordered_map<std::string_view, std::list<Entry>::iterator> index_;  // keys lie in entries_
};

}  // namespace resmgr::identity

#endif  // RESMGR_AGENT_IDENTITY_PROFILE_CACHE_H_
