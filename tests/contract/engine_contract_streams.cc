// What lasts: events and logs. And statistics.
#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "common/guarded.h"
#include "tests/contract/engine_contract.h"
#include "tests/support/eventually.h"

namespace resmgr::engine {
namespace {

using support::eventually;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

// Follows an engine's events on a thread of its own.
class Follower {
 public:
  explicit Follower(Engine& engine)
      : thread_([this, &engine](std::stop_token stop) {
          try {
            engine.events([this] { subscribed_ = true; },
                          [this](const EngineEvent& event) {
                            events_.with([&](auto& all) { all.push_back(event); });
                          },
                          std::move(stop));
          } catch (const Error& error) {
            failure_.with([&](auto& text) { text = error.message(); });
          }
          ended_ = true;
        }) {}

  bool wait_until_subscribed() {
    return eventually([this] { return subscribed_ || ended_; }) && subscribed_;
  }
  std::vector<EngineEvent> of(const std::string& id) {
    return events_.with([&](const auto& all) {
      std::vector<EngineEvent> mine;
      for (const EngineEvent& event : all) {
        if (event.container_id == id) mine.push_back(event);
      }
      return mine;
    });
  }
  std::vector<std::string> actions_of(const std::string& id) {
    std::vector<std::string> actions;
    for (const EngineEvent& event : of(id)) actions.push_back(event.action);
    return actions;
  }
  bool has(const std::string& id, const std::string& action) {
    const auto actions = actions_of(id);
    return std::find(actions.begin(), actions.end(), action) != actions.end();
  }
  bool stop_and_wait() {
    thread_.request_stop();
    return eventually([this] { return ended_.load(); });
  }
  std::string failure() {
    return failure_.with([](const auto& text) { return text; });
  }

 private:
  Guarded<std::vector<EngineEvent>> events_;
  Guarded<std::string> failure_;
  std::atomic<bool> subscribed_ = false;
  std::atomic<bool> ended_ = false;
  std::jthread thread_;  // last: it uses the others
};

TEST_P(EngineContract, EventsTellALifeInOrder) {
  Follower follower(engine());
  ASSERT_TRUE(follower.wait_until_subscribed()) << follower.failure();
  // Nothing between the subscription and the first act: a gap would show here.
  const ContainerSpec wanted = spec({.exit_code = 5});
  const std::string id = started(wanted);
  ASSERT_TRUE(eventually([&] { return follower.has(id, "die"); }));
  engine().remove(id);
  ASSERT_TRUE(eventually([&] { return follower.has(id, "destroy"); }));

  EXPECT_THAT(follower.actions_of(id), testing::ElementsAre("create", "start", "die", "destroy"));
  for (const EngineEvent& event : follower.of(id)) {
    EXPECT_EQ(event.name, wanted.name);
    ASSERT_TRUE(event.labels.contains(kLabelAgentId));
    EXPECT_EQ(event.labels.at(kLabelAgentId), harness().agent_id());
    EXPECT_GT(to_millis(event.time), 0);
    if (event.action == "die") {
      EXPECT_EQ(event.exit_code, 5);
    } else {
      EXPECT_FALSE(event.exit_code);
    }
  }
  EXPECT_TRUE(follower.stop_and_wait());
  EXPECT_THAT(follower.failure(), IsEmpty());
}

TEST_P(EngineContract, EventsEndWhenAsked) {
  Follower follower(engine());
  ASSERT_TRUE(follower.wait_until_subscribed()) << follower.failure();
  EXPECT_TRUE(follower.stop_and_wait());
  EXPECT_THAT(follower.failure(), IsEmpty());
}

TEST_P(EngineContract, EventsGoToEverySubscriber) {
  Follower one(engine());
  Follower two(engine());
  ASSERT_TRUE(one.wait_until_subscribed()) << one.failure();
  ASSERT_TRUE(two.wait_until_subscribed()) << two.failure();
  const std::string id = engine().create(spec());
  EXPECT_TRUE(eventually([&] { return one.has(id, "create") && two.has(id, "create"); }));
}

TEST_P(EngineContract, LogsHoldBothStreams) {
  const std::string id = started(spec({.output = "out\n", .errors = "err\n", .exit_code = 0}));
  ASSERT_TRUE(eventually([&] { return has_ended(id); }));
  EXPECT_THAT(output_of(id), AllOf(HasSubstr("out\n"), HasSubstr("err\n")));
}

TEST_P(EngineContract, LogsAreInOrderAndComplete) {
  std::string printed;
  for (int i = 0; i < 2'000; ++i) printed += "line " + std::to_string(i) + "\n";
  const std::string id = started(spec({.output = printed, .exit_code = 0}));
  ASSERT_TRUE(eventually([&] { return has_ended(id); }));
  EXPECT_EQ(output_of(id), printed);
  EXPECT_EQ(output_of(id, {.tail = 2}), "line 1998\nline 1999\n");
  EXPECT_EQ(output_of(id, {.tail = 0}), "");
}

TEST_P(EngineContract, LogsBeginWhereAsked) {
  const std::string id = started(spec({.output = "printed\n", .exit_code = 0}));
  ASSERT_TRUE(eventually([&] { return has_ended(id); }));
  const Instant started_at = *state_of(id).started_at;
  EXPECT_EQ(output_of(id, {.since = started_at - Millis{60'000}}), "printed\n");
  EXPECT_EQ(output_of(id, {.since = started_at + Millis{60'000}}), "");
}

TEST_P(EngineContract, LogsOfOneThatNeverStartedAreEmpty) {
  const std::string id = engine().create(spec());
  EXPECT_EQ(output_of(id), "");
  EXPECT_EQ(output_of(id, {.follow = true}), "");
}

TEST_P(EngineContract, LogsOfAGoneContainerAreNotFound) {
  EXPECT_EQ(error_of([&] { output_of(unique_name()); }).kind(), ErrorKind::not_found);
}

TEST_P(EngineContract, FollowedLogsComeAsTheyArePrintedAndEndWithTheContainer) {
  const std::string id = started(spec({.output = "first\n"}));
  Guarded<std::string> text;
  const auto holds = [&](const char* part) {
    return text.with([&](const auto& all) { return all.find(part) != std::string::npos; });
  };
  std::atomic<bool> ended = false;
  std::jthread reader([&] {
    engine().logs(id, {.follow = true},
                  [&](std::string_view bytes) {
                    text.with([&](auto& all) { all += bytes; });
                    return true;
                  },
                  {});
    ended = true;
  });
  ASSERT_TRUE(eventually([&] { return holds("first\n"); }));
  harness().print(id, "second");
  EXPECT_TRUE(eventually([&] { return holds("second\n"); }));
  EXPECT_FALSE(ended);
  engine().stop(id, Millis{1'000});
  EXPECT_TRUE(eventually([&] { return ended.load(); }));
}

TEST_P(EngineContract, FollowedLogsEndWhenAsked) {
  const std::string id = started(spec({.output = "first\n"}));
  std::atomic<bool> heard = false;
  std::atomic<bool> ended = false;
  std::jthread reader([&](const std::stop_token& stop) {
    engine().logs(
        id, {.follow = true}, [&](std::string_view) { return heard = true; }, stop);
    ended = true;
  });
  ASSERT_TRUE(eventually([&] { return heard.load(); }));
  reader.request_stop();
  EXPECT_TRUE(eventually([&] { return ended.load(); }));
}

TEST_P(EngineContract, FollowedLogsEndWhenTheReaderHasEnough) {
  const std::string id = started(spec({.output = "one\ntwo\nthree\n"}));
  int pieces = 0;
  engine().logs(id, {.follow = true}, [&](std::string_view) { return ++pieces < 1; }, {});
  EXPECT_EQ(pieces, 1);
}

TEST_P(EngineContract, WhatAReaderThrowsPassesThrough) {
  struct Unreadable {};
  const std::string id = started(spec({.output = "one\n"}));
  EXPECT_THROW(
      engine().logs(id, {.follow = true}, [](std::string_view) -> bool { throw Unreadable(); }, {}),
      Unreadable);
}

TEST_P(EngineContract, OnlyWhatRunsHasStatistics) {
  EXPECT_FALSE(engine().stats(unique_name()));
  const std::string id = engine().create(spec());
  EXPECT_FALSE(engine().stats(id));
  engine().start(id);
  const auto stats = engine().stats(id);
  ASSERT_TRUE(stats);
  EXPECT_GE(stats->cpu_time.count(), 0);
  EXPECT_GT(stats->memory_bytes, 0);
  EXPECT_GE(stats->peak_memory_bytes, stats->memory_bytes);
  engine().stop(id, Millis{1'000});
  EXPECT_FALSE(engine().stats(id));
}

}  // namespace
}  // namespace resmgr::engine
