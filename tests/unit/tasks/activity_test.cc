#include "agent/tasks/activity.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace resmgr::tasks {
namespace {

using namespace std::chrono_literals;
using State = SignalState;

constexpr std::int64_t kHuge = std::numeric_limits<std::int64_t>::max();

engine::Stats counted(Millis cpu_time, std::int64_t received, std::int64_t sent) {
  engine::Stats stats;
  stats.cpu_time = cpu_time;
  stats.network_rx_bytes = received;
  stats.network_tx_bytes = sent;
  return stats;
}

const Signal& named(const std::vector<Signal>& signals, const std::string& name) {
  for (const Signal& signal : signals) {
    if (signal.name == name) return signal;
  }
  static const Signal kNone{"not there", {}, {}, {}, {}};
  return kNone;
}

State network_of(const ActivityMeter& meter) { return named(meter.signals(), "network").state; }
State cpu_of(const ActivityMeter& meter) { return named(meter.signals(), "cpu").state; }

const ActivityFloors kFloors{1024, 2, 10s};

TEST(Activity, KnowsNothingBeforeTheSecondSample) {
  ActivityMeter meter(kFloors);
  ASSERT_EQ(meter.signals().size(), 2U);
  EXPECT_EQ(network_of(meter), State::unknown);
  EXPECT_EQ(cpu_of(meter), State::unknown);
  meter.sample(counted(5h, 1 << 20, 1 << 20), 1h);
  EXPECT_EQ(network_of(meter), State::unknown);
  EXPECT_EQ(cpu_of(meter), State::unknown);
  EXPECT_FALSE(named(meter.signals(), "cpu").last_busy);
  meter.sample(counted(5h, 1 << 20, 1 << 20), 1h + 10s);
  EXPECT_EQ(network_of(meter), State::quiet);
  EXPECT_EQ(cpu_of(meter), State::quiet);
  EXPECT_FALSE(named(meter.signals(), "cpu").last_busy);
  EXPECT_EQ(named(meter.signals(), "cpu").observed, 1h + 10s);
}

struct Pair {
  const char* what;
  engine::Stats before;
  engine::Stats after;
  Millis elapsed;
  State network;
  State cpu;
};

class ActivityPairs : public ::testing::TestWithParam<Pair> {};

TEST_P(ActivityPairs, AreComparedWithTheFloors) {
  const Pair& pair = GetParam();
  ActivityMeter meter(kFloors);
  meter.sample(pair.before, 1h);
  meter.sample(pair.after, 1h + pair.elapsed);
  const std::vector<Signal> signals = meter.signals();
  for (const auto& [name, expected] :
       {std::pair{"network", pair.network}, std::pair{"cpu", pair.cpu}}) {
    const Signal& signal = named(signals, name);
    EXPECT_EQ(signal.state, expected) << name;
    EXPECT_EQ(signal.observed, 1h + pair.elapsed) << name;
    EXPECT_EQ(signal.last_busy.has_value(), expected == State::busy) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, ActivityPairs,
    ::testing::Values(
        Pair{"nothing", counted(0s, 0, 0), counted(0s, 0, 0), 10s, State::quiet, State::quiet},
        Pair{"at the floors", counted(1s, 5, 5), counted(1200ms, 517, 517), 10s, State::quiet,
             State::quiet},
        Pair{"above the network's", counted(1s, 5, 5), counted(1s, 517, 518), 10s, State::busy,
             State::quiet},
        Pair{"one way only", counted(1s, 5, 5), counted(1s, 5, 1030), 10s, State::busy,
             State::quiet},
        Pair{"above the cpu's", counted(1s, 5, 5), counted(1201ms, 5, 5), 10s, State::quiet,
             State::busy},
        Pair{"many cores", counted(1s, 5, 5), counted(81s, 5, 5), 10s, State::quiet, State::busy},
        Pair{"over two intervals", counted(1s, 0, 0), counted(1390ms, 1024, 1024), 20s,
             State::quiet, State::quiet},
        Pair{"above over two intervals", counted(1s, 0, 0), counted(1410ms, 1024, 1025), 20s,
             State::busy, State::busy},
        Pair{"a floor does not shrink with the time", counted(1s, 0, 0), counted(1s, 0, 1000), 6s,
             State::quiet, State::quiet},
        Pair{"three intervals", counted(1s, 0, 0), counted(1s, 0, 0), 30s, State::quiet,
             State::quiet},
        Pair{"a gap", counted(1s, 0, 0), counted(1s, 0, 0), 30001ms, State::unknown,
             State::unknown},
        Pair{"cpu backwards", counted(1s, 0, 0), counted(900ms, 0, 0), 10s, State::quiet,
             State::unknown},
        Pair{"received backwards", counted(1s, 10, 0), counted(1s, 9, 5000), 10s, State::unknown,
             State::quiet},
        Pair{"sent backwards", counted(1s, 0, 10), counted(1s, 5000, 9), 10s, State::unknown,
             State::quiet},
        Pair{"all backwards", counted(9s, 9, 9), counted(0s, 0, 0), 10s, State::unknown,
             State::unknown},
        Pair{"below nothing", counted(Millis::min(), -kHuge, -kHuge), counted(1s, kHuge, kHuge),
             10s, State::unknown, State::unknown},
        Pair{"beyond all measure", counted(0s, 0, 0), counted(Millis::max(), kHuge, kHuge), 10s,
             State::busy, State::busy}),
    [](const auto& test) {
      std::string name;
      for (const char c : std::string(test.param.what)) {
        if (std::isalnum(static_cast<unsigned char>(c)) != 0) name += c;
      }
      return name;
    });

TEST(Activity, AMissingSampleIsUnknownAndTheNextOneKnowsAgain) {
  ActivityMeter meter(kFloors);
  meter.sample(counted(1s, 0, 0), 0s);
  meter.sample(counted(1s, 0, 0), 10s);
  EXPECT_EQ(cpu_of(meter), State::quiet);
  meter.sample(std::nullopt, 20s);
  EXPECT_EQ(cpu_of(meter), State::unknown);
  EXPECT_EQ(network_of(meter), State::unknown);
  EXPECT_EQ(named(meter.signals(), "cpu").observed, 20s);
  EXPECT_EQ(named(meter.signals(), "cpu").detail, "the engine gave no sample");
  meter.sample(counted(2s, 0, 0), 30s);  // what was used meanwhile counts
  EXPECT_EQ(cpu_of(meter), State::busy);
  EXPECT_EQ(network_of(meter), State::quiet);
}

TEST(Activity, AfterManyMissingSamplesTheNextOneOnlyBegins) {
  ActivityMeter meter(kFloors);
  meter.sample(counted(1s, 0, 0), 0s);
  for (int i = 1; i < 10; ++i) meter.sample(std::nullopt, i * 10s);
  meter.sample(counted(1s, 0, 0), 100s);
  EXPECT_EQ(cpu_of(meter), State::unknown);
  EXPECT_EQ(named(meter.signals(), "cpu").detail, "no sample was taken for 1m 40s");
  meter.sample(counted(1s, 0, 0), 110s);
  EXPECT_EQ(cpu_of(meter), State::quiet);
}

TEST(Activity, CountersThatWentBackwardsBeginAnew) {
  ActivityMeter meter(kFloors);
  meter.sample(counted(9s, 9000, 9000), 0s);
  meter.sample(counted(1s, 100, 100), 10s);
  EXPECT_EQ(cpu_of(meter), State::unknown);
  meter.sample(counted(1s, 100, 100), 20s);
  EXPECT_EQ(cpu_of(meter), State::quiet);
  EXPECT_EQ(network_of(meter), State::quiet);
}

TEST(Activity, RemembersWhenItWasLastBusy) {
  ActivityMeter meter(kFloors);
  meter.sample(counted(0s, 0, 0), 0s);
  meter.sample(counted(5s, 0, 0), 10s);
  for (int i = 2; i < 6; ++i) meter.sample(counted(5s, 0, 0), i * 10s);
  const Signal cpu = named(meter.signals(), "cpu");
  EXPECT_EQ(cpu.state, State::quiet);
  EXPECT_EQ(cpu.last_busy, 10s);
  EXPECT_EQ(cpu.observed, 50s);
  EXPECT_FALSE(named(meter.signals(), "network").last_busy);
  meter.sample(std::nullopt, 60s);
  EXPECT_EQ(named(meter.signals(), "cpu").last_busy, 10s);
}

TEST(Activity, ASampleThatComesTooSoonIsPassedOver) {
  ActivityMeter meter(kFloors);
  meter.sample(counted(0s, 0, 0), 0s);
  meter.sample(counted(0s, 0, 0), 10s);
  meter.sample(counted(1s, 0, 0), 10s);  // at the same time
  meter.sample(counted(1s, 0, 0), 14s);  // 25 % of four seconds
  EXPECT_EQ(cpu_of(meter), State::quiet);
  EXPECT_EQ(named(meter.signals(), "cpu").observed, 10s);
  meter.sample(counted(1s, 0, 0), 9s);  // and time does not run backwards
  EXPECT_EQ(cpu_of(meter), State::quiet);
  meter.sample(counted(1s, 0, 0), 20s);
  EXPECT_EQ(cpu_of(meter), State::busy);  // 10 %, compared with the sample at 10 s
}

TEST(Activity, TheAgentsOwnTrafficIsNoUse) {
  ActivityMeter meter(kFloors);
  meter.sample(counted(0s, 0, 0), 0s);
  meter.sample(counted(0s, 3000, 3000), 10s, 5500);
  EXPECT_EQ(network_of(meter), State::quiet);
  EXPECT_EQ(named(meter.signals(), "network").detail, "500 B in 10s, busy above 1 KiB in 10s");
  meter.sample(counted(0s, 6000, 6000), 20s, 4000);
  EXPECT_EQ(network_of(meter), State::busy);
  meter.sample(counted(0s, 6100, 6100), 30s, 1 << 20);  // more than there was
  EXPECT_EQ(network_of(meter), State::quiet);
  meter.sample(counted(0s, 8000, 6100), 40s);  // what was too much then is not kept
  EXPECT_EQ(network_of(meter), State::busy);
  meter.sample(counted(0s, 8000, 6100), 50s, -5000);
  EXPECT_EQ(network_of(meter), State::quiet);
}

TEST(Activity, OwnTrafficOfASampleThatDoesNotCountIsKept) {
  ActivityMeter meter(kFloors);
  meter.sample(counted(0s, 0, 0), 0s);
  meter.sample(counted(0s, 0, 0), 10s);
  meter.sample(counted(0s, 3000, 0), 12s, 3000);
  meter.sample(std::nullopt, 20s, 3000);
  meter.sample(counted(0s, 9000, 0), 30s, 3000);
  EXPECT_EQ(network_of(meter), State::quiet);
  meter.sample(counted(0s, 9000, 0), 40s, kHuge);
  meter.sample(counted(0s, 9000, 0), 42s, kHuge);
  meter.sample(counted(0s, 9000, 0), 50s, kHuge);
  EXPECT_EQ(network_of(meter), State::quiet);
}

TEST(Activity, AFloorBelowZeroSwitchesItsSignalOff) {
  EXPECT_TRUE(ActivityMeter({-1, -1, 10s}).signals().empty());
  ActivityMeter meter({-1, 2, 10s});
  ASSERT_EQ(meter.signals().size(), 1U);
  EXPECT_EQ(meter.signals()[0].name, "cpu");
  meter.set_floors({1024, -1, 10s});
  ASSERT_EQ(meter.signals().size(), 1U);
  EXPECT_EQ(meter.signals()[0].name, "network");
}

TEST(Activity, AFloorOfZeroIsExceededByAnything) {
  ActivityMeter meter({0, 0, 10s});
  meter.sample(counted(0s, 0, 0), 0s);
  meter.sample(counted(0s, 0, 0), 10s);
  EXPECT_EQ(cpu_of(meter), State::quiet);
  EXPECT_EQ(network_of(meter), State::quiet);
  meter.sample(counted(1ms, 1, 0), 20s);
  EXPECT_EQ(cpu_of(meter), State::busy);
  EXPECT_EQ(network_of(meter), State::busy);
}

TEST(Activity, SaysWhatItSaw) {
  ActivityMeter meter(kFloors);
  meter.sample(counted(0s, 0, 0), 0s);
  meter.sample(counted(310ms, 12'288, 0), 10s);
  EXPECT_EQ(named(meter.signals(), "cpu").detail, "3.1% of a core, busy above 2.0%");
  EXPECT_EQ(named(meter.signals(), "network").detail, "12 KiB in 10s, busy above 1 KiB in 10s");
}

TEST(Activity, FloorsComeFromTheCatalog) {
  catalog::IdlePolicy policy;
  policy.network_bytes = 7;
  policy.cpu_percent = 0.5;
  const ActivityFloors floors = ActivityFloors::of(policy, 30s);
  EXPECT_EQ(floors.network_bytes, 7);
  EXPECT_EQ(floors.cpu_percent, 0.5);
  EXPECT_EQ(floors.interval, 30s);
  ActivityMeter meter({1024, 2, Millis::max()});  // absurd, and harmless
  meter.sample(counted(0s, 0, 0), 0s);
  meter.sample(counted(9s, 0, 0), 10s);
  EXPECT_EQ(cpu_of(meter), State::unknown);
}

}  // namespace
}  // namespace resmgr::tasks
