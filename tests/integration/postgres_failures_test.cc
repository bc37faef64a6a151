// What a real PostgreSQL, and the way to it, can do to an agent: afterwards rows equal journals.

#include <filesystem>
#include <fstream>
#include <future>

#include "tests/integration/postgres_fixture.h"
#include "tests/support/postgres_proxy.h"
#include "tests/support/task_rows.h"

namespace resmgr::sinks {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

using PostgresFailuresTest = PostgresTest;

TEST_F(PostgresFailuresTest, AConnectionThatBreaksAtCommitLeavesNothingTwiceOrMissing) {
  support::PostgresProxy proxy(server().directory());
  Host host(proxy.url(database_), "one");
  auto row = host.run();
  // The migrations, the first sync's rows, its end, and each batch after that.
  for (const auto cut : {support::Cut::after, support::Cut::before}) {
    for (int i = 0; i < 4; ++i) {
      proxy.cut(cut);
      host.run();
      ASSERT_TRUE(support::eventually([&] { return host.settle() != std::nullopt; }) ||
                  proxy.has_cut());
      ASSERT_TRUE(host.deliver_all()) << host.cause();
      EXPECT_TRUE(proxy.has_cut());
      EXPECT_EQ(found(), expected({&host}));
    }
  }
  host.end(row);
  ASSERT_TRUE(host.deliver_all()) << host.cause();
  EXPECT_EQ(found(), expected({&host}));
  EXPECT_EQ(host.status().dead_letters, 0);
}

TEST_F(PostgresFailuresTest, AConnectionThatBreaksInTheUpsert) {
  support::PostgresProxy proxy(server().directory());
  Host host(proxy.url(database_), "one");
  ASSERT_TRUE(host.deliver_all());
  for (const auto cut : {support::Cut::after, support::Cut::before}) {
    proxy.cut(cut, "INSERT INTO");
    host.run();
    EXPECT_NE(host.settle(), std::nullopt);
    EXPECT_EQ(host.status().state, SinkState::failing);
    ASSERT_TRUE(host.deliver_all()) << host.cause();
    EXPECT_EQ(found(), expected({&host}));
  }
}

TEST_F(PostgresFailuresTest, BackendsThatAreEndedByAnAdministrator) {
  Host host(url(), "one");
  std::vector<journal::TaskRow> rows;
  for (int i = 0; i < 10; ++i) {
    rows.push_back(host.run());
    ASSERT_TRUE(host.deliver_all()) << host.cause();
    EXPECT_GE(server().cut_agents(), 1);
    if (i % 3 == 0) host.end(rows.back());
  }
  ASSERT_TRUE(host.deliver_all()) << host.cause();
  EXPECT_EQ(found(), expected({&host}));
}

TEST_F(PostgresFailuresTest, TheServerKilledAndStartedAgainUnderThreeAgents) {
  Host one(url(), "one");
  Host two(url(), "two");
  Host three(url(), "three");
  const std::vector<Host*> all = {&one, &two, &three};
  for (Host* const host : all) host->pump->run();
  for (int round = 0; round < 2; ++round) {
    for (Host* const host : all) {
      for (int i = 0; i < 20; ++i) {
        auto row = host->run();
        if (i % 2 == 0) host->end(row);
      }
    }
    server().kill9();
    for (Host* const host : all) host->fail();
    EXPECT_TRUE(support::eventually([&] { return one.status().state == SinkState::failing; }));
    server().start();
  }
  for (Host* const host : all) {
    EXPECT_TRUE(host->await_all()) << host->cause();
  }
  EXPECT_EQ(found(), expected(all));
}

TEST_F(PostgresFailuresTest, ReadOnlyIsWaitedFor) {
  Host host(url(), "one");
  ASSERT_TRUE(host.deliver_all());
  server().query("ALTER DATABASE " + database_ + " SET default_transaction_read_only = on");
  server().cut_agents();
  host.run();
  for (int i = 0; i < 30; ++i) EXPECT_NE(host.settle(), std::nullopt);
  EXPECT_THAT(host.cause(), HasSubstr("read-only"));
  EXPECT_EQ(host.status().dead_letters, 0);
  server().query("ALTER DATABASE " + database_ + " RESET default_transaction_read_only");
  ASSERT_TRUE(host.deliver_all()) << host.cause();
  EXPECT_EQ(found(), expected({&host}));
}

// Its disk is full in the middle of the table, and has space again later.
TEST_F(PostgresFailuresTest, ADiskWithoutSpaceIsWaitedFor) {
  support::PostgresServer full({}, {{"LD_PRELOAD", RESMGR_FOREIGN_DISK},
                                    {"RESMGR_TEST_READ_ONLY_WHILE", "{dir}/full"},
                                    {"RESMGR_TEST_READ_ONLY_DIR", "{dir}/data/base"},
                                    {"RESMGR_TEST_DISK_IS_FULL", "1"}});
  Host host(full.url(), "one");
  ASSERT_TRUE(host.deliver_all());
  const std::string flag = full.directory() + "/full";
  std::ofstream(flag) << "no space";
  for (int i = 0; i < 500; ++i) host.run();
  for (int i = 0; i < 30; ++i) EXPECT_NE(host.settle(), std::nullopt);
  EXPECT_THAT(host.cause(), HasSubstr("No space left on device"));
  EXPECT_EQ(host.status().dead_letters, 0);
  std::filesystem::remove(flag);
  ASSERT_TRUE(host.deliver_all()) << host.cause();
  EXPECT_EQ(support::rows_in(full, "postgres", "public", ", Host, JournalId"), expected({&host}));
}

TEST_F(PostgresFailuresTest, ALockThatIsHeldEndsACallAndNotTheAgent) {
  Host host(url(), "one");
  host.options.timeout = Millis{500};
  host.connect_to(url());
  ASSERT_TRUE(host.deliver_all());
  host.run();
  {
    const support::PostgresSessionHolder lock(server(), database_,
                                              "BEGIN; LOCK TABLE tasks IN ACCESS EXCLUSIVE MODE");
    EXPECT_NE(host.settle(), std::nullopt);
    EXPECT_EQ(host.status().state, SinkState::failing);
    EXPECT_EQ(host.status().dead_letters, 0);
  }
  ASSERT_TRUE(host.deliver_all()) << host.cause();
  EXPECT_EQ(found(), expected({&host}));
}

TEST_F(PostgresFailuresTest, AServerThatHangsDoesNotHoldUpTheStop) {
  Host host(url(), "one");
  host.pump_options.last_flush = Millis{100};
  host.connect_to(url());
  ASSERT_TRUE(host.deliver_all());
  host.pump->run();
  server().freeze();
  host.run();
  auto stopped = std::async(std::launch::async, [&] {
    host.pump->request_stop();
    host.pump->join();
  });
  // Less than the time limit of a call (30 s), after which it would end in any case.
  EXPECT_EQ(stopped.wait_for(std::chrono::seconds(20)), std::future_status::ready);
  server().thaw();
  stopped.get();
  host.restart();
  ASSERT_TRUE(host.deliver_all()) << host.cause();
  EXPECT_EQ(found(), expected({&host}));
}

TEST_F(PostgresFailuresTest, AServerThatHangsEndsACallAtItsTimeLimit) {
  Host host(url(), "one");
  host.options.timeout = Millis{300};
  host.connect_to(url());
  ASSERT_TRUE(host.deliver_all());
  host.run();
  server().freeze();
  EXPECT_NE(host.settle(), std::nullopt);
  EXPECT_EQ(host.cause(), "it did not answer in time");
  server().thaw();
  ASSERT_TRUE(host.deliver_all()) << host.cause();
  EXPECT_EQ(found(), expected({&host}));
}

// Hazard 34: a foreign table is refused, not adopted.
TEST_F(PostgresFailuresTest, AForeignTableIsRefused) {
  query("CREATE TABLE tasks (Id UUID PRIMARY KEY, Title VARCHAR)");
  Host host(url(), "one");
  host.run();
  EXPECT_NE(host.settle(), std::nullopt);
  EXPECT_EQ(host.status().state, SinkState::refusing);
  EXPECT_THAT(host.cause(), HasSubstr("'public.tasks': it was made by another program"));
  EXPECT_THAT(host.status().hint, HasSubstr("schema"));
  EXPECT_EQ(query("SELECT count(*) FROM tasks"), "0\n");
  EXPECT_EQ(query("SELECT count(*) FROM pg_class WHERE relname = 'resmgr_cursors'"), "0\n");
  query("DROP TABLE tasks");
  ASSERT_TRUE(host.deliver_all()) << host.cause();
  EXPECT_EQ(found(), expected({&host}));
}

// Hazard 34: a quoted "Tasks" stands beside ours, unseen, and is told of.
TEST_F(PostgresFailuresTest, AQuotedTableIsToldOf) {
  query("CREATE TABLE \"Tasks\" (\"Id\" UUID PRIMARY KEY)");
  Host host(url(), "one");
  host.run();
  testing::internal::CaptureStderr();
  ASSERT_TRUE(host.deliver_all()) << host.cause();
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("FROM \"Tasks\""));
  EXPECT_EQ(found(), expected({&host}));
}

// Hazard 34: an ordinary role on PostgreSQL 15.
TEST_F(PostgresFailuresTest, AnOrdinaryRoleIsToldWhatToAskFor) {
  server().query("CREATE ROLE plain LOGIN");
  Host host(url("plain"), "one");
  host.run();
  EXPECT_NE(host.settle(), std::nullopt);
  EXPECT_EQ(host.status().state, SinkState::refusing);
  EXPECT_THAT(host.cause(), HasSubstr("permission denied for schema public"));
  EXPECT_THAT(host.status().hint, HasSubstr("GRANT USAGE, CREATE ON SCHEMA public"));
  query("GRANT USAGE, CREATE ON SCHEMA public TO plain");
  ASSERT_TRUE(host.deliver_all()) << host.cause();
  EXPECT_EQ(found(), expected({&host}));
}

TEST_F(PostgresFailuresTest, ASchemaThatIsMissingIsWaitedFor) {
  Host host(url(), "one", "Res Mgr");
  host.run();
  for (int i = 0; i < 30; ++i) EXPECT_NE(host.settle(), std::nullopt);
  EXPECT_EQ(host.status().state, SinkState::refusing);
  EXPECT_THAT(host.cause(), HasSubstr("schema 'Res Mgr': there is none"));
  EXPECT_EQ(host.status().dead_letters, 0);
  query("CREATE SCHEMA \"Res Mgr\"");
  ASSERT_TRUE(host.deliver_all()) << host.cause();
  EXPECT_EQ(found("Res Mgr"), expected({&host}));
}

TEST_F(PostgresFailuresTest, ACheckSaysWhatIsWrongAndChangesNothing) {
  PostgresOptions options;
  options.url = url();
  EXPECT_EQ(PostgresSink(options).check().kind, Outcome::Kind::delivered);
  EXPECT_EQ(query("SELECT count(*) FROM pg_class WHERE relname IN ('tasks', 'resmgr_cursors',"
                  " 'resmgr_migrations')"),
            "0\n");
  options.schema = "nowhere";
  EXPECT_THAT(PostgresSink(options).check().reason, HasSubstr("'nowhere'"));
  options.url = url("nobody");
  EXPECT_THAT(PostgresSink(options).check().reason, HasSubstr("nobody"));
}

TEST_F(PostgresFailuresTest, APasswordIsNeverShown) {
  Host host("postgresql://me:s3cr3t-pass@127.0.0.1:1/x?connect_timeout=2", "one");
  EXPECT_NE(host.settle(), std::nullopt);
  EXPECT_THAT(host.cause(), AllOf(Not(HasSubstr("s3cr3t")), HasSubstr("127.0.0.1")));
  for (const char* const url :
       {"postgresql://me:s3cr3t-pass@[::1/x", "postgresql://me:s3cr3t-pass%zz@h/x",
        "password=s3cr3t-pass nonsense=1"}) {
    PostgresOptions options;
    options.url = url;
    try {
      const PostgresAddress address(options);
      ADD_FAILURE() << url;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::config);
      EXPECT_THAT(error.message() + error.hint(), Not(HasSubstr("s3cr3t")));
    }
  }
}

}  // namespace
}  // namespace resmgr::sinks
