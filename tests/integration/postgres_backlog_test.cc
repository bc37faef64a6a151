// What waited for a real PostgreSQL: tasks that begin in it go over by COPY.

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
