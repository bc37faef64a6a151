#include "tests/fakes/fake_sink.h"
#include "tests/unit/api/routes_world.h"

namespace resmgr::api {
namespace {

class SinkRoutesTest : public RoutesTest {
 protected:
  void SetUp() override {
    RoutesTest::SetUp();
    pumps_.emplace(sinks::PumpOptions{.backoff_min = std::chrono::hours(1),
                                      .backoff_max = std::chrono::hours(1)},
                   world_.journal, world_.clock);
    pumps_->add(std::make_unique<sinks::FakeSink>(destination_));
    sinks_ = &*pumps_;
    server_.reset();
    start_server();
  }
  void TearDown() override {
    RoutesTest::TearDown();
    pumps_.reset();
  }
  RawAnswer post_to(const std::string& action, const std::string& headers = admin()) const {
    return ask("POST /api/sinks/" + action + " HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n" +
               headers + "\r\n");
  }
  Json sink() const { return ask_get("/api/host", admin()).json()["sinks"].at(0); }

  sinks::FakeDestination destination_;
  std::optional<sinks::Pumps> pumps_;
};

TEST_F(SinkRoutesTest, HostTellsHowEachSinkDoes) {
  destination_.set_answer([](const sinks::Batch&) { return sinks::Outcome::retry("it is away"); });
  pumps_->run();
  started();
  ASSERT_TRUE(support::eventually([&] { return sink()["state"] == "failing"; }));
  Json down = sink();
  EXPECT_EQ(down["name"], "fake");
  EXPECT_GE(down["lagEvents"], 1);
  EXPECT_EQ(down["lastError"], "it is away");
  EXPECT_EQ(down["lastSuccess"], Json());
  EXPECT_EQ(down["deadLetters"], 0);
  EXPECT_EQ(down["pinsAfter"], 0);

  destination_.set_answer(nullptr);
  EXPECT_EQ(post_to("fake/sync").status, 200);
  ASSERT_TRUE(support::eventually([&] { return sink()["state"] == "current"; }));
  EXPECT_EQ(sink()["lagEvents"], 0);
  EXPECT_EQ(sink()["lastError"], Json());
  EXPECT_TRUE(sink()["lastSuccess"].is_string());
}

TEST_F(SinkRoutesTest, DeadLettersAreShownAndTriedAgain) {
  destination_.set_poison(
      [](const sinks::Message& message) { return message.type == "task.created"; });
  pumps_->run();
  const auto first = started();
  const auto second = started(bob());
  ASSERT_TRUE(support::eventually([&] { return sink()["deadLetters"] == 2; }));
  const RawAnswer page = ask_get("/api/sinks/fake/dead-letters?limit=1", admin());
  ASSERT_EQ(page.json().size(), 1u);
  const Json letter = page.json()[0];
  EXPECT_EQ(letter["taskId"], first);
  EXPECT_EQ(letter["type"], "task.created");
  EXPECT_EQ(letter["reason"], "poison");
  EXPECT_EQ(letter["attempts"], 1);
  EXPECT_EQ(letter["retrying"], false);
  EXPECT_NE(letter["payload"].get<std::string>().find(first), std::string::npos);
  const std::string after = std::to_string(letter["seq"].get<std::int64_t>());
  EXPECT_NE(page.header("link").find("limit=1&after=" + after), std::string::npos);
  EXPECT_EQ(ask_get("/api/sinks/fake/dead-letters?after=" + after, admin()).json()[0]["taskId"],
            second);

  destination_.set_poison(nullptr);
  const RawAnswer retry = post_to("fake/retry");
  EXPECT_EQ(retry.status, 200);
  EXPECT_EQ(retry.json()["retrying"], 2);
  EXPECT_TRUE(support::eventually([&] { return sink()["deadLetters"] == 0; }));
}

TEST_F(SinkRoutesTest, AreForAdminsAndForSinksThatThereAre) {
  pumps_->run();
  for (const char* const action : {"sync", "retry"}) {
    EXPECT_EQ(post_to(std::string("fake/") + action, alice()).status, 403);
    EXPECT_EQ(post_to(std::string("other/") + action).status, 404);
  }
  EXPECT_EQ(ask_get("/api/sinks/fake/dead-letters", alice()).status, 403);
  EXPECT_EQ(ask_get("/api/sinks/other/dead-letters", admin()).status, 404);
  EXPECT_EQ(ask_get("/api/sinks/fake/dead-letters?limit=0", admin()).status, 400);
}

}  // namespace
}  // namespace resmgr::api
