#include "agent/identity/profile_cache.h"

#include <utility>

namespace resmgr::identity {

const ProfileCache::Entry* ProfileCache::find(const std::string& user_id) {
  const auto found = index_.find(user_id);
  if (found == index_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, found->second);
  return &entries_.front();
}

void ProfileCache::put(Entry entry) {
  if (const auto found = index_.find(entry.user_id); found != index_.end()) {
    const auto old = found->second;
    index_.erase(found);
    entries_.erase(old);
  }
  entries_.push_front(std::move(entry));
  index_.emplace(entries_.front().user_id, entries_.begin());
  if (index_.size() <= most_) return;
  index_.erase(entries_.back().user_id);
  entries_.pop_back();
}

}  // namespace resmgr::identity
