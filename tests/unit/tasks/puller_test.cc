#include "agent/tasks/puller.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>

#include "tests/fakes/fake_clock.h"
#include "tests/fakes/fake_engine.h"
#include "tests/support/eventually.h"

namespace resmgr::tasks {
namespace {

using engine::Op;
using support::eventually;

class PullerTest : public testing::Test {
 protected:
  Puller::Done count(std::atomic<int>& good, std::atomic<int>& bad) {
    return [&](const std::optional<Error>& error) { ++(error ? bad : good); };
  }

  FakeClock clock_;
  engine::FakeEngine engine_{clock_};
  std::atomic<int> good_{0};
  std::atomic<int> bad_{0};
  Puller puller_{engine_};
};

TEST_F(PullerTest, OnePullServesAllWhoWaitForAnImage) {
  engine_.add_pullable("web:1");
  engine_.hold(Op::pull);
  for (int i = 0; i < 3; ++i) puller_.pull("web:1", count(good_, bad_));
  ASSERT_TRUE(engine_.wait_until_held(Op::pull));
  puller_.pull("web:1", count(good_, bad_));
  engine_.release(Op::pull);
  EXPECT_TRUE(eventually([&] { return good_ == 4; }));
  EXPECT_EQ(engine_.count(Op::pull), 1);
  EXPECT_EQ(bad_, 0);
}

TEST_F(PullerTest, ImagesDoNotWaitForOneAnother) {
  engine_.add_pullable("web:1");
  engine_.add_pullable("web:2");
  engine_.hold(Op::pull);
  puller_.pull("web:1", count(good_, bad_));
  puller_.pull("web:2", count(good_, bad_));
  EXPECT_TRUE(engine_.wait_until_held(Op::pull, 2));
  engine_.release(Op::pull);
  EXPECT_TRUE(eventually([&] { return good_ == 2; }));
}

TEST_F(PullerTest, AFailureReachesAllWhoWaited) {
  engine_.hold(Op::pull);
  for (int i = 0; i < 2; ++i) puller_.pull("web:1", count(good_, bad_));
  engine_.release(Op::pull);
  EXPECT_TRUE(eventually([&] { return bad_ == 2; }));
  // The next one asks anew.
  engine_.add_pullable("web:1");
  EXPECT_TRUE(eventually([&] {
    puller_.pull("web:1", count(good_, bad_));
    return good_ > 0;
  }));
}

TEST_F(PullerTest, TellsHowFarAPullHasCome) {
  EXPECT_FALSE(puller_.progress("web:1"));
  engine_.add_pullable("web:1");
  engine_.hold(Op::pull);
  engine_.set_pull_progress({});
  puller_.pull("web:1", count(good_, bad_));
  ASSERT_TRUE(engine_.wait_until_held(Op::pull));
  EXPECT_FALSE(puller_.progress("web:1")) << "nothing was told yet";

  engine_.add_pullable("web:2");
  engine_.set_pull_progress({{0, 0, "Pulling from library/web"}});
  puller_.pull("web:2", count(good_, bad_));
  ASSERT_TRUE(engine_.wait_until_held(Op::pull, 2));
  auto state = puller_.progress("web:2").value();
  EXPECT_EQ(state.done_bytes, 0);
  EXPECT_FALSE(state.total_bytes);
  EXPECT_EQ(state.status, "Pulling from library/web");
  EXPECT_FALSE(puller_.progress("web:1"));

  engine_.release(Op::pull);
  EXPECT_TRUE(eventually([&] { return good_ == 2; }));
  EXPECT_FALSE(puller_.progress("web:2")) << "it has ended";
}

TEST_F(PullerTest, ProgressNeverShrinks) {
  engine_.add_pullable("web:1");
  engine_.hold(Op::pull);
  engine_.set_pull_progress(
      {{10, 100, "Downloading"}, {30, 200, "Downloading"}, {20, 150, ""}, {0, 0, "Extracting"}});
  puller_.pull("web:1", count(good_, bad_));
  ASSERT_TRUE(engine_.wait_until_held(Op::pull));
  const auto state = puller_.progress("web:1").value();
  EXPECT_EQ(state.done_bytes, 30);
  EXPECT_EQ(state.total_bytes, 200);
  EXPECT_EQ(state.status, "Extracting");
  engine_.release(Op::pull);
}

TEST_F(PullerTest, StopEndsThePullsThatRun) {
  engine_.add_pullable("web:1");
  engine_.hold(Op::pull);
  puller_.pull("web:1", count(good_, bad_));
  ASSERT_TRUE(engine_.wait_until_held(Op::pull));
  engine_.release(Op::pull);
  puller_.stop();
  EXPECT_EQ(good_ + bad_, 1);
}

}  // namespace
}  // namespace resmgr::tasks
