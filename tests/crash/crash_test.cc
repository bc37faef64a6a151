// kill -9 at every failpoint, on a real engine: whatever the agent was about to do, the next one
// finishes, adopts or undoes, and the design's invariants hold (2 to 7; by the engine's own names a
// task can't have two containers at once). A real PostgreSQL has the rows,
// and a BlockchainService the bills.
//
// First each operation runs to its end, and tells which failpoints it reaches and how often. Then
// one history for each failpoint, in the first operation that reaches it; with RESMGR_CRASH_FULL in
// the environment, in each operation, at the first, the second and the last time.

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <iostream>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "common/failpoint_names.h"
#include "tests/crash/history.h"
#include "tests/crash/surroundings.h"
#include "tests/support/docker_cli.h"

namespace resmgr::crash {
namespace {

// The engine starts so many containers side by side without loss, and the agents wait for it.
constexpr int kAtOnce = 4;

struct Plan {
  const Operation* operation;
  std::string failpoint;  // with its count
};

// Calls `work(i)` for each i below `count`, kAtOnce of them at a time, in order.
template <typename Work>
void side_by_side(std::size_t count, Work&& work) {
  std::atomic<std::size_t> next{0};
  std::vector<std::jthread> threads;
  for (int i = 0; i < kAtOnce; ++i) {
    threads.emplace_back([&] {
      for (std::size_t n = next++; n < count; n = next++) work(n);
    });
  }
}

bool is_wanted(const std::string& failpoint) {
  const auto& suite = *testing::UnitTest::GetInstance()->current_test_suite();
  for (int i = 0; i < suite.total_test_count(); ++i) {
    const auto& test = *suite.GetTestInfo(i);
    if (test.should_run() && test.value_param() != nullptr &&
        std::string(test.value_param()).find('"' + failpoint + '"') != std::string::npos) {
      return true;
    }
  }
  return false;
}

std::set<int> times(int reached) {
  if (std::getenv("RESMGR_CRASH_FULL") == nullptr) return {1};
  return {1, std::min(2, reached), reached};
}

class EveryFailpoint : public testing::TestWithParam<std::string> {
 protected:
  static void SetUpTestSuite() {
    support::ensure_hello_image();
    destinations();  // on the thread that outlives the others, for a child goes with its own
    // Without a kill, so that what a kill does is told from what the operation does.
    traces_.resize(operations().size());
    side_by_side(traces_.size(), [](std::size_t i) { traces_[i] = live(operations()[i], ""); });
    for (std::size_t i = 0; i < traces_.size(); ++i) {
      for (const auto& fault : traces_[i].faults) {
        ADD_FAILURE() << operations()[i].name << ", with no kill: " << fault << '\n'
                      << traces_[i].log;
      }
    }
    std::vector<Plan> plans;
    for (const auto& failpoint : kFailpoints) {
      if (is_wanted(std::string(failpoint))) plan(std::string(failpoint), plans);
    }
    side_by_side(plans.size(), [&](std::size_t i) {
      const auto outcome = live(*plans[i].operation, plans[i].failpoint);
      const std::lock_guard lock(mutex_);
      outcomes_.emplace(plans[i].failpoint.substr(0, plans[i].failpoint.find(':')),
                        std::make_pair(plans[i], outcome));
    });
  }

  static void TearDownTestSuite() {
    std::cout << kFailpoints.size() << " failpoints, " << outcomes_.size() + traces_.size()
              << " histories\n";
    outcomes_.clear();
    traces_.clear();
  }

  static void plan(const std::string& failpoint, std::vector<Plan>& plans) {
    for (std::size_t i = 0; i < traces_.size(); ++i) {
      const auto reached = traces_[i].reached.find(failpoint);
      if (reached == traces_[i].reached.end()) continue;
      for (const int n : times(reached->second)) {
        plans.push_back({&operations()[i], failpoint + ":" + std::to_string(n)});
      }
      if (std::getenv("RESMGR_CRASH_FULL") == nullptr) return;
    }
  }

  inline static std::vector<Outcome> traces_;
  inline static std::mutex mutex_;
  inline static std::multimap<std::string, std::pair<Plan, Outcome>> outcomes_;
};

TEST_P(EveryFailpoint, KilledThere) {
  const auto [first, last] = outcomes_.equal_range(GetParam());
  ASSERT_NE(first, last) << "no operation reached it";
  for (auto it = first; it != last; ++it) {
    const auto& [plan, outcome] = it->second;
    EXPECT_TRUE(outcome.killed) << plan.failpoint << " in " << plan.operation->name;
    for (const auto& fault : outcome.faults) {
      ADD_FAILURE() << plan.failpoint << " in " << plan.operation->name << ": " << fault << '\n'
                    << outcome.log;
    }
  }
}

std::vector<std::string> all_failpoints() { return {kFailpoints.begin(), kFailpoints.end()}; }

std::string name_of(const testing::TestParamInfo<std::string>& info) {
  std::string name = info.param;
  std::replace(name.begin(), name.end(), '.', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Agent, EveryFailpoint, testing::ValuesIn(all_failpoints()), name_of);

}  // namespace
}  // namespace resmgr::crash
