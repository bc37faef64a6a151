// How far starts are, in GET /api/live and GET /api/events.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "agent/api/live_feed.h"
#include "agent/api/progress_board.h"
#include "tests/unit/api/live_reader.h"
#include "tests/unit/api/routes_world.h"

namespace resmgr::api {
namespace {

using engine::Op;

class ProgressTest : public RoutesTest {
 protected:
  void SetUp() override {
    RoutesTest::SetUp();
    world_.engine.remove_image("web:1");
    world_.engine.add_pullable("web:1");
    world_.engine.set_pull_progress({{100, 1'000, "Downloading"}});
    world_.engine.hold(Op::pull);
  }
  void restart(const LiveOptions& live) {
    server_.reset();
    ServerOptions options;
    options.live = live;
    start_server(options);
  }
  LiveReader follow(const std::string& query = "", const std::string& headers = alice()) const {
    return LiveReader(address_, "/api/live" + query, headers);
  }
  std::string starting(const std::string& headers = alice()) {
    const RawAnswer answer =
        ask_post({{"serviceType", "web"}}, headers + "Prefer: respond-async\r\n");
    EXPECT_EQ(answer.status, 202) << answer.body;
    return string_or(answer.json(), "taskId");
  }
  void pull_comes_to(std::int64_t bytes) {
    world_.engine.tell_pull_progress("web:1", {bytes, 1'000, "Downloading"});
  }
  // Events of that task, more than the kernel takes on a reader's behalf. Returns the last one's
  // number.
  std::int64_t fill_sockets(const std::string& id) {
    std::int64_t last = 0;
    world_.journal.transact([&](journal::Transaction& transaction) {
      auto row = transaction.task(id).value();
      row.task.status_reason = std::string(16'000, 'x');
      for (int i = 0; i < 1'000; ++i) {
        last = transaction.append("task.noted", row, world_.clock.now(), "{}");
      }
    });
    return last;
  }
  static std::int64_t seq_of(const Json& message) { return integer_or(message, "seq", -1); }
  static std::string step_of(const Json& message) {
    return string_or(message["task"]["progress"], "step");
  }
  static std::int64_t bytes_of(const Json& message) {
    const Json& progress = object_at(object_at(message, "task"), "progress");
    return integer_or(object_at(progress, "pull"), "doneBytes", -1);
  }
  // The next message of a pull that has come so far; empty if something else came first but
  // messages of pulls that have not come that far.
  static Json wait_for(LiveReader& reader, std::int64_t bytes) {
    while (true) {
      Json message = reader.next_of_any();
      if (!LiveReader::is_progress(message) || bytes_of(message) >= bytes) return message;
    }
  }
  // What comes until that event, in order.
  static std::vector<Json> until(LiveReader& reader, const std::string& type) {
    std::vector<Json> messages;
    do {
      messages.push_back(reader.next_of_any());
    } while (string_or(messages.back(), "type") != type && !messages.back().contains("closed"));
    return messages;
  }
};

TEST_F(ProgressTest, TellsOfStepsAndBytesAndOfNothingAfterTheEnd) {
  LiveReader reader = follow();
  const std::string id = starting();
  ASSERT_EQ(reader.next()["type"], "task.start_requested");
  Json message = wait_for(reader, 100);
  ASSERT_TRUE(LiveReader::is_progress(message)) << message;
  EXPECT_EQ(message["taskId"], id);
  EXPECT_FALSE(message.contains("seq"));
  EXPECT_EQ(string_or(message, "time").size(), 24U);
  EXPECT_EQ(message["task"]["taskId"], id);
  EXPECT_EQ(message["task"]["status"], "Starting");
  EXPECT_EQ(step_of(message), "pulling");
  EXPECT_EQ(message["task"]["progress"]["pull"]["totalBytes"], 1'000);
  pull_comes_to(400);
  message = wait_for(reader, 400);
  EXPECT_EQ(bytes_of(message), 400) << message;

  world_.engine.hold(Op::create);
  world_.engine.release(Op::pull);
  do {
    message = reader.next_of_any();
    ASSERT_TRUE(LiveReader::is_progress(message)) << message;
  } while (step_of(message) != "creating");
  world_.engine.release(Op::create);
  const auto rest = until(reader, "task.ready");
  EXPECT_EQ(rest.back()["taskId"], id);
  // Another start's, and none of this one.
  world_.engine.remove_image("web:1");
  world_.engine.hold(Op::pull);
  const std::string next = starting();
  ASSERT_EQ(reader.next_of_any()["type"], "task.start_requested");
  EXPECT_EQ(wait_for(reader, 100)["taskId"], next);
  world_.engine.release(Op::pull);
}

TEST_F(ProgressTest, TellsOnlyOwnersAndAdmins) {
  LiveReader of_alice = follow();
  LiveReader of_bob = follow("", bob());
  LiveReader of_all = follow("", admin());
  const std::string one = starting();
  const std::string other = starting(bob());
  pull_comes_to(500);
  world_.engine.release(Op::pull);
  world_.wait_started(one);
  world_.wait_started(other);
  for (const Json& message : until(of_alice, "task.ready")) EXPECT_EQ(message["taskId"], one);
  for (const Json& message : until(of_bob, "task.ready")) EXPECT_EQ(message["taskId"], other);
  until(of_all, "task.ready");
  EXPECT_FALSE(until(of_all, "task.ready").back().contains("closed"));
}

TEST_F(ProgressTest, WhoComesInTheMiddleOfAStartIsTold) {
  const std::string id = starting();
  ASSERT_TRUE(world_.engine.wait_until_held(Op::pull));
  pull_comes_to(700);
  const Json first = follow().next_of_any();
  EXPECT_TRUE(LiveReader::is_progress(first)) << first;
  EXPECT_EQ(bytes_of(first), 700);
  // Events come first.
  LiveReader reader = follow("?since=0", admin());
  std::int64_t seen = 0;
  Json message = reader.next_of_any();
  for (; !LiveReader::is_progress(message); message = reader.next_of_any()) {
    ASSERT_TRUE(message.contains("seq")) << message;
    seen = integer_or(message, "seq", -1);
  }
  EXPECT_EQ(seen, world_.journal.head());
  EXPECT_EQ(bytes_of(message), 700);
  // Nobody follows, and then somebody does again.
  world_.engine.release(Op::pull);
  world_.wait_started(id);
  LiveReader late = follow("?since=0");
  for (const Json& event : until(late, "task.ready")) EXPECT_TRUE(event.contains("seq"));
}

// A resumed follower gets each event once, whatever was told between them.
TEST_F(ProgressTest, HasNoPartInTheNumbers) {
  LiveReader reader = follow("?since=0");
  const std::string id = starting();
  std::int64_t seen = 0;
  Json message = reader.next_of_any();
  for (; !LiveReader::is_progress(message); message = reader.next_of_any()) {
    seen = integer_or(message, "seq", -1);
    ASSERT_GT(seen, 0) << message;
  }
  LiveReader again = follow("?since=" + std::to_string(seen) + "&journal=" + world_.journal.id());
  world_.engine.release(Op::pull);
  world_.wait_started(id);
  for (LiveReader* const one : {&reader, &again}) {
    std::vector<std::string> types;
    for (const Json& event : until(*one, "task.ready")) {
      if (!LiveReader::is_progress(event)) types.push_back(string_or(event, "type"));
    }
    auto expected = world_.event_types(id);
    expected.erase(expected.begin());
    EXPECT_EQ(types, expected);
  }
  // None of it is in the journal.
  EXPECT_THAT(ask_get("/api/events", admin()).body, testing::Not(testing::HasSubstr("progress")));
}

// Who takes nothing for a while misses no event, is not cut for what was told meanwhile, and gets
// the latest of that.
TEST_F(ProgressTest, KeepsTheLatestForWhoIsSlow) {
  LiveOptions live;
  live.ping = std::chrono::minutes(5);
  live.write = std::chrono::minutes(5);
  live.kept_bytes = 64 << 20;
  restart(live);
  LiveReader slow = follow();
  LiveReader quick = follow();
  const std::string id = starting();
  ASSERT_TRUE(world_.engine.wait_until_held(Op::pull));
  const std::int64_t last = fill_sockets(id);
  for (Json event = quick.next(); seq_of(event) < last; event = quick.next()) {
    ASSERT_FALSE(event.contains("closed"));
  }
  for (int bytes = 200; bytes <= 900; bytes += 100) {
    pull_comes_to(bytes);
    ASSERT_EQ(bytes_of(wait_for(quick, bytes)), bytes);
  }
  std::int64_t seen = 0;
  Json message = slow.next_of_any();
  for (; seen < last; message = slow.next_of_any()) {
    if (LiveReader::is_progress(message)) {
      ASSERT_LE(bytes_of(message), 100) << "was told while it could take nothing";
      continue;
    }
    ASSERT_TRUE(seen == 0 || seq_of(message) == seen + 1) << message;
    seen = seq_of(message);
  }
  EXPECT_EQ(bytes_of(message), 900) << message;
  world_.engine.release(Op::pull);
  EXPECT_EQ(slow.next()["taskId"], id);
}

TEST_F(ProgressTest, LinesHaveItWhereItIsAskedFor) {
  RawClient without(address_);
  without.send(get("/api/events?follow=1", alice()));
  ASSERT_THAT(without.read_some(), testing::EndsWith("\r\n\r\n"));
  RawClient with(address_);
  with.send(get("/api/events?follow=1&progress=1", alice()));
  ASSERT_THAT(with.read_some(), testing::EndsWith("\r\n\r\n"));
  const auto read_until = [](RawClient& client, const std::string& words) {
    std::string text;
    while (text.find(words) == std::string::npos) {
      const std::string more = client.read_some();
      if (more.empty()) break;
      text += more;
    }
    return text;
  };
  const std::string id = starting();
  EXPECT_THAT(read_until(with, "\"doneBytes\":100"), testing::HasSubstr("start_requested"));
  pull_comes_to(600);
  EXPECT_THAT(read_until(with, "\"doneBytes\":600"), testing::HasSubstr("task.progress"));
  world_.engine.release(Op::pull);
  EXPECT_THAT(read_until(with, "task.ready"), testing::HasSubstr(id));
  EXPECT_THAT(read_until(without, "task.ready"), testing::Not(testing::HasSubstr("task.progress")));
  // What does not follow ends.
  EXPECT_TRUE(ask_get("/api/events?progress=1").whole);
  EXPECT_EQ(ask_get("/api/events?progress=perhaps").status, 400);
}

}  // namespace
}  // namespace resmgr::api
