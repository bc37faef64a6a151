// What the fake engine does beside the contract, on which tests of other rooms rely.
#include "tests/fakes/fake_engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "common/guarded.h"
#include "tests/fakes/fake_clock.h"
#include "tests/support/eventually.h"

namespace resmgr::engine {
namespace {

using support::eventually;
using testing::ElementsAre;
using testing::IsEmpty;

class FakeEngineTest : public testing::Test {
 protected:
  FakeEngineTest() { engine_.add_image("hello"); }

  ContainerSpec spec(const std::string& name) {
    ContainerSpec spec;
    spec.name = name;
    spec.image = "hello";
    spec.container_port = 80;
    return spec;
  }
  std::string started(const std::string& name) {
    std::string id = engine_.create(spec(name));
    engine_.start(id);
    return id;
  }
  ErrorKind kind_of(const std::function<void()>& act) {
    try {
      act();
    } catch (const Error& error) {
      return error.kind();
    }
    ADD_FAILURE() << "no error was thrown";
    return ErrorKind::internal;
  }

  FakeClock clock_;
  FakeEngine engine_{clock_};
};

TEST_F(FakeEngineTest, TimesAreTheClocks) {
  const Instant begin = clock_.now();
  const std::string id = started("one");
  clock_.advance(Millis{5'000});
  engine_.exit_container(id, 3);
  const auto state = engine_.inspect(id);
  EXPECT_EQ(state->started_at, begin);
  EXPECT_EQ(state->finished_at, begin + Millis{5'000});
  EXPECT_EQ(state->exit_code, 3);
}

TEST_F(FakeEngineTest, FailsAsOftenAsAskedInThatOrder) {
  engine_.fail_next(Op::info, Error(ErrorKind::rejected, "one"), 2);
  engine_.do_then_fail(Op::info);
  EXPECT_EQ(kind_of([&] { engine_.info(); }), ErrorKind::rejected);
  EXPECT_EQ(kind_of([&] { engine_.info(); }), ErrorKind::rejected);
  EXPECT_EQ(kind_of([&] { engine_.info(); }), ErrorKind::unavailable);
  EXPECT_EQ(engine_.info().name, "docker");
  EXPECT_EQ(engine_.count(Op::info), 4);
}

TEST_F(FakeEngineTest, WhatFailsFirstIsNotDone) {
  engine_.fail_next(Op::create, Error(ErrorKind::unavailable, "gone"));
  EXPECT_EQ(kind_of([&] { engine_.create(spec("one")); }), ErrorKind::unavailable);
  EXPECT_THAT(engine_.containers(), IsEmpty());
}

TEST_F(FakeEngineTest, WhatIsDoneMayGoUnanswered) {
  engine_.do_then_fail(Op::create);
  EXPECT_EQ(kind_of([&] { engine_.create(spec("one")); }), ErrorKind::unavailable);
  ASSERT_EQ(engine_.containers().size(), 1U);
  // Issued again it meets its own effect.
  EXPECT_EQ(kind_of([&] { engine_.create(spec("one")); }), ErrorKind::conflict);
}

TEST_F(FakeEngineTest, WhatIsUnansweredMayBeDoneLater) {
  engine_.fail_then_do(Op::create);
  EXPECT_EQ(kind_of([&] { engine_.create(spec("one")); }), ErrorKind::unavailable);
  EXPECT_THAT(engine_.containers(), IsEmpty());
  EXPECT_EQ(engine_.do_late(), 1);
  EXPECT_EQ(engine_.containers().size(), 1U);
  EXPECT_EQ(engine_.do_late(), 0);
}

TEST_F(FakeEngineTest, LateActsThatNoLongerFitAreDropped) {
  engine_.fail_then_do(Op::create);
  EXPECT_EQ(kind_of([&] { engine_.create(spec("one")); }), ErrorKind::unavailable);
  engine_.create(spec("one"));
  EXPECT_EQ(engine_.do_late(), 1);
  EXPECT_EQ(engine_.containers().size(), 1U);
}

TEST_F(FakeEngineTest, PortsAreNeverShared) {
  const auto one = engine_.inspect(started("one"));
  const auto two = engine_.inspect(started("two"));
  EXPECT_NE(one->host_port, two->host_port);
  ContainerSpec narrow = spec("three");
  narrow.port_range = std::to_string(two->host_port) + "-" + std::to_string(two->host_port + 1);
  const std::string id = engine_.create(narrow);
  engine_.start(id);
  EXPECT_EQ(engine_.inspect(id)->host_port, two->host_port + 1);
}

TEST_F(FakeEngineTest, OccupiedPortsFailThatManyStarts) {
  engine_.occupy_ports(2);
  const std::string id = engine_.create(spec("one"));
  EXPECT_EQ(kind_of([&] { engine_.start(id); }), ErrorKind::conflict);
  EXPECT_EQ(kind_of([&] { engine_.start(id); }), ErrorKind::conflict);
  engine_.start(id);
  EXPECT_TRUE(engine_.inspect(id)->alive());
}

TEST_F(FakeEngineTest, RestartByHandMovesThePortAndTheStart) {
  const std::string id = started("one");
  const auto before = engine_.inspect(id);
  clock_.advance(Millis{1'000});
  engine_.restart_by_hand(id);
  const auto after = engine_.inspect(id);
  EXPECT_NE(after->host_port, before->host_port);
  EXPECT_EQ(*after->started_at - *before->started_at, Millis{1'000});
  EXPECT_FALSE(after->finished_at);
}

TEST_F(FakeEngineTest, OomOfAChildIsNoEnd) {
  const std::string id = started("one");
  engine_.oom_kill_child(id);
  EXPECT_TRUE(engine_.inspect(id)->alive());
  EXPECT_TRUE(engine_.inspect(id)->oom_killed);
  engine_.exit_container(id, 0);
  EXPECT_TRUE(engine_.inspect(id)->oom_killed);
}

TEST_F(FakeEngineTest, PowerLossIsToldAsTheNextBoot) {
  const std::string running = started("one");
  const std::string created = engine_.create(spec("two"));
  clock_.reboot(Millis{3'600'000});
  engine_.lose_power();
  const auto state = engine_.inspect(running);
  EXPECT_EQ(state->exit_code, 255);
  EXPECT_EQ(state->finished_at, clock_.now());
  EXPECT_EQ(engine_.inspect(created)->status, ContainerStatus::created);
}

TEST_F(FakeEngineTest, AwayIsAwayForAllAndBreaksStreams) {
  std::atomic<int> broken = 0;
  std::atomic<int> subscribed = 0;
  const std::string id = started("one");
  {
    const auto counting = [&](auto&& call) {
      return [&, call] {
        try {
          call();
        } catch (const Error& error) {
          if (error.kind() == ErrorKind::unavailable) ++broken;
        }
      };
    };
    const std::jthread events(
        counting([&] { engine_.events([&] { ++subscribed; }, [](const EngineEvent&) {}, {}); }));
    const std::jthread logs(counting(
        [&] { engine_.logs(id, {.follow = true}, [](std::string_view) { return true; }, {}); }));
    ASSERT_TRUE(eventually([&] { return subscribed == 1 && engine_.count(Op::logs) == 1; }));
    engine_.set_reachable(false);
  }
  EXPECT_EQ(broken, 2);
  EXPECT_EQ(kind_of([&] { engine_.list({}); }), ErrorKind::unavailable);
  engine_.set_reachable(true);
  EXPECT_TRUE(engine_.inspect(id)->alive());
}

TEST_F(FakeEngineTest, SilentStreamsOfEventsReturn) {
  std::atomic<bool> subscribed = false;
  std::jthread follower(
      [&] { engine_.events([&] { subscribed = true; }, [](const EngineEvent&) {}, {}); });
  ASSERT_TRUE(eventually([&] { return subscribed.load(); }));
  engine_.end_silent_event_streams();
  follower.join();
}

TEST_F(FakeEngineTest, HeldCallsWaitAndAreCounted) {
  engine_.hold(Op::start);
  const std::string one = engine_.create(spec("one"));
  const std::string two = engine_.create(spec("two"));
  {
    const std::jthread first([&] { engine_.start(one); });
    const std::jthread second([&] { engine_.start(two); });
    ASSERT_TRUE(engine_.wait_until_held(Op::start, 2));
    EXPECT_FALSE(engine_.inspect(one)->alive());
    engine_.release(Op::start);
  }
  EXPECT_TRUE(engine_.inspect(one)->alive());
  EXPECT_TRUE(engine_.inspect(two)->alive());
  EXPECT_EQ(engine_.most_at_once(Op::start), 2);
  EXPECT_EQ(engine_.most_at_once(Op::create), 1);
}

TEST_F(FakeEngineTest, CallsAreLogged) {
  const std::string id = started("one");
  engine_.set_delay(Op::remove, Millis{1});
  engine_.stop(id, Millis{0});
  engine_.remove(id);
  std::vector<std::pair<Op, std::string>> calls;
  for (const auto& call : engine_.calls()) calls.emplace_back(call.op, call.subject);
  EXPECT_THAT(calls,
              ElementsAre(std::pair(Op::create, std::string("one")), std::pair(Op::start, id),
                          std::pair(Op::stop, id), std::pair(Op::remove, id)));
  engine_.clear_calls();
  EXPECT_THAT(engine_.calls(), IsEmpty());
}

TEST_F(FakeEngineTest, OthersMayRemoveWhatTheyLike) {
  engine_.create_network({"own", {}, true});
  ContainerSpec wanted = spec("one");
  wanted.network = "own";
  const std::string id = engine_.create(wanted);
  engine_.start(id);
  engine_.prune_networks();
  EXPECT_TRUE(engine_.inspect_network("own"));
  engine_.remove_by_hand(id);
  EXPECT_FALSE(engine_.inspect(id));
  engine_.prune_networks();
  EXPECT_FALSE(engine_.inspect_network("own"));
}

TEST_F(FakeEngineTest, AnotherDataRootIsHealthyAndEmpty) {
  started("one");
  engine_.create_network({"own", {}, true});
  engine_.forget_everything();
  EXPECT_THAT(engine_.list({}), IsEmpty());
  EXPECT_FALSE(engine_.inspect_network("own"));
}

TEST_F(FakeEngineTest, ManyAtOnceStaysConsistent) {
  std::vector<std::jthread> threads;
  threads.reserve(4);
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([this, thread] {
      for (int i = 0; i < 50; ++i) {
        const std::string id = started("c" + std::to_string(thread) + "-" + std::to_string(i));
        engine_.list({});
        engine_.stop(id, Millis{0});
        if (i % 2 == 0) engine_.remove(id);
      }
    });
  }
  threads.clear();
  EXPECT_EQ(engine_.containers().size(), 100U);
  EXPECT_EQ(engine_.count(Op::start), 200);
}

TEST(FakeClockTest, TimePassesStepsAndStartsAnew) {
  FakeClock clock;
  const Instant begin = clock.now();
  const Millis uptime = clock.since_boot();
  clock.advance(Millis{10});
  EXPECT_EQ(clock.now() - begin, Millis{10});
  EXPECT_EQ(clock.since_boot() - uptime, Millis{10});
  clock.set(begin - Millis{1'000});
  EXPECT_EQ(clock.since_boot() - uptime, Millis{10});
  clock.reboot(Millis{5'000});
  EXPECT_EQ(clock.now() - begin, Millis{4'000});
  EXPECT_EQ(clock.since_boot(), Millis{0});
}

}  // namespace
}  // namespace resmgr::engine
