#include "agent/sinks/blockchain_sink.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <set>

#include "common/crypto.h"
#include "common/json.h"
#include "tests/support/sink_payload.h"
#include "tests/unit/sinks/blockchain_fixture.h"

namespace resmgr::sinks {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

TEST_F(BlockchainSinkTest, PostsTheRecordOfEachTaskThatRanUnderItsHash) {
  host_.fail();
  const auto running = host_.run();
  const auto row = run_and_end();
  ASSERT_TRUE(host_.deliver_all()) << host_.cause();
  ASSERT_THAT(service_.requests(), SizeIs(1));
  const HttpRequest post = service_.requests().front();
  EXPECT_EQ(post.method + " " + post.target, "POST /api/metrics?kind=usage");
  EXPECT_EQ(post.content_type, "application/json");
  EXPECT_EQ(header(post, "Idempotency-Key"), row.task.usage_hash);
  EXPECT_EQ(header(post, "Authorization"), "");
  const Json body = parse_json(post.body, "post");
  EXPECT_EQ(body["usageHash"], row.task.usage_hash);
  EXPECT_EQ(body["record"]["taskId"], row.task.task_id);
  // The record's bytes are the ones that were hashed.
  const auto begin = post.body.find("\"record\":") + 9;
  const auto end = post.body.find(",\"containerId\"", begin);
  EXPECT_EQ(sha256_hex(post.body.substr(begin, end - begin)), row.task.usage_hash);
  // What came is kept as it came, and what was posted too.
  ASSERT_THAT(receipts(row), SizeIs(1));
  EXPECT_EQ(receipts(row)[0].body, kReceipt);
  EXPECT_EQ(receipts(row)[0].sink, "blockchain");
  ASSERT_THAT(posts(row), SizeIs(1));
  EXPECT_EQ(posts(row)[0].body, post.body);
  host_.restart();
  ASSERT_TRUE(host_.deliver_all());
  EXPECT_THAT(service_.requests(), SizeIs(1));
}

TEST_F(BlockchainSinkTest, SendsItsTokenAndNeverShowsIt) {
  options_.destination.secret = Secret::of("s3cret-token");
  host_.make_pump();
  service_.answer(503, "who is 's3cret-token'?\n");
  const auto row = run_and_end();
  EXPECT_NE(host_.settle(), std::nullopt);
  EXPECT_EQ(header(service_.requests().front(), "Authorization"), "Bearer s3cret-token");
  EXPECT_THAT(host_.cause(), AllOf(HasSubstr("503"), Not(HasSubstr("s3cret"))));
  EXPECT_THAT(posts(row)[0].body, Not(HasSubstr("s3cret")));
}

TEST_F(BlockchainSinkTest, AsksForTheUsersName) {
  profiles_.profile = identity::UserProfile{"ada@example.org", "Ada"};
  const auto row = run_and_end();
  ASSERT_TRUE(host_.deliver_all());
  EXPECT_THAT(profiles_.asked, ElementsAre(row.task.user_id));
  EXPECT_THAT(service_.requests()[0].body, HasSubstr(R"("user_email":"ada@example.org")"));
}

// Hazard 35: what is in doubt is repeated under the same key, and byte for byte, also by the next
// process and though the user's name is known by then.
TEST_F(BlockchainSinkTest, RepeatsTheSameBytesUnderTheSameKey) {
  const auto row = run_and_end();
  const auto lose = [](const HttpRequest&) -> std::optional<HttpResponse> {
    throw Error(ErrorKind::unavailable, "cannot get answer: the connection was closed");
  };
  service_.set_answer(lose);
  EXPECT_NE(host_.settle(), std::nullopt);
  profiles_.profile = identity::UserProfile{"ada@example.org", "Ada"};
  EXPECT_NE(host_.settle(), std::nullopt);
  host_.restart();
  service_.answer(500, "");
  EXPECT_NE(host_.settle(), std::nullopt);
  service_.answer(200, kReceipt);
  ASSERT_TRUE(host_.deliver_all());
  const auto requests = service_.requests();
  ASSERT_THAT(requests, SizeIs(4));
  std::set<std::string> bodies;
  for (const auto& request : requests) bodies.insert(request.body);
  EXPECT_THAT(bodies, SizeIs(1));
  EXPECT_THAT(keys(), Each(row.task.usage_hash));
  EXPECT_THAT(receipts(row), SizeIs(1));
}

// Hazard 35: an answer after the limit is none.
TEST_F(BlockchainSinkTest, WaitsNoLongerThanItsLimit) {
  // The answer that comes at last must be in time, however busy the machine is.
  options_.timeout = Millis{900};
  host_.make_pump();
  service_.hang();
  const auto row = run_and_end();
  EXPECT_NE(host_.settle(), std::nullopt);
  EXPECT_EQ(host_.status().state, SinkState::failing);
  EXPECT_THAT(host_.cause(), HasSubstr("900ms"));
  service_.answer(409, R"({"error":"known already"})");
  ASSERT_TRUE(host_.deliver_all());
  EXPECT_THAT(keys(), ElementsAre(row.task.usage_hash, row.task.usage_hash));
  EXPECT_EQ(receipts(row).at(0).body, R"({"error":"known already"})");
}

TEST_F(BlockchainSinkTest, ACallThatHangsEndsWhenItIsInterrupted) {
  service_.hang();
  const auto row = run_and_end();
  const auto sink = make_sink();
  Event event;
  event.task_id = row.task.task_id;
  const Message message{1, {}, event_type::kEnded, row.task.task_id, payload_of(*sink, event)};
  auto call = std::async(std::launch::async, [&] {
    try {
      return sink->deliver({{&message, 1}, {}, {}}).kind;
    } catch (const Error&) {
      return Outcome::Kind::retry;
    }
  });
  EXPECT_EQ(call.wait_for(std::chrono::milliseconds(100)), std::future_status::timeout);
  sink->interrupt();
  EXPECT_EQ(call.get(), Outcome::Kind::retry);  // would wait for half a minute
}

TEST_F(BlockchainSinkTest, TakesAnyJsonForAReceiptAndNothingElse) {
  for (const char* body : {"", "<html>signed out</html>", R"({"cut)"}) {
    service_.answer(200, body);
    run_and_end();
    EXPECT_NE(host_.settle(), std::nullopt) << body;
    EXPECT_EQ(host_.status().state, SinkState::failing) << body;
    service_.answer(200, "null");
    ASSERT_TRUE(host_.deliver_all()) << body;
  }
  // A conflict counts with a body alone.
  const auto row = run_and_end();
  service_.answer(409, "");
  EXPECT_NE(host_.settle(), std::nullopt);
  service_.answer(409, "it is known");
  ASSERT_TRUE(host_.deliver_all());
  EXPECT_EQ(receipts(row).at(0).body, "it is known");
  EXPECT_THAT(letters(), IsEmpty());
}

// Hazard 32.
TEST_F(BlockchainSinkTest, SetsAsideWhatIsRefusedForGood) {
  for (const int status : {400, 413, 422}) {
    service_.answer(status, R"({"error":"no such user"})");
    const auto bad = run_and_end();
    ASSERT_TRUE(host_.deliver_all());
    service_.answer(201, kReceipt);
    const auto good = run_and_end();
    ASSERT_TRUE(host_.deliver_all());
    EXPECT_THAT(receipts(good), SizeIs(1));
    ASSERT_THAT(letters(), SizeIs(1));
    EXPECT_EQ(letters()[0].task_id, bad.task.task_id);
    EXPECT_THAT(letters()[0].reason,
                AllOf(HasSubstr(std::to_string(status)), HasSubstr("no such user")));
    EXPECT_THAT(letters()[0].payload, HasSubstr(bad.task.usage_hash));
    // It had no effect, so that it may be said otherwise now; the key is the same.
    profiles_.profile = identity::UserProfile{"ada@example.org", "Ada"};
    host_.pump->retry();
    ASSERT_TRUE(host_.deliver_all());
    EXPECT_THAT(letters(), IsEmpty());
    EXPECT_EQ(keys().back(), bad.task.usage_hash);
    EXPECT_THAT(service_.requests().back().body, HasSubstr("ada@example.org"));
    EXPECT_THAT(receipts(bad), SizeIs(1));
    profiles_.profile.reset();
  }
}

TEST_F(BlockchainSinkTest, KeepsEverythingForOneThatLetsNobodyIn) {
  const auto row = run_and_end();
  for (const auto& [status, word] : std::vector<std::pair<int, std::string>>{
           {401, "token_file"}, {403, "token_file"}, {404, "url"}, {405, "url"}, {301, "url"}}) {
    service_.answer(status, "no");
    EXPECT_NE(host_.settle(), std::nullopt);
    EXPECT_EQ(host_.status().state, SinkState::refusing) << status;
    EXPECT_THAT(host_.status().hint, HasSubstr(word)) << status;
  }
  service_.answer(503, "", {{"Retry-After", "7"}});
  EXPECT_GE(host_.settle().value_or(Millis{0}), Millis{7'000});
  EXPECT_THAT(letters(), IsEmpty());
  service_.answer(201, kReceipt);
  ASSERT_TRUE(host_.deliver_all());
  EXPECT_THAT(receipts(row), SizeIs(1));
}

}  // namespace
}  // namespace resmgr::sinks
