// GET /api/live.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <random>
#include <vector>

#include "agent/api/live_feed.h"
#include "common/ids.h"
#include "tests/unit/api/live_reader.h"
#include "tests/unit/api/routes_world.h"

namespace resmgr::api {
namespace {

using testing::HasSubstr;
using testing::Not;

class LiveRouteTest : public RoutesTest {
 protected:
  void restart(const LiveOptions& live) {
    server_.reset();
    ServerOptions options;
    options.live = live;
    start_server(options);
  }
  LiveReader follow(const std::string& query = "", const std::string& headers = alice()) const {
    return LiveReader(address_, "/api/live" + query, headers);
  }
  std::string live_clients() const {
    const std::string text = ask_get("/metrics", admin()).body;
    const std::string name = "\nresmgr_live_clients ";
    const std::size_t begin = text.find(name) + name.size();
    return text.substr(begin, text.find('\n', begin) - begin);
  }
  // Events of that task that say nothing new. Returns the last one's number.
  std::int64_t note(const std::string& id, int times, std::size_t bytes = 0) {
    std::int64_t last = 0;
    world_.journal.transact([&](journal::Transaction& transaction) {
      auto row = transaction.task(id).value();
      row.task.status_reason = std::string(bytes, 'x');
      for (int i = 0; i < times; ++i) {
        last = transaction.append("task.noted", row, world_.clock.now(), "{}");
      }
    });
    return last;
  }
  static std::int64_t seq_of(const Json& message) { return integer_or(message, "seq", -1); }
};

TEST_F(LiveRouteTest, TellsEachCallerOfTheirOwn) {
  LiveReader of_alice = follow();
  LiveReader of_bob = follow("", bob());
  LiveReader of_all = follow("", admin());
  const std::string first = started();
  const std::string second = started(bob());
  for (const auto& [reader, id] : {std::pair(&of_alice, &first), std::pair(&of_bob, &second)}) {
    std::int64_t last = 0;
    for (std::string type; type != "task.ready";) {
      const Json message = reader->next();
      ASSERT_EQ(string_or(message, "taskId"), *id) << message;
      EXPECT_EQ(string_or(message["task"], "taskId"), *id);
      EXPECT_GT(seq_of(message), last);
      last = seq_of(message);
      type = string_or(message, "type");
    }
  }
  // An admin gets everything, as /api/events has it.
  const std::int64_t head = world_.journal.head();
  std::vector<std::int64_t> seen;
  while (seen.empty() || seen.back() < head) seen.push_back(seq_of(of_all.next()));
  EXPECT_EQ(seen.size(), static_cast<std::size_t>(head));
  EXPECT_EQ(live_clients(), "3");
}

TEST_F(LiveRouteTest, TakesABrowsersTokenAndRepeatsItNowhere) {
  const std::string token = support::user_token(support::kAlice);
  LiveReader reader =
      follow("?since=0", "Sec-WebSocket-Protocol: resmgr.v1, resmgr.bearer." + token + "\r\n");
  ASSERT_TRUE(reader.is_open()) << reader.head();
  EXPECT_THAT(reader.head(), HasSubstr("Sec-WebSocket-Protocol: resmgr.v1\r\n"));
  EXPECT_THAT(reader.head(), Not(HasSubstr(token)));
  // The answer to the key is RFC 6455's own example.
  EXPECT_THAT(reader.head(), HasSubstr("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
  const std::string id = started();
  EXPECT_EQ(string_or(reader.next(), "taskId"), id);
}

TEST_F(LiveRouteTest, RefusesStrangers) {
  const auto status = [&](const std::string& headers) {
    return ask(get("/api/live", kWebSocketHeaders + headers)).status;
  };
  const std::string offer = "Sec-WebSocket-Protocol: resmgr.v1, resmgr.bearer.";
  const std::string token = support::user_token(support::kAlice);
  EXPECT_EQ(status(""), 401);
  EXPECT_EQ(status("Sec-WebSocket-Protocol: resmgr.v1\r\n"), 401);
  EXPECT_EQ(status(offer + "x.y.z\r\n"), 401);
  EXPECT_EQ(status(offer + token + ", resmgr.bearer." + token + "\r\n"), 401);
  // The header decides where there are both.
  EXPECT_EQ(status(offer + token + "\r\nAuthorization: Bearer x.y.z\r\n"), 401);
  EXPECT_EQ(status(offer + token + "\r\nAuthorization:\r\n"), 401);
  // No other route takes a token there.
  EXPECT_EQ(ask_get("/api/tasks", offer + token + "\r\n").status, 401);
}

TEST_F(LiveRouteTest, RefusesWhatIsNoHandshake) {
  const RawAnswer plain = ask_get("/api/live");
  EXPECT_EQ(plain.status, 426);
  EXPECT_EQ(plain.problem(), "upgrade-required");
  EXPECT_EQ(plain.header("upgrade"), "websocket");
  EXPECT_EQ(plain.header("sec-websocket-version"), "13");
  const std::string upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\n" + alice();
  EXPECT_EQ(ask_get("/api/live", upgrade).status, 426);
  EXPECT_EQ(ask_get("/api/live", upgrade + "Sec-WebSocket-Version: 13\r\n").status, 400);
  EXPECT_EQ(ask_get("/api/live?token=x", kWebSocketHeaders + alice()).status, 400);
  EXPECT_EQ(ask_get("/api/live?since=-1", kWebSocketHeaders + alice()).status, 400);
  // Whoever speaks before the answer is no client of ours.
  EXPECT_EQ(ask(get("/api/live", kWebSocketHeaders + alice()) + "early").status, 400);
  EXPECT_EQ(live_clients(), "0");
}

TEST_F(LiveRouteTest, WhoDropsAndResumesSeesEachEventOnce) {
  const std::string id = started();
  note(id, 300);
  const std::int64_t last = note(id, 300, 200);
  std::vector<std::int64_t> expected;
  world_.journal.read([&](journal::Reader& reader) {
    for (const auto& event : reader.events_of(id)) expected.push_back(event.seq);
  });
  std::minstd_rand random(20'261'125);
  std::uniform_int_distribution<int> some(0, 5);
  std::vector<std::int64_t> seen;
  for (int drops = 0; seen.empty() || seen.back() < last; ++drops) {
    const std::int64_t since = seen.empty() ? 0 : seen.back();
    LiveReader reader =
        follow("?since=" + std::to_string(since) + "&journal=" + world_.journal.id());
    ASSERT_TRUE(reader.is_open());
    const bool stays = drops >= 200;
    for (int i = stays ? 10'000 : some(random); i > 0 && (seen.empty() || seen.back() < last);
         --i) {
      seen.push_back(seq_of(reader.next()));
    }
  }
  EXPECT_EQ(seen, expected);
}

TEST_F(LiveRouteTest, AsksForAResyncWhereEventsDoNotReach) {
  const std::string id = started();
  for (const std::string& query :
       {std::string("?since=999999"), "?since=0&journal=" + new_uuid_v4()}) {
    LiveReader reader = follow(query);
    const Json first = reader.next();
    EXPECT_EQ(first["type"], "resync") << query;
    EXPECT_EQ(first["journal"], world_.journal.id());
    EXPECT_EQ(seq_of(first), world_.journal.head());
    const std::int64_t next = note(id, 1);
    EXPECT_EQ(seq_of(reader.next()), next);
  }
  world_.journal.transact(
      [&](journal::Transaction& transaction) { transaction.prune_events(world_.journal.head()); });
  EXPECT_EQ(follow("?since=1").next()["type"], "resync");
}

TEST_F(LiveRouteTest, ClosesWhenTheTokenRunsOut) {
  const std::string brief = support::sign_hs256(support::claims_of(
      support::kAlice, -std::chrono::seconds(25)));  // 30 s of leeway are granted
  EXPECT_EQ(follow("", bearer(brief)).next()["closed"], live_close::kTokenExpired);
}

TEST_F(LiveRouteTest, ClosesWhenTheAgentStops) {
  LiveReader reader = follow();
  LiveReader silent = follow();
  ASSERT_TRUE(reader.is_open());
  server_.reset();
  EXPECT_EQ(reader.next()["closed"], live_close::kGoingAway);
  EXPECT_EQ(reader.frame().opcode, 0);
}

TEST_F(LiveRouteTest, AsksTheSilentWhetherTheyAreThere) {
  LiveOptions live;
  live.ping = std::chrono::milliseconds(50);
  restart(live);
  LiveReader reader = follow();
  EXPECT_EQ(reader.frame().opcode, LiveReader::kPing);
  // It never answers.
  EXPECT_TRUE(support::eventually([&] { return live_clients() == "0"; }));
}

TEST_F(LiveRouteTest, CutsWhoNeverReadsAndHarmsNobody) {
  LiveOptions live;
  live.ping = std::chrono::minutes(5);  // neither answers
  live.write = std::chrono::milliseconds(200);
  live.kept_messages = 64;
  restart(live);
  const std::string id = started();
  LiveReader never = follow();
  LiveReader reader = follow();
  std::int64_t seen = world_.journal.head();
  // More than the kernel takes on its behalf.
  EXPECT_TRUE(support::eventually([&] {
    const std::int64_t last = note(id, 50, 16'000);
    while (seen < last) {
      const Json message = reader.next();
      if (message.contains("closed")) return false;
      if (seq_of(message) != seen + 1) ADD_FAILURE() << "lost " << seen + 1;
      seen = seq_of(message);
    }
    return live_clients() == "1";
  }));
}

// Who reads, but later than so much else came, is told to come back, and loses nothing.
TEST_F(LiveRouteTest, SendsAwayWhoIsTooSlow) {
  LiveOptions live;
  live.ping = std::chrono::minutes(5);
  live.write = std::chrono::minutes(5);
  live.kept_messages = 8;
  restart(live);
  const std::string id = started();
  LiveReader slow = follow();
  // Until it is known to have fallen behind: its socket is full, and more came than is kept.
  std::int64_t last = 0;
  for (int i = 0; i < 40; ++i) last = note(id, 50, 16'000);
  std::int64_t seen = 0;
  Json message = slow.next();
  for (; !message.contains("closed"); message = slow.next()) {
    if (seen > 0) {
      ASSERT_EQ(seq_of(message), seen + 1);
    }
    seen = seq_of(message);
  }
  EXPECT_EQ(message["closed"], live_close::kTooSlow);
  LiveReader again = follow("?since=" + std::to_string(seen));
  while (seen < last) {
    ASSERT_EQ(seq_of(again.next()), seen + 1);
    ++seen;
  }
}

}  // namespace
}  // namespace resmgr::api
