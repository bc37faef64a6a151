// The sampler alone, with services that answer as the test says.

#include "agent/tasks/sampler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "common/event.h"
#include "tests/unit/tasks/world.h"

namespace resmgr::tasks {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::Not;

constexpr Millis kInterval = 10min;

class SamplerTest : public testing::Test {
 protected:
  SamplerTest() : session(world.options.agent_id, world.engine, world.journal) {
    world.options.sample_interval = kInterval;
    world.set_catalog(R"(
      name = "web"
      title = "Web"
      image = "web:1"
      container_port = 8080
      probe = "none"
      [idle]
      timeout = "2h"
      warn = "30m"
      probe = "jupyter"
    )");
    world.boot();
    session.establish();
    watch.emplace(IdleWatch::Parts{world.journal, world.clock, kInterval,
                                   [this] { return world.catalog; },
                                   [](const std::string&, const std::string&) {}});
    sampler.emplace(Sampler::Parts{kInterval, world.journal, world.engine, world.clock, session,
                                   *watch, [this](const Task& task, std::stop_token stop) {
                                     ++asked;
                                     return answer(task, std::move(stop));
                                   }});
  }

  JupyterLook jupyter(int busy_kernels) const {
    JupyterLook look;
    look.answered = true;
    look.kernels = 1;
    look.busy_kernels = busy_kernels;
    look.last_activity = begun;
    return look;
  }

  void pass(Millis time) {
    for (Millis passed{0}; passed < time; passed += kInterval) {
      world.clock.advance(kInterval);
      sampler->step();
    }
  }
  bool runs(const std::string& id) const { return world.row(id).phase == journal::Phase::ready; }
  std::optional<journal::UsageSample> sample_of(const std::string& id) const {
    return world.journal.reading([&](journal::Reader& reader) { return reader.activity(id); })
        .sample;
  }

  World world;
  const Instant begun = world.clock.now();
  EngineSession session;
  std::function<JupyterLook(const Task&, std::stop_token)> answer =
      [this](const Task&, std::stop_token) { return jupyter(0); };
  std::atomic<int> asked{0};
  std::optional<IdleWatch> watch;
  std::optional<Sampler> sampler;
};

TEST_F(SamplerTest, AKernelThatComputesIsUseWhateverElseIsQuiet) {
  const auto id = world.run().task.task_id;
  answer = [this](const Task&, std::stop_token) { return jupyter(1); };
  pass(100h);
  EXPECT_TRUE(runs(id));
  answer = [this](const Task&, std::stop_token) { return jupyter(0); };
  pass(3h);
  EXPECT_FALSE(runs(id));
  EXPECT_THAT(world.event_types(id), Contains(event_type::kIdleWarning));
}

// Unknown is never idle.
TEST_F(SamplerTest, AServiceThatDoesNotAnswerIsNeverIdle) {
  const auto id = world.run().task.task_id;
  answer = [](const Task&, std::stop_token) -> JupyterLook {
    throw Error(ErrorKind::unavailable, "no answer");
  };
  pass(100h);
  EXPECT_TRUE(runs(id));
  EXPECT_THAT(world.event_types(id), Not(Contains(event_type::kIdleWarning)));
}

TEST_F(SamplerTest, AServiceThatHangsDelaysNobody) {
  const auto hanging = world.run(kAlice).task.task_id;
  const auto quick = world.run(kBob).task.task_id;
  std::promise<void> end;
  const auto ended = end.get_future().share();
  std::atomic<int> hangs{0};
  answer = [&](const Task& task, std::stop_token) {
    if (task.task_id == hanging) {
      ++hangs;
      ended.wait();
    }
    return jupyter(0);
  };
  world.engine.set_stats(world.name(quick), {Millis{7}, 0, 1, 2, 3});
  pass(3 * kInterval);
  EXPECT_EQ(hangs, 1);  // and is not asked again before it answered
  EXPECT_EQ(asked - hangs, 3);
  EXPECT_EQ(sample_of(quick)->cpu_ms, 7);
  EXPECT_TRUE(sample_of(hanging));
  end.set_value();
  sampler->stop();
}

TEST_F(SamplerTest, StoppingEndsALookThatHangs) {
  world.run();
  std::atomic<bool> told{false};
  answer = [&](const Task&, const std::stop_token& stop) {
    while (!stop.stop_requested()) std::this_thread::yield();
    told = true;
    return jupyter(0);
  };
  pass(kInterval);
  sampler->stop();
  EXPECT_TRUE(told);
}

TEST_F(SamplerTest, OneTransactionWritesWhatAllTasksUse) {
  std::vector<std::string> ids;
  for (int i = 0; i < 20; ++i) ids.push_back(world.run().task.task_id);
  const auto before = world.journal.statistics().transactions;
  const auto head = world.journal.head();
  pass(kInterval);
  EXPECT_EQ(world.journal.statistics().transactions, before + 1);
  EXPECT_EQ(world.journal.head(), head);
  for (const auto& id : ids) EXPECT_TRUE(sample_of(id)) << id;
}

TEST_F(SamplerTest, OnlyRunningTasksAreLookedAt) {
  const auto id = world.run().task.task_id;
  world.service->stop(id, "user", kAlice);
  world.wait_ended(id);
  const int before = world.engine.count(engine::Op::stats);
  pass(kInterval);
  EXPECT_EQ(world.engine.count(engine::Op::stats), before);
  EXPECT_EQ(asked, 0);
}

TEST_F(SamplerTest, AServiceWithoutATimeoutIsNotAsked) {
  world.set_catalog(R"(
    name = "web"
    title = "Web"
    image = "web:1"
    container_port = 8080
    probe = "none"
    [idle]
    probe = "jupyter"
  )");
  const auto id = world.run().task.task_id;
  pass(3 * kInterval);
  EXPECT_EQ(asked, 0);
  EXPECT_TRUE(sample_of(id));
}

// What the agent asks moves bytes, and is no use.
TEST_F(SamplerTest, ItsOwnTrafficIsNoUse) {
  const auto id = world.run().task.task_id;
  engine::Stats stats;
  answer = [&](const Task&, std::stop_token) {
    stats.network_rx_bytes += 5'000;
    world.engine.set_stats(world.name(id), stats);
    JupyterLook look = jupyter(0);
    look.traffic_bytes = 5'000;
    return look;
  };
  pass(3h);
  EXPECT_FALSE(runs(id));
}

TEST_F(SamplerTest, ItRunsByItself) {
  sampler.emplace(Sampler::Parts{Millis{1}, world.journal, world.engine, world.clock, session,
                                 *watch, [this](const Task&, std::stop_token) {
                                   ++asked;
                                   return jupyter(0);
                                 }});
  sampler->run();
  const auto id = world.run().task.task_id;
  EXPECT_TRUE(support::eventually([&] { return sample_of(id) && asked > 3; }));
}

}  // namespace
}  // namespace resmgr::tasks
