#include "agent/identity/token_cache.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "common/crypto.h"

namespace resmgr::identity {
namespace {

Principal user(const std::string& id, long long expires = 1) {
  Principal principal;
  principal.user_id = id;
  principal.expires_at = instant_from_millis(expires);
  return principal;
}

TEST(TokenCache, FindsWhatWasInsertedUntilItIsErased) {
  TokenCache cache;
  const std::string digest = sha256("token");
  EXPECT_FALSE(cache.find(digest));
  cache.insert(digest, user("a"), cache.generation());
  ASSERT_TRUE(cache.find(digest));
  EXPECT_EQ(cache.find(digest)->user_id, "a");
  EXPECT_FALSE(cache.find(sha256("other")));
  cache.erase(digest);
  EXPECT_FALSE(cache.find(digest));
}

TEST(TokenCache, WhatWasVerifiedWithOlderKeysDoesNotCount) {
  TokenCache cache;
  const std::string digest = sha256("token");
  const std::uint64_t before = cache.generation();
  cache.insert(digest, user("a"), before);
  cache.clear();
  EXPECT_FALSE(cache.find(digest));
  EXPECT_EQ(cache.size(), 0U);
  // Verified before the keys changed, inserted after.
  cache.insert(digest, user("a"), before);
  EXPECT_FALSE(cache.find(digest));
  cache.insert(digest, user("b"), cache.generation());
  EXPECT_EQ(cache.find(digest)->user_id, "b");
}

TEST(TokenCache, IsBoundedAndLetsTheShortestLivedGo) {
  TokenCache cache;
  constexpr int kMany = 3 * static_cast<int>(TokenCache::kMaxEntries);
  for (int i = 0; i < kMany; ++i) {
    cache.insert(sha256("token " + std::to_string(i)), user("a", i), cache.generation());
  }
  EXPECT_LE(cache.size(), TokenCache::kMaxEntries);
  EXPECT_FALSE(cache.find(sha256("token 0")));
  EXPECT_TRUE(cache.find(sha256("token " + std::to_string(kMany - 1))));
}

TEST(TokenCache, ManyThreadsMayUseIt) {
  TokenCache cache;
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 2000; ++i) {
        const std::string name = std::to_string((i * 7 + t) % 300);
        const std::string digest = sha256(name);
        cache.insert(digest, user(name), cache.generation());
        if (const auto found = cache.find(digest); found && found->user_id != name) ++wrong;
        if (i % 500 == 0) cache.clear();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace resmgr::identity
