// kill -9 at every failpoint, on a real engine: whatever the agent was about to do, the next one
// finishes, adopts or undoes, and the design's invariants hold (2 to 7; by the engine's own names a
// task can't have two containers at once). A real PostgreSQL has the rows,
// and a BlockchainService the bills.
//
// First each operation runs to its end, and tells which failpoints it reaches and how often. Then
// each failpoint is lived through in the first of the operations that reached it; with
// RESMGR_CRASH_FULL in the environment, in all of them, at the first, the second and the last time.
// How fast a container answers decides whether some are reached at all (a start that is ready at
// once is one commit): where a history was not killed, the next operation has the failpoint's kill.

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
  std::string failpoint;
  int time;  // at which it is killed there
};

struct Lived {
  Plan plan;
  Outcome outcome;
};

bool is_full() { return std::getenv("RESMGR_CRASH_FULL") != nullptr; }

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
  if (!is_full()) return {1};
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
    std::vector<std::string> wanted;
    for (const auto& failpoint : kFailpoints) {
      if (is_wanted(std::string(failpoint))) wanted.emplace_back(failpoint);
    }
    side_by_side(wanted.size(), [&](std::size_t i) {
      for (const Plan& plan : plans_of(wanted[i])) {
        const auto outcome =
            live(*plan.operation, plan.failpoint + ":" + std::to_string(plan.time));
        const std::lock_guard lock(mutex_);
        lived_[wanted[i]].push_back({plan, outcome});
        if (outcome.killed && !is_full()) return;
      }
    });
  }

  static void TearDownTestSuite() {
    std::size_t histories = traces_.size();
    for (const auto& [failpoint, all] : lived_) histories += all.size();
    std::cout << kFailpoints.size() << " failpoints, " << histories << " histories\n";
    lived_.clear();
    traces_.clear();
  }

  static std::vector<Plan> plans_of(const std::string& failpoint) {
    std::vector<Plan> plans;
    for (std::size_t i = 0; i < traces_.size(); ++i) {
      const auto reached = traces_[i].reached.find(failpoint);
      if (reached == traces_[i].reached.end()) continue;
      for (const int n : times(reached->second)) {
        plans.push_back({&operations()[i], failpoint, n});
      }
    }
    return plans;
  }

  inline static std::vector<Outcome> traces_;
  inline static std::mutex mutex_;
  inline static std::map<std::string, std::vector<Lived>> lived_;  // by failpoint
};

TEST_P(EveryFailpoint, KilledThere) {
  const auto found = lived_.find(GetParam());
  ASSERT_NE(found, lived_.end()) << "no operation reached it";
  bool killed = false;
  for (const auto& [plan, outcome] : found->second) {
    killed = killed || outcome.killed;
    if (!outcome.killed) {
      const auto reached = outcome.reached.find(plan.failpoint);
      EXPECT_LT(reached == outcome.reached.end() ? 0 : reached->second, plan.time)
          << plan.failpoint << " in " << plan.operation->name << " was reached, and nobody killed";
    }
    for (const auto& fault : outcome.faults) {
      ADD_FAILURE() << plan.failpoint << " in " << plan.operation->name << ": " << fault << '\n'
                    << outcome.log;
    }
  }
  EXPECT_TRUE(killed) << "none of the histories that should have been killed there was";
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
