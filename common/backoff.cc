#include "common/backoff.h"

#include <algorithm>
#include <random>

namespace resmgr {
namespace {

// One per thread: a Backoff is used by one worker, and there are many workers.
std::minstd_rand& generator() {
  thread_local std::minstd_rand instance{std::random_device{}()};
  return instance;
}

}  // namespace

std::chrono::milliseconds Backoff::next() {
  const auto least = min_.count();
  const auto most = std::max(max_.count(), least);
  auto limit = least;
  for (std::uint32_t i = 0; i < failures_ && limit < most; ++i) {
    limit = limit > most / 2 ? most : std::max<decltype(limit)>(1, limit) * 2;
  }
  limit = std::min(limit, most);
  if (failures_ < UINT32_MAX) ++failures_;
  return std::chrono::milliseconds{
      std::uniform_int_distribution<decltype(limit)>{least, limit}(generator())};
}

}  // namespace resmgr
