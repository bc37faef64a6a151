#include "agent/sinks/blockchain_sink.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <set>

#include "common/crypto.h"
#include "common/json.h"
#include "tests/contract/journal_host.h"
#include "tests/fakes/fake_http_service.h"

namespace resmgr::sinks {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr char kReceipt[] = R"({ "data": {"txHash":"0xabc", "blockNumber": 7} })";

class FakeProfiles final : public identity::UserProfiles {
 public:
  std::optional<identity::UserProfile> profile_of(const std::string& user_id) override {
    asked.push_back(user_id);
    return profile;
  }
  std::optional<identity::UserProfile> known(const std::string& /*user_id*/) override {
    return profile;
  }
  std::optional<identity::UserProfile> profile;
  std::vector<std::string> asked;
};

class BlockchainSinkTest : public testing::Test {
 protected:
  BlockchainSinkTest() { service_.answer(201, kReceipt); }
  static BlockchainOptions options() {
    BlockchainOptions options;
    options.destination.section = "blockchain";
    options.destination.url = "http://chain.example.org/api/metrics?kind=usage";
    return options;
  }
  std::unique_ptr<BlockchainSink> make_sink() {
    return std::make_unique<BlockchainSink>(options_, *host_.journal, host_.clock, &profiles_,
                                            billed_before_, service_.client());
  }
  journal::TaskRow run_and_end() {
    auto row = host_.run();
    host_.end(row);
    return row;
  }
  std::vector<journal::Receipt> receipts(const journal::TaskRow& row) const {
    return host_.journal->reading(
        [&](journal::Reader& reader) { return reader.cursors().receipts_of(row.task.task_id); });
  }
  std::vector<journal::Post> posts(const journal::TaskRow& row) const {
    return host_.journal->reading(
        [&](journal::Reader& reader) { return reader.cursors().posts_of(row.task.task_id); });
  }
  std::vector<journal::DeadLetter> letters() const { return host_.pump->letters(0, 1'000); }
  std::vector<std::string> keys() const {
    std::vector<std::string> keys;
    for (const auto& request : service_.requests())
      keys.push_back(header(request, "Idempotency-Key"));
    return keys;
  }
  static std::string header(const HttpRequest& request, std::string_view name) {
    HttpResponse holder;
    holder.headers = request.headers;
    return std::string(holder.header(name));
  }
  // As the retention does, while the sink is away for too long.
  void prune_all_events() {
    host_.journal->transact([&](journal::Transaction& transaction) {
      transaction.prune_events(host_.journal->head());
    });
  }

  BlockchainOptions options_ = options();
  FakeHttpService service_;
  FakeProfiles profiles_;
  BilledBefore billed_before_;
  JournalHost host_{"here", [this] { return make_sink(); }};
};

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
  options_.timeout = Millis{50};
  host_.make_pump();
  service_.hang();
  const auto row = run_and_end();
  EXPECT_NE(host_.settle(), std::nullopt);
  EXPECT_EQ(host_.status().state, SinkState::failing);
  EXPECT_THAT(host_.cause(), HasSubstr("50ms"));
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
  const Message message{1, {}, event_type::kEnded, row.task.task_id, sink->payload(event)};
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

// Hazard 31: of a task that had ended already when the journal was restored, another record may
// stand there.
TEST_F(BlockchainSinkTest, HoldsWhatMayHaveBeenPostedBeforeARestore) {
  std::vector<journal::TaskRow> before;
  for (int i = 0; i < 25; ++i) before.push_back(host_.run());
  const auto posted = run_and_end();
  auto goes_on = host_.run();
  ASSERT_TRUE(host_.deliver_all());
  host_.clock.advance(Millis{60'000});
  const Instant restored = host_.clock.now();
  host_.journal->transact([&](journal::Transaction& transaction) {
    transaction.append(event_type::kJournalRestored, restored, "{}");
  });
  host_.clock.advance(Millis{60'000});
  for (auto& row : before) host_.record_end(row, restored);
  host_.record_end(goes_on, restored + Millis{1});
  auto later = host_.run();
  host_.end(later);
  ASSERT_TRUE(host_.deliver_all()) << host_.cause();
  EXPECT_THAT(keys(),
              ElementsAre(posted.task.usage_hash, goes_on.task.usage_hash, later.task.usage_hash));
  // However many they are, they say nothing of the service.
  ASSERT_THAT(letters(), SizeIs(25));
  EXPECT_THAT(letters()[0].reason, StartsWith("may have been posted"));
  EXPECT_EQ(host_.status().state, SinkState::current);
  // Somebody looked.
  host_.pump->retry();
  ASSERT_TRUE(host_.deliver_all());
  EXPECT_THAT(letters(), IsEmpty());
  EXPECT_THAT(service_.requests(), SizeIs(28));
}

// Hazard 31: the record that was made before the restore is known by its hash, and is the bill.
TEST_F(BlockchainSinkTest, AdoptsWhatIsKnownToHaveBeenBilledBeforeARestore) {
  auto known = host_.run();
  auto unknown = host_.run();
  billed_before_ = [id = known.task.task_id](const std::string& task_id) {
    return task_id == id ? std::optional(std::string(64, 'b')) : std::nullopt;
  };
  host_.make_pump();
  const Instant restored = host_.clock.now();
  host_.journal->transact([&](journal::Transaction& transaction) {
    transaction.append(event_type::kJournalRestored, restored, "{}");
  });
  host_.record_end(known, restored);
  host_.record_end(unknown, restored);
  ASSERT_TRUE(host_.deliver_all()) << host_.cause();
  EXPECT_THAT(service_.requests(), IsEmpty());
  EXPECT_THAT(letters(), SizeIs(1));
  ASSERT_THAT(receipts(known), SizeIs(1));
  EXPECT_EQ(receipts(known)[0].body, R"({"adoptedUsageHash":")" + std::string(64, 'b') + R"("})");
}

// Hazard 33.
TEST_F(BlockchainSinkTest, GetsTheRecordsWhoseEventsWerePruned) {
  service_.answer(503, "");
  std::vector<std::string> hashes;
  for (int i = 0; i < 5; ++i) hashes.push_back(run_and_end().task.usage_hash);
  EXPECT_NE(host_.settle(), std::nullopt);
  prune_all_events();
  service_.set_answer([&](const HttpRequest& request) -> std::optional<HttpResponse> {
    if (header(request, "Idempotency-Key") == hashes[3]) return HttpResponse{400, {}, "no"};
    return HttpResponse{200, {}, "{}"};
  });
  hashes.push_back(run_and_end().task.usage_hash);
  ASSERT_TRUE(host_.deliver_all()) << host_.cause();
  auto asked = keys();
  asked.erase(asked.begin());  // the one that was answered 503
  EXPECT_EQ(asked, hashes);
  ASSERT_THAT(letters(), SizeIs(1));
  host_.restart();
  ASSERT_TRUE(host_.deliver_all());
  EXPECT_THAT(keys(), SizeIs(7));
  EXPECT_EQ(host_.status().lag_events, 0);
}

TEST_F(BlockchainSinkTest, HoldsARecordThatWasChanged) {
  const auto row = run_and_end();
  SQLite::Database(host_.file(), SQLite::OPEN_READWRITE)
      .exec("UPDATE usage_records SET record = replace(record, '\"cpuMs\":0', '\"cpuMs\":1')");
  ASSERT_TRUE(host_.deliver_all());
  EXPECT_THAT(service_.requests(), IsEmpty());
  ASSERT_THAT(letters(), SizeIs(1));
  EXPECT_THAT(letters()[0].reason, HasSubstr("hash"));
}

}  // namespace
}  // namespace resmgr::sinks
