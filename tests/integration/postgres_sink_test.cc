// The rows that a real PostgreSQL has in the end.

#include "agent/sinks/postgres_sink.h"
#include "agent/sinks/postgres_usage.h"

#include <filesystem>

#include "common/ids.h"
#include "tests/integration/postgres_fixture.h"
#include "tests/support/sink_payload.h"

namespace resmgr::sinks {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

// The data model, word for word: nine columns first, names unquoted, types as it has them.
TEST_F(PostgresTest, MakesTheTableOfTheDataModel) {
  Host host(url(), "one");
  ASSERT_TRUE(host.deliver_all()) << host.cause();
  EXPECT_EQ(query("SELECT column_name, data_type FROM information_schema.columns"
                  " WHERE table_name = 'tasks' ORDER BY ordinal_position LIMIT 9"),
            "id|uuid\nuserid|uuid\nservicetype|character varying\ncontainerid|character varying\n"
            "port|integer\nstarttime|timestamp without time zone\n"
            "stoptime|timestamp without time zone\nduration|interval\nstatus|character varying\n");
  EXPECT_EQ(query("SELECT count(*) FROM Tasks WHERE Id IS NULL"), "0\n");
  EXPECT_THAT(query("SELECT conrelid::regclass, pg_get_constraintdef(oid) FROM pg_constraint"
                    " WHERE contype = 'p' AND conrelid = 'tasks'::regclass"),
              HasSubstr("PRIMARY KEY (id)"));
}

TEST_F(PostgresTest, RowsEqualTheJournal) {
  Host host(url(), "one");
  auto before = host.run();  // by the first sync
  host.fail();
  host.admit();
  ASSERT_TRUE(host.deliver_all()) << host.cause();
  EXPECT_EQ(found(), expected({&host}));
  host.end(before);  // by events
  auto after = host.run();
  host.fail();
  ASSERT_TRUE(host.deliver_all()) << host.cause();
  EXPECT_EQ(found(), expected({&host}));
  host.end(after);
  ASSERT_TRUE(host.deliver_all()) << host.cause();
  EXPECT_EQ(found(), expected({&host}));
  EXPECT_EQ(query("SELECT Duration, StopTime - StartTime = Duration FROM tasks WHERE Id = '" +
                  after.task.task_id + "'"),
            "01:02:03.004|t\n");
  EXPECT_EQ(query("SELECT Seq FROM resmgr_cursors"), std::to_string(host.journal->head()) + "\n");
}

// Hazard 30: only the three values of the data model; the row comes with the container.
TEST_F(PostgresTest, StatusHasThreeValuesAndPhaseTheRest) {
  Host host(url(), "one");
  ASSERT_TRUE(host.deliver_all());
  auto row = host.admit();
  const auto status = [&] {
    EXPECT_TRUE(host.deliver_all()) << host.cause();
    return query("SELECT Status, Phase FROM tasks");
  };
  EXPECT_EQ(status(), "");
  row.task.container_id = "c0ffee";
  host.change(row, event_type::kCreated);
  EXPECT_EQ(status(), "");
  row.task.start_time = host.clock.now();
  host.change(row, event_type::kStarted);
  EXPECT_EQ(status(), "Running|Starting\n");
  row.task.status = TaskStatus::running;
  host.change(row, event_type::kReady);
  EXPECT_EQ(status(), "Running|Running\n");
  row.task.status = TaskStatus::stopping;
  host.change(row, event_type::kStopRequested);
  EXPECT_EQ(status(), "Running|Stopping\n");
  row.task.status = TaskStatus::stopped;
  row.task.stop_time = host.clock.now();
  host.change(row, event_type::kEnded);
  EXPECT_EQ(status(), "Stopped|Stopped\n");
}

TEST_F(PostgresTest, AStartThatWasCalledOffHasNoRow) {
  Host host(url(), "one");
  ASSERT_TRUE(host.deliver_all());
  auto row = host.admit();
  row.task.status = TaskStatus::stopped;
  row.task.stop_time = host.clock.now();
  host.change(row, event_type::kFailed);
  ASSERT_TRUE(host.deliver_all()) << host.cause();
  EXPECT_EQ(query("SELECT count(*) FROM tasks"), "0\n");
}

// Hazard 29: two events of one task in one upsert would fail ('cannot affect row a second time').
TEST_F(PostgresTest, ManyEventsOfOneTaskGoOverTogether) {
  Host host(url(), "one");
  ASSERT_TRUE(host.deliver_all());
  std::vector<journal::TaskRow> rows;
  for (int i = 0; i < 20; ++i) rows.push_back(host.run());
  for (auto& row : rows) host.end(row);
  ASSERT_TRUE(host.deliver_all()) << host.cause();
  EXPECT_EQ(found(), expected({&host}));
  EXPECT_EQ(host.status().dead_letters, 0);
}

TEST_F(PostgresTest, ThreeAgentsStartTogetherAndShareTheTable) {
  Host one(url(), "one");
  Host two(url(), "two");
  Host three(url(), "three");
  const std::vector<Host*> all = {&one, &two, &three};
  for (Host* const host : all) {
    host->pump->run();
    for (int i = 0; i < 10; ++i) {
      auto row = host->run();
      if (i % 2 == 0) host->end(row);
    }
  }
  for (Host* const host : all) {
    EXPECT_TRUE(host->await_all()) << host->cause();
  }
  EXPECT_EQ(found(), expected(all));
  EXPECT_EQ(query("SELECT count(*) FROM resmgr_cursors"), "3\n");
  EXPECT_EQ(query("SELECT count(*) FROM resmgr_migrations"), "1\n");
}

// Hazard 32: a retried older row never beats a newer one.
TEST_F(PostgresTest, AnOlderRowNeverBeatsANewerOne) {
  Host host(url(), "one");
  auto row = host.run();
  ASSERT_TRUE(host.deliver_all());
  const auto events = host.journal->reading(
      [&](journal::Reader& reader) { return reader.events_of(row.task.task_id); });
  const Event& started = events[2];
  host.end(row);
  ASSERT_TRUE(host.deliver_all());
  PostgresSink again(host.options);
  const auto position = again.position(host.journal->id());
  const Message old{started.seq, started.time, started.type, started.task_id,
                    payload_of(again, started)};
  EXPECT_EQ(again.deliver({{&old, 1}, position, position}).kind, Outcome::Kind::delivered);
  EXPECT_EQ(found(), expected({&host}));
}

// Hazard 32: of a value that the table can't take, one row is to blame, and only that is set aside.
TEST_F(PostgresTest, SetsOneRowAsideThatTheTableCanNotTake) {
  Host host(url(), "one");
  ASSERT_TRUE(host.deliver_all());
  query("ALTER TABLE tasks ADD CONSTRAINT mine CHECK (Port <> 40666)");
  host.run();
  auto bad = host.run();
  bad.task.container_port = 40'666;
  host.change(bad, event_type::kPortChanged);
  host.run();
  ASSERT_TRUE(host.deliver_all()) << host.cause();
  ASSERT_THAT(host.pump->letters(0, 10), SizeIs(1));
  const auto letter = host.pump->letters(0, 10).front();
  EXPECT_EQ(letter.task_id, bad.task.task_id);
  EXPECT_THAT(letter.reason, AllOf(HasSubstr("mine"), Not(HasSubstr("\n"))));
  EXPECT_EQ(query("SELECT count(*) FROM tasks WHERE Port = 40001"), "3\n");
  query("ALTER TABLE tasks DROP CONSTRAINT mine");
  EXPECT_EQ(host.pump->retry(), 1);
  ASSERT_TRUE(host.deliver_all()) << host.cause();
  EXPECT_THAT(host.pump->letters(0, 10), IsEmpty());
  EXPECT_EQ(found(), expected({&host}));
}

// Hazard 31: what was recorded as ended stays so for a restored journal, which goes on with what it
// knows to run, under another id.
TEST_F(PostgresTest, ARestoredJournalHidesAndOverwritesNothing) {
  Host host(url(), "one");
  auto ends = host.run();
  auto runs = host.run();
  ASSERT_TRUE(host.deliver_all());
  const std::string old_id = host.journal->id();
  host.pump.reset();
  host.journal.reset();
  const std::string file = host.dir.path() / "journal.db";
  std::filesystem::copy(file, file + ".copy");
  host.restart();
  host.end(ends);
  ASSERT_TRUE(host.deliver_all());
  const std::string ended = query("SELECT * FROM tasks WHERE Id = '" + ends.task.task_id + "'");

  host.pump.reset();
  host.journal.reset();
  for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(file + suffix);
  std::filesystem::copy(file + ".copy", file);
  host.restart();
  const auto late = host.run();
  ASSERT_TRUE(host.deliver_all()) << host.cause();
  EXPECT_NE(host.journal->id(), old_id);
  EXPECT_EQ(query("SELECT * FROM tasks WHERE Id = '" + ends.task.task_id + "'"), ended);
  EXPECT_EQ(query("SELECT count(*) FROM tasks"), "3\n");
  host.end(runs);
  ASSERT_TRUE(host.deliver_all()) << host.cause();
  EXPECT_EQ(query("SELECT Status, JournalId FROM tasks WHERE Id = '" + runs.task.task_id + "'"),
            "Stopped|" + host.journal->id() + "\n");
}

// Hazard 31: the hash of the record that the earlier journal made.
TEST_F(PostgresTest, KnowsTheBillOfAnEarlierJournal) {
  Host host(url(), "one");
  auto row = host.run();
  host.end(row);
  const auto runs = host.run();
  ASSERT_TRUE(host.deliver_all());
  PostgresUsage known(host.options);
  const std::string other = new_uuid_v4();
  EXPECT_EQ(known.hash_before(row.task.task_id, other), row.task.usage_hash);
  EXPECT_EQ(known.hash_before(row.task.task_id, host.journal->id()), std::nullopt);
  EXPECT_EQ(known.hash_before(runs.task.task_id, other), std::nullopt);
  EXPECT_EQ(known.hash_before(other, other), std::nullopt);
  server().cut_agents();
  // It may say so once that it does not know, and makes a new connection.
  known.hash_before(row.task.task_id, other);
  EXPECT_EQ(known.hash_before(row.task.task_id, other), row.task.usage_hash);
}

// Hazard 31: two agents on copies of one data directory.
TEST_F(PostgresTest, ACloneStopsLoudlyAndItsOriginalGoesOn) {
  Host host(url(), "one");
  host.run();
  ASSERT_TRUE(host.deliver_all());
  host.pump.reset();
  host.journal.reset();
  Host clone(url(), "clone");
  clone.options.agent_id = host.options.agent_id;
  clone.pump.reset();
  clone.journal.reset();
  for (const char* suffix : {"", "-wal", "-shm"}) {
    std::filesystem::remove(clone.dir.path() / ("journal.db" + std::string(suffix)));
  }
  std::filesystem::copy(host.dir.path() / "journal.db", clone.dir.path() / "journal.db");
  host.restart();
  clone.restart();
  ASSERT_TRUE(clone.deliver_all());  // both know where it stands
  ASSERT_TRUE(host.deliver_all());
  host.run();
  ASSERT_TRUE(host.deliver_all());
  clone.clock.advance(Millis{5'000});
  clone.run();
  for (int i = 0; i < 5; ++i) EXPECT_NE(clone.settle(), std::nullopt);
  EXPECT_EQ(clone.status().state, SinkState::refusing);
  EXPECT_THAT(clone.cause(), HasSubstr("another agent"));
  EXPECT_EQ(found(), expected({&host}));
}

}  // namespace
}  // namespace resmgr::sinks
