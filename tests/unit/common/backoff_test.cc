#include "common/backoff.h"

#include <gtest/gtest.h>

#include <limits>
#include <set>

namespace resmgr {
namespace {

using std::chrono::milliseconds;

TEST(Backoff, DoublesItsLimitUpToTheLargest) {
  for (int run = 0; run < 200; ++run) {
    Backoff backoff(milliseconds{10}, milliseconds{100});
    for (const int limit : {10, 20, 40, 80, 100, 100, 100}) {
      const milliseconds wait = backoff.next();
      EXPECT_GE(wait, milliseconds{10});
      EXPECT_LE(wait, milliseconds{limit});
    }
    EXPECT_EQ(backoff.failures(), 7U);
  }
}

TEST(Backoff, JittersOverTheWholeRange) {
  Backoff backoff(milliseconds{1}, milliseconds{1'000});
  for (int i = 0; i < 20; ++i) backoff.next();
  std::set<int> tenths;
  for (int i = 0; i < 2'000; ++i)
    tenths.insert(static_cast<int>(backoff.next().count() * 10 / 1001));
  EXPECT_EQ(tenths.size(), 10U);
}

TEST(Backoff, BeginsAnewAfterASuccess) {
  Backoff backoff(milliseconds{10}, milliseconds{100'000});
  for (int i = 0; i < 10; ++i) backoff.next();
  backoff.reset();
  EXPECT_EQ(backoff.failures(), 0U);
  EXPECT_EQ(backoff.next(), milliseconds{10});
}

TEST(Backoff, NeverOverflows) {
  Backoff backoff(milliseconds{1}, milliseconds{std::numeric_limits<std::int64_t>::max()});
  for (int i = 0; i < 200; ++i) EXPECT_GE(backoff.next(), milliseconds{1});
}

TEST(Backoff, TakesZeroAndAMaximumBelowTheMinimum) {
  Backoff zero(milliseconds{0}, milliseconds{8});
  EXPECT_EQ(zero.next(), milliseconds{0});
  for (int i = 0; i < 100; ++i) EXPECT_LE(zero.next(), milliseconds{8});
  Backoff swapped(milliseconds{50}, milliseconds{10});
  for (int i = 0; i < 10; ++i) EXPECT_EQ(swapped.next(), milliseconds{50});
}

}  // namespace
}  // namespace resmgr
