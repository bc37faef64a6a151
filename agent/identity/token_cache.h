// Principals of tokens that were verified, so that a token's second request costs one hash.
#ifndef RESMGR_AGENT_IDENTITY_TOKEN_CACHE_H_
#define RESMGR_AGENT_IDENTITY_TOKEN_CACHE_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "agent/identity/principal.h"

namespace resmgr::identity {

// Thread-safe. Entries are found by the SHA-256 of the token, never by the token, so that a dump
// of the memory holds none. Whether an entry has expired is the caller's question.
class TokenCache {
 public:
  static constexpr std::size_t kMaxEntries = 4096;

  // To be read before the keys with which a token is then verified: an entry counts only until
  // the next clear() after that.
  std::uint64_t generation() const { return generation_.load(std::memory_order_acquire); }

  std::optional<Principal> find(const std::string& digest);
  void insert(const std::string& digest, const Principal& principal, std::uint64_t generation);
  void erase(const std::string& digest);
  // Whoever changed the keys calls this after the change.
  void clear();

  std::size_t size() const;

 private:
  struct Entry {
    Principal principal;
    std::uint64_t generation;
  };
  // Digests are evenly spread, so that callers with different tokens seldom meet in a shard.
  struct Shard {
    mutable std::mutex mutex;
    std::unordered_map<std::string, Entry> entries;
  };
  static constexpr std::size_t kShards = 16;

  Shard& shard_of(const std::string& digest);

  std::atomic<std::uint64_t> generation_{0};
  std::array<Shard, kShards> shards_;
};

}  // namespace resmgr::identity

#endif  // RESMGR_AGENT_IDENTITY_TOKEN_CACHE_H_
