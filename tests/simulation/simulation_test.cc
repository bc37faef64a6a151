// Thousands of random histories, each of which a seed decides. A seed that fails is printed with
// its history; RESMGR_SIMULATION_SEED=<seed> lives that one alone, and prints each step.
// RESMGR_SIMULATION_HISTORIES says how many are lived, RESMGR_SIMULATION_FIRST from which seed on.

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <iostream>
#include <mutex>
#include <regex>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "common/log.h"
#include "tests/simulation/history.h"

namespace resmgr::simulation {
namespace {

std::uint64_t setting(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

std::string live_again(std::uint64_t seed) {
  std::ostringstream trace;
  std::string told;
  for (const auto& fault : History(seed, &trace).live()) told += fault + "\n";
  if (told.empty()) told = "(the second time it held: the seed does not decide all of it)\n";
  return "seed " + std::to_string(seed) + "\n" + trace.str() + told;
}

// Ids are random, and decide nothing.
std::string without_ids(const std::string& trace) {
  static const std::regex id("[0-9a-f]{8}-[0-9a-f-]{27}");
  return std::regex_replace(trace, id, "ID");
}

struct Failure {
  std::uint64_t seed = 0;
  std::string what;
};

class Simulation : public testing::Test {
 protected:
  void SetUp() override { log::set_level(log::Level::fatal); }
  void TearDown() override { log::set_level(log::Level::warning); }

  // Lives histories on two threads, each history on one of them. Ends at the tenth that fails.
  void live_all(std::uint64_t first, std::uint64_t count) {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 2; ++i) {
      threads.emplace_back([&] {
        for (std::uint64_t n = next_++; n < count && !enough_; n = next_++) live_one(first + n);
      });
    }
  }

  void live_one(std::uint64_t seed) {
    History history(seed);
    const auto faults = history.live();
    const std::lock_guard lock(mutex_);
    kills_ += history.kills();
    ++lived_;
    if (faults.empty()) return;
    failures_.push_back({seed, faults.front()});
    if (failures_.size() >= 10) enough_ = true;
  }

  std::atomic<std::uint64_t> next_{0};
  std::atomic<bool> enough_{false};
  std::mutex mutex_;
  std::uint64_t lived_ = 0;
  long long kills_ = 0;
  std::vector<Failure> failures_;
};

TEST_F(Simulation, EveryHistoryHolds) {
  if (const auto seed = setting("RESMGR_SIMULATION_SEED", 0); seed != 0) {
    std::cout << live_again(seed);
    ASSERT_TRUE(History(seed).live().empty());
    return;
  }
  live_all(setting("RESMGR_SIMULATION_FIRST", 1),
           setting("RESMGR_SIMULATION_HISTORIES", RESMGR_SIMULATION_HISTORIES));
  std::cout << lived_ << " histories, " << kills_ << " kills\n";
  for (const auto& failure : failures_) {
    ADD_FAILURE() << "seed " << failure.seed << ": " << failure.what;
  }
  if (!failures_.empty()) std::cout << live_again(failures_.front().seed);
}

// What makes a seed worth printing.
TEST_F(Simulation, ASeedIsAHistory) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    std::ostringstream once;
    std::ostringstream again;
    History(seed, &once).live();
    History(seed, &again).live();
    EXPECT_EQ(without_ids(once.str()), without_ids(again.str())) << "seed " << seed;
  }
}

}  // namespace
}  // namespace resmgr::simulation
