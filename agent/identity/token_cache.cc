#include "agent/identity/token_cache.h"

#include <algorithm>

namespace resmgr::identity {

TokenCache::Shard& TokenCache::shard_of(const std::string& digest) {
  return shards_[static_cast<unsigned char>(digest.front()) % kShards];
}

std::optional<Principal> TokenCache::find(const std::string& digest) {
  Shard& shard = shard_of(digest);
  const std::lock_guard lock(shard.mutex);
  const auto entry = shard.entries.find(digest);
  if (entry == shard.entries.end() || entry->second.generation != generation()) {
    return std::nullopt;
  }
  return entry->second.principal;
}

void TokenCache::insert(const std::string& digest, const Principal& principal,
                        std::uint64_t generation) {
  Shard& shard = shard_of(digest);
  const std::lock_guard lock(shard.mutex);
  if (shard.entries.size() >= kMaxEntries / kShards && !shard.entries.contains(digest)) {
    // The one that expires first is worth the least, and may have expired already.
    shard.entries.erase(std::min_element(
        shard.entries.begin(), shard.entries.end(), [](const auto& a, const auto& b) {
          return a.second.principal.expires_at < b.second.principal.expires_at;
        }));
  }
  shard.entries.insert_or_assign(digest, Entry{principal, generation});
}

void TokenCache::erase(const std::string& digest) {
  Shard& shard = shard_of(digest);
  const std::lock_guard lock(shard.mutex);
  shard.entries.erase(digest);
}

void TokenCache::clear() {
  generation_.fetch_add(1, std::memory_order_acq_rel);
  for (Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    shard.entries.clear();
  }
}

std::size_t TokenCache::size() const {
  std::size_t entries = 0;
  for (const Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    entries += shard.entries.size();
  }
  return entries;
}

}  // namespace resmgr::identity
