#include "agent/tasks/lanes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace resmgr::tasks {
namespace {

// Waits, generously, for a condition that other threads make true.
class Board {
 public:
  template <typename Fn>
  void change(Fn&& fn) {
    {
      const std::lock_guard lock(mutex_);
      fn();
    }
    changed_.notify_all();
  }
  template <typename Fn>
  bool wait(Fn&& fn) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(60), fn);
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
};

TEST(Lanes, RunOneStepAtATimeForOneTask) {
  Board board;
  int inside = 0;
  int most = 0;
  int steps = 0;
  Lanes lanes({}, [&](Lanes::Turn&) {
    board.change([&] { most = std::max(most, ++inside); });
    std::this_thread::yield();
    board.change([&] {
      --inside;
      ++steps;
    });
    return Next::done();
  });
  for (int i = 0; i < 200; ++i) {
    lanes.wake("t", "u");
    std::this_thread::yield();
  }
  EXPECT_TRUE(board.wait([&] { return inside == 0 && steps > 0; }));
  lanes.stop();
  EXPECT_EQ(most, 1);
}

TEST(Lanes, AWakeDuringAStepGivesAnotherStep) {
  Board board;
  int steps = 0;
  bool go_on = false;
  Lanes lanes({}, [&](Lanes::Turn&) {
    board.change([&] { ++steps; });
    board.wait([&] { return go_on; });
    return Next::done();
  });
  lanes.wake("t", "u");
  ASSERT_TRUE(board.wait([&] { return steps == 1; }));
  lanes.wake("t", "u");
  board.change([&] { go_on = true; });
  EXPECT_TRUE(board.wait([&] { return steps == 2; }));
}

TEST(Lanes, ASlowLaneHoldsUpNobody) {
  Board board;
  bool release = false;
  std::set<std::string> finished;
  Lanes lanes({}, [&](Lanes::Turn& turn) {
    if (turn.task_id == "slow") board.wait([&] { return release; });
    board.change([&] { finished.insert(turn.task_id); });
    return Next::done();
  });
  lanes.wake("slow", "u");
  for (int i = 0; i < 20; ++i) lanes.wake("t" + std::to_string(i), "u");
  EXPECT_TRUE(board.wait([&] { return finished.size() == 20; }));
  board.change([&] { release = true; });
  EXPECT_TRUE(board.wait([&] { return finished.size() == 21; }));
}

TEST(Lanes, ADelayedStepComesThoughAllOtherThreadsAreBusy) {
  Board board;
  bool release = false;
  int delayed_steps = 0;
  int blocked = 0;
  Lanes lanes({}, [&](Lanes::Turn& turn) {
    if (turn.task_id == "delayed") {
      board.change([&] { ++delayed_steps; });
      return delayed_steps < 3 ? Next::after(Millis{5}) : Next::done();
    }
    board.change([&] { ++blocked; });
    board.wait([&] { return release; });
    return Next::done();
  });
  lanes.wake("delayed", "u");
  for (int i = 0; i < 8; ++i) lanes.wake("busy" + std::to_string(i), "u");
  EXPECT_TRUE(board.wait([&] { return delayed_steps == 3 && blocked == 8; }));
  board.change([&] { release = true; });
}

TEST(Lanes, AWakeCutsADelayShort) {
  Board board;
  int steps = 0;
  Lanes lanes({}, [&](Lanes::Turn&) {
    board.change([&] { ++steps; });
    return steps == 1 ? Next::after(Millis{3'600'000}) : Next::done();
  });
  lanes.wake("t", "u");
  ASSERT_TRUE(board.wait([&] { return steps == 1; }));
  while (lanes.load().lanes == 1) lanes.wake("t", "u");
  EXPECT_TRUE(board.wait([&] { return steps >= 2; }));
}

TEST(Lanes, KeepTheirMemoryWhileTheyLive) {
  struct Counter final : LaneMemory {
    int steps = 0;
  };
  Board board;
  int last = 0;
  Lanes lanes({}, [&](Lanes::Turn& turn) {
    if (!turn.memory) turn.memory = std::make_unique<Counter>();
    const int steps = ++static_cast<Counter&>(*turn.memory).steps;
    board.change([&] { last = steps; });
    return steps < 3 ? Next::again() : Next::done();
  });
  lanes.wake("t", "u");
  EXPECT_TRUE(board.wait([&] { return last == 3; }));
}

TEST(Lanes, StartSlotsAreCapped) {
  Board board;
  int inside = 0;
  int most = 0;
  int done = 0;
  LaneOptions options;
  options.start_slots = 3;
  Lanes lanes(options, [&](Lanes::Turn& turn) {
    if (!turn.has_start_slot) return Next::start_slot();
    board.change([&] { most = std::max(most, ++inside); });
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    board.change([&] {
      --inside;
      ++done;
    });
    return Next::done();
  });
  for (int i = 0; i < 50; ++i) lanes.wake("t" + std::to_string(i), "u" + std::to_string(i % 3));
  EXPECT_TRUE(board.wait([&] { return done == 50; }));
  EXPECT_LE(most, 3);
}

TEST(Lanes, StartSlotsGoRoundRobinOverUsers) {
  Board board;
  bool open = false;
  std::vector<std::string> order;
  LaneOptions options;
  options.start_slots = 1;
  Lanes lanes(options, [&](Lanes::Turn& turn) {
    if (!turn.has_start_slot) return Next::start_slot();
    board.change([&] { order.push_back(turn.task_id); });
    board.wait([&] { return open; });
    return Next::done();
  });
  lanes.wake("gate", "gate");
  ASSERT_TRUE(board.wait([&] { return order.size() == 1; }));
  for (int i = 0; i < 20; ++i) lanes.wake("many" + std::to_string(i), "greedy");
  while (lanes.load().waiting_for_slot < 20) std::this_thread::yield();
  lanes.wake("one", "modest");
  while (lanes.load().waiting_for_slot < 21) std::this_thread::yield();
  board.change([&] { open = true; });
  ASSERT_TRUE(board.wait([&] { return order.size() == 22; }));
  // At most one of the greedy user's twenty goes before the modest user's one.
  EXPECT_TRUE(order[1] == "one" || order[2] == "one") << order[1] << " " << order[2];
}

// One user's second comes after another's first.
TEST(Lanes, TellWhereOneWaitsForAStartSlot) {
  Board board;
  bool open = false;
  int inside = 0;
  LaneOptions options;
  options.start_slots = 1;
  Lanes lanes(options, [&](Lanes::Turn& turn) {
    if (!turn.has_start_slot) return Next::start_slot();
    board.change([&] { ++inside; });
    board.wait([&] { return open; });
    return Next::done();
  });
  lanes.wake("gate", "gate");
  ASSERT_TRUE(board.wait([&] { return inside == 1; }));
  EXPECT_FALSE(lanes.place("gate"));
  const auto enter = [&](const char* task, const char* user) {
    const int before = lanes.load().waiting_for_slot;
    lanes.wake(task, user);
    while (lanes.load().waiting_for_slot == before) std::this_thread::yield();
  };
  for (const char* task : {"a1", "a2", "a3"}) enter(task, "a");
  for (const char* task : {"b1", "b2"}) enter(task, "b");
  const auto position = [&](const char* task) { return lanes.place(task).value().position; };
  EXPECT_EQ(position("a1"), 1);
  EXPECT_EQ(position("b1"), 2);
  EXPECT_EQ(position("a2"), 3);
  EXPECT_EQ(position("b2"), 4);
  EXPECT_EQ(position("a3"), 5);
  EXPECT_FALSE(lanes.place("a1")->expected_wait);  // no slot was given back yet
  EXPECT_FALSE(lanes.place("nobody"));
  board.change([&] { open = true; });
  EXPECT_TRUE(board.wait([&] { return inside == 6; }));
}

TEST(Lanes, TheExpectedWaitGrowsWithThePlace) {
  Board board;
  int released = 0;
  int inside = 0;
  LaneOptions options;
  options.start_slots = 1;
  Lanes lanes(options, [&](Lanes::Turn& turn) {
    if (!turn.has_start_slot) return Next::start_slot();
    int number = 0;
    board.change([&] { number = ++inside; });
    std::this_thread::sleep_for(Millis{20});
    board.wait([&] { return released >= number; });
    return Next::done();
  });
  for (const char* task : {"1", "2", "3", "4"}) {
    const int before = lanes.load().lanes;
    lanes.wake(task, "u");
    while (lanes.load().lanes == before) std::this_thread::yield();
  }
  board.change([&] { released = 1; });
  ASSERT_TRUE(board.wait([&] { return inside == 2; }));
  while (lanes.load().waiting_for_slot != 2) std::this_thread::yield();
  std::vector<Millis> waits;
  for (const char* task : {"1", "2", "3", "4"}) {
    if (const auto place = lanes.place(task)) waits.push_back(place->expected_wait.value());
  }
  std::sort(waits.begin(), waits.end());
  ASSERT_EQ(waits.size(), 2U);
  EXPECT_GE(waits[0], Millis{20});
  EXPECT_GE(waits[1], waits[0] * 2 - Millis{1});
  board.change([&] { released = 4; });
  EXPECT_TRUE(board.wait([&] { return inside == 4; }));
}

// Two slots: of what nobody waits for one at a time, and only while nobody else wants it.
TEST(Lanes, WhatRunsInTheBackgroundYields) {
  Board board;
  bool open = false;
  std::vector<std::string> order;
  LaneOptions options;
  options.start_slots = 2;
  Lanes lanes(options, [&](Lanes::Turn& turn) {
    if (!turn.has_start_slot) return Next::start_slot();
    EXPECT_EQ(turn.background, turn.task_id.starts_with("warm"));
    board.change([&] { order.push_back(turn.task_id); });
    // Those that were to come first hold the slots until both of them have been seen.
    const bool begins_late = turn.task_id == "second" || turn.task_id == "third";
    board.wait([&] { return open && (!begins_late || order.size() >= 4); });
    return Next::done();
  });
  for (const char* slot : {"warm1", "warm2", "warm3"}) lanes.wake_background(slot);
  ASSERT_TRUE(board.wait([&] { return order.size() == 1; }));
  EXPECT_EQ(lanes.load().waiting_for_slot, 0);  // nobody's start waits
  EXPECT_FALSE(lanes.place("warm2"));
  lanes.wake("first", "u");
  ASSERT_TRUE(board.wait([&] { return order.size() == 2; }));
  EXPECT_EQ(order[1], "first");
  lanes.wake("second", "u");
  lanes.wake("third", "u");
  while (lanes.load().waiting_for_slot < 2) std::this_thread::yield();
  board.change([&] { open = true; });
  ASSERT_TRUE(board.wait([&] { return order.size() == 6; }));
  EXPECT_EQ(std::set<std::string>(order.begin() + 2, order.begin() + 4),
            (std::set<std::string>{"second", "third"}));
}

TEST(Lanes, ALaneKnowsWhetherItsDelayHasPassed) {
  LaneOptions options;
  options.max_threads = 0;
  std::vector<bool> due;
  Lanes lanes(options, [&](Lanes::Turn& turn) {
    due.push_back(turn.is_due);
    return due.size() < 4 ? Next::after(Millis{std::chrono::hours(1)}) : Next::done();
  });
  const auto run_one = [&] { return lanes.run_one([](std::size_t) { return std::size_t{0}; }); };
  lanes.wake("a", "u");
  EXPECT_TRUE(run_one());
  EXPECT_TRUE(run_one());  // the hour is over
  lanes.wake("a", "u");
  EXPECT_TRUE(run_one());
  EXPECT_TRUE(run_one());
  EXPECT_EQ(due, (std::vector<bool>{false, true, false, true}));
}

TEST(Lanes, AWokenLaneLeavesTheStartQueue) {
  Board board;
  bool open = false;
  bool cancelled = false;
  bool saw_cancel = false;
  bool gate_in = false;
  LaneOptions options;
  options.start_slots = 1;
  Lanes lanes(options, [&](Lanes::Turn& turn) {
    if (turn.task_id == "waits") {
      bool now_cancelled = false;
      board.change([&] {
        now_cancelled = cancelled;
        saw_cancel = saw_cancel || cancelled;
      });
      return now_cancelled ? Next::done() : Next::start_slot();
    }
    if (!turn.has_start_slot) return Next::start_slot();
    board.change([&] { gate_in = true; });
    board.wait([&] { return open; });
    return Next::done();
  });
  lanes.wake("gate", "u");
  ASSERT_TRUE(board.wait([&] { return gate_in; }));
  lanes.wake("waits", "u");
  while (lanes.load().waiting_for_slot < 1) std::this_thread::yield();
  board.change([&] { cancelled = true; });
  lanes.wake("waits", "u");
  EXPECT_TRUE(board.wait([&] { return saw_cancel; }));
  board.change([&] { open = true; });
}

TEST(Lanes, StopLetsStepsFinishAndBeginsNoOther) {
  std::atomic<int> running{0};
  std::atomic<int> steps{0};
  {
    Lanes lanes({}, [&](Lanes::Turn&) {
      ++running;
      ++steps;
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
      --running;
      return Next::again();
    });
    for (int i = 0; i < 10; ++i) lanes.wake("t" + std::to_string(i), "u");
    while (steps < 20) std::this_thread::yield();
    lanes.stop();
    EXPECT_EQ(running, 0);
    const int after = steps;
    lanes.wake("late", "u");
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    EXPECT_EQ(steps, after);
  }
}

// The test is the scheduler: nothing runs by itself, no delay is waited for, and steps of different
// lanes may run inside of each other.
TEST(Lanes, RunOneByOneWithoutThreads) {
  LaneOptions options;
  options.max_threads = 0;
  std::string order;
  const auto first = [](std::size_t) { return std::size_t{0}; };
  const auto last = [](std::size_t n) { return n - 1; };
  Lanes* inside = nullptr;
  Lanes lanes(options, [&](Lanes::Turn& turn) {
    order += turn.task_id;
    if (turn.task_id == "a" && order.size() == 1) {
      EXPECT_TRUE(inside->run_one(first));  // of b: a is in its step
      return Next::after(std::chrono::hours(1));
    }
    if (turn.task_id == "c" && !turn.has_start_slot) return Next::start_slot();
    return Next::done();
  });
  inside = &lanes;
  for (const char* id : {"a", "b", "c"}) lanes.wake(id, "u");
  EXPECT_TRUE(lanes.run_one(first));  // a, and b in it
  EXPECT_TRUE(lanes.run_one(last));   // c wants a slot
  EXPECT_TRUE(lanes.run_one(last));   // and has it
  EXPECT_TRUE(lanes.run_one(first));  // the hour has passed
  EXPECT_FALSE(lanes.run_one(first));
  EXPECT_EQ(order, "abcca");
  EXPECT_EQ(lanes.load().lanes, 0);
}

}  // namespace
}  // namespace resmgr::tasks
