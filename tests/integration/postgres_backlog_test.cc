// What waited for a real PostgreSQL: tasks that begin in it go over by COPY.

#include <span>
#include <string>
#include <vector>

#include "tests/integration/postgres_fixture.h"
#include "tests/support/postgres_proxy.h"

namespace resmgr::sinks {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class PostgresBacklogTest : public PostgresTest {
 protected:
  // More than enough for COPY.
  static constexpr int kTasks = 600;

  static std::vector<journal::TaskRow> wait_for_nobody(Host& host) {
    std::vector<journal::TaskRow> rows;
    for (int i = 0; i < kTasks; ++i) {
      rows.push_back(host.run());
      if (i % 3 == 0) host.end(rows.back());
      if (i % 100 == 0) host.fail();
    }
    return rows;
  }
};

TEST_F(PostgresBacklogTest, RowsEqualTheJournal) {
  Host host(url(), "one");
  auto before = host.run();
  ASSERT_TRUE(host.deliver_all()) << host.cause();
  auto rows = wait_for_nobody(host);
  host.end(before);
  for (std::size_t i = 1; i < rows.size(); i += 3) host.end(rows[i]);
  ASSERT_TRUE(host.deliver_all()) << host.cause();
  EXPECT_EQ(found(), expected({&host}));
  EXPECT_EQ(query("SELECT Seq FROM resmgr_cursors"), std::to_string(host.journal->head()) + "\n");
  EXPECT_EQ(query("SELECT count(*) FROM tasks WHERE AgentId IS NULL OR JournalId IS NULL"), "0\n");
}

TEST_F(PostgresBacklogTest, ATextIsWhatItWas) {
  Host host(url(), "one");
  ASSERT_TRUE(host.deliver_all());
  const std::string hard = "\\N \\. tab\tline\nreturn\r\\t {\"a\",'b'} \xc3\xa4\xf0\x9f\x90\xb3 \\";
  std::vector<journal::TaskRow> rows;
  for (int i = 0; i < 150; ++i) {
    rows.push_back(host.run());
    rows.back().task.status_reason = hard;
    host.change(rows.back(), event_type::kStopRequested);
  }
  ASSERT_TRUE(host.deliver_all()) << host.cause();
  std::string hex;
  for (const char c : hard) {
    constexpr char kDigits[] = "0123456789abcdef";
    hex += kDigits[static_cast<unsigned char>(c) >> 4U];
    hex += kDigits[static_cast<unsigned char>(c) & 15U];
  }
  EXPECT_EQ(query("SELECT encode(convert_to(StatusReason, 'UTF8'), 'hex'), count(*) FROM tasks"
                  " GROUP BY 1"),
            hex + "|150\n");
}

// COPY's binary format and the texts of an upsert say the same; a text that only the server knows
// how to read goes over as a text.
TEST_F(PostgresBacklogTest, BothWaysSayTheSame) {
  constexpr int kFillers = 150;
  Host host(url(), "one");
  ASSERT_TRUE(host.deliver_all());
  query(
      "CREATE TABLE seen (Id UUID, Verb TEXT);"
      "CREATE FUNCTION note() RETURNS TRIGGER LANGUAGE plpgsql AS $$BEGIN"
      " INSERT INTO seen VALUES (NEW.Id, substr(current_query(), 1, 4)); RETURN NEW; END$$;"
      "CREATE TRIGGER note BEFORE INSERT ON tasks FOR EACH ROW EXECUTE FUNCTION note()");
  const auto payload = [](int number, const std::string& members) {
    const std::string digits = std::to_string(100 + number);
    return R"({"status":"Error","taskId":"00000000-0000-7000-8000-000000000)" + digits + '"' +
           (members.empty() ? "" : "," + members) + '}';
  };
  const std::vector<std::string> members = {
      "",
      R"("startTime":"1970-01-01T00:00:00.000Z","stopTime":"1999-12-31T23:59:59.999Z")",
      R"("startTime":"2000-01-01T00:00:00.001Z","createdAt":"9999-12-31T23:59:59.999Z")",
      R"("startTime":"2028-02-29T12:00:00.500Z","duration":"PT0S")",
      R"("duration":"PT0.001S")",
      R"("duration":"PT49H59M59.999S")",
      R"("duration":"PT2000000H")",
      R"("containerPort":65535,"exitCode":-2147483648)",
      R"("containerPort":0,"exitCode":2147483647)",
      R"("userId":"ABCDEF01-2345-6789-abcd-ef0123456789","host":"")",
      R"("statusReason":"\u0000 \\N \ud83d\udc33","precision":"exact","usageHash":"ab")",
  };
  const std::vector<std::string> odd = {
      R"("userId":"{00000000000040008000000000000001}")",
      R"("startTime":"2028-02-29 12:00:00.5")",
      R"("duration":"P1DT1H")",
      R"("exitCode":"0x10","startTime":"infinity","duration":"1 month")",
  };
  std::vector<Message> messages;
  const auto put = [&](const std::string& some) {
    Message& message = messages.emplace_back();
    const auto number = static_cast<int>(messages.size());
    message.seq = number;
    message.task_id = std::to_string(number);
    message.payload = payload(number, some);
    message.begins = true;
  };
  for (const auto& some : members) put(some);
  for (std::size_t i = 0; i + 1 < odd.size(); ++i) put(odd[i]);
  const std::size_t interesting = messages.size();
  for (int i = 0; i < kFillers; ++i) put("");
  PostgresSink sink(host.options);
  const auto position = sink.position(host.journal->id());
  const auto deliver = [&](std::size_t count) {
    return sink.deliver({std::span(messages).first(count), position, position});
  };
  const std::string rows =
      "SELECT * FROM tasks WHERE Seq <= " + std::to_string(interesting) + " ORDER BY Seq";
  const auto upserted = deliver(interesting);
  ASSERT_EQ(upserted.kind, Outcome::Kind::delivered) << upserted.reason;
  const std::string texts = query(rows);
  query("DELETE FROM tasks; DELETE FROM seen");
  const auto copied = deliver(messages.size());
  ASSERT_EQ(copied.kind, Outcome::Kind::delivered) << copied.reason;
  EXPECT_EQ(query(rows), texts);
  EXPECT_EQ(query("SELECT Verb, count(*) FROM seen GROUP BY 1 ORDER BY 1"),
            "COPY|" + std::to_string(members.size() + kFillers) + "\nINSE|3\n");
  // What nobody can read is refused, as ever.
  messages.back().payload = payload(static_cast<int>(messages.size()), odd.back());
  query("DELETE FROM tasks");
  EXPECT_EQ(deliver(messages.size()).kind, Outcome::Kind::rejected);
  // So is what is no task, in the middle of a COPY; the connection is good for the next one.
  messages.back().payload = "no task";
  EXPECT_EQ(deliver(messages.size()).kind, Outcome::Kind::rejected);
  EXPECT_EQ(query("SELECT count(*) FROM tasks"), "0\n");
  EXPECT_EQ(deliver(messages.size() - 1).kind, Outcome::Kind::delivered);
}

// After a restore the hint is wrong: what is there all the same is dealt with as ever.
TEST_F(PostgresBacklogTest, ARowThatIsThereIsNoObstacle) {
  Host host(url(), "one");
  ASSERT_TRUE(host.deliver_all());
  auto rows = wait_for_nobody(host);
  query("INSERT INTO tasks (Id, Seq, AgentId, JournalId) VALUES ('" + rows[70].task.task_id +
        "', 1, '" + host.options.agent_id + "', '" + host.journal->id() + "')");
  // Another agent's, which this one may not touch.
  query("INSERT INTO tasks (Id, ServiceType, Seq, AgentId, JournalId) VALUES ('" +
        rows[71].task.task_id + "', 'theirs', 1, gen_random_uuid(), gen_random_uuid())");
  ASSERT_TRUE(host.deliver_all()) << host.cause();
  EXPECT_EQ(host.status().dead_letters, 0);
  EXPECT_EQ(query("SELECT ServiceType FROM tasks WHERE Id = '" + rows[71].task.task_id + "'"),
            "theirs\n");
  query("DELETE FROM tasks WHERE ServiceType = 'theirs'");
  std::string all = expected({&host});
  const std::size_t line = all.find(rows[71].task.task_id);
  all.erase(line, all.find('\n', line) + 1 - line);
  EXPECT_EQ(found(), all);
}

TEST_F(PostgresBacklogTest, SetsTheOneRowAsideThatTheTableCanNotTake) {
  Host host(url(), "one");
  ASSERT_TRUE(host.deliver_all());
  query("ALTER TABLE tasks ADD CONSTRAINT mine CHECK (Port <> 40666)");
  auto rows = wait_for_nobody(host);
  rows[400].task.container_port = 40'666;
  host.change(rows[400], event_type::kPortChanged);
  ASSERT_TRUE(host.deliver_all()) << host.cause();
  const auto letters = host.pump->letters(0, 10);
  ASSERT_THAT(letters, SizeIs(1));
  EXPECT_EQ(letters[0].task_id, rows[400].task.task_id);
  EXPECT_THAT(letters[0].reason, HasSubstr("mine"));
  query("ALTER TABLE tasks DROP CONSTRAINT mine");
  host.pump->retry();
  ASSERT_TRUE(host.deliver_all()) << host.cause();
  EXPECT_THAT(host.pump->letters(0, 10), IsEmpty());
  EXPECT_EQ(found(), expected({&host}));
}

// Before the server has it, and before we have the answer.
TEST_F(PostgresBacklogTest, SurvivesCutsInTheMiddleOfCopy) {
  support::PostgresProxy proxy(server().directory());
  Host host(proxy.url(database_), "one");
  ASSERT_TRUE(host.deliver_all()) << host.cause();
  for (const auto cut : {support::Cut::after, support::Cut::before}) {
    proxy.cut(cut, "COPY ");
    wait_for_nobody(host);
    ASSERT_TRUE(host.deliver_all()) << host.cause();
    EXPECT_TRUE(proxy.has_cut());
    EXPECT_EQ(found(), expected({&host}));
  }
}

// In the middle of a backlog nothing waits for the server's disk: what it has taken and lost in a
// crash goes over again.
TEST_F(PostgresBacklogTest, WhatTheServerLosesInACrashGoesOverAgain) {
  constexpr int kLarge = 300;
  const std::string long_reason(64'000, 'x');  // so that there is more than one batch of them
  query("ALTER SYSTEM SET wal_writer_delay TO '10s'");
  query("SELECT pg_reload_conf()");
  Host host(url(), "one");
  ASSERT_TRUE(host.deliver_all()) << host.cause();
  std::vector<journal::TaskRow> rows;
  for (int i = 0; i < kLarge; ++i) {
    rows.push_back(host.run());
    rows.back().task.status_reason = long_reason;
    host.change(rows.back(), event_type::kStopRequested);
  }
  EXPECT_EQ(host.pump->step(), Millis{0});
  const std::string taken = query("SELECT count(*) FROM tasks");
  EXPECT_NE(taken, "0\n");
  server().kill9();
  server().start();
  EXPECT_EQ(query("SELECT count(*) FROM tasks"), "0\n");
  ASSERT_TRUE(host.deliver_all()) << host.cause();
  EXPECT_EQ(found(), expected({&host}));
  query("ALTER SYSTEM RESET wal_writer_delay");
  query("SELECT pg_reload_conf()");
}

// Row-level security forbids COPY to all whom it holds for, and nothing else of this.
TEST_F(PostgresBacklogTest, ATableThatTakesNoCopyIsFilledAllTheSame) {
  Host owner(url(), "owner");
  ASSERT_TRUE(owner.deliver_all());
  query(
      "CREATE ROLE limited LOGIN; GRANT ALL ON ALL TABLES IN SCHEMA public TO limited;"
      "ALTER TABLE tasks ENABLE ROW LEVEL SECURITY;"
      "CREATE POLICY everything ON tasks USING (true) WITH CHECK (true)");
  Host host(url("limited"), "one");
  ASSERT_TRUE(host.deliver_all()) << host.cause();
  wait_for_nobody(host);
  ASSERT_TRUE(host.deliver_all()) << host.cause();
  EXPECT_EQ(found(), expected({&host}));
}

}  // namespace
}  // namespace resmgr::sinks
