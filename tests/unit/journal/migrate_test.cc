#include "agent/journal/migrate.h"

#include <gmock/gmock.h>

#include "tests/unit/journal/fixture.h"

namespace resmgr::journal {
namespace {

using testing::HasSubstr;
using MigrateTest = JournalTest;

constexpr Migration kSteps[] = {
    {1, "0001_one", "CREATE TABLE one (a INTEGER) STRICT; INSERT INTO one VALUES (1)"},
    {2, "0002_two", "ALTER TABLE one ADD COLUMN b INTEGER; UPDATE one SET b = a + 1"},
    {3, "0003_wrong", "CREATE TABLE three (a INTEGER) STRICT; INSERT INTO nowhere VALUES (1)"}};
constexpr std::span kGood = std::span(kSteps).first(2);

TEST_F(MigrateTest, TakesEachStepOnce) {
  Database database(file(), {});
  migrate(database, std::span(kSteps).first(1));
  EXPECT_EQ(database.integer("PRAGMA user_version"), 1);
  migrate(database, kGood);
  migrate(database, kGood);
  EXPECT_EQ(database.integer("PRAGMA user_version"), 2);
  EXPECT_EQ(database.integer("SELECT sum(b) FROM one"), 2);
}

TEST_F(MigrateTest, LeavesNothingOfAStepThatFails) {
  Database database(file(), {});
  EXPECT_THROW(migrate(database, kSteps), Error);
  EXPECT_FALSE(database.in_transaction());
  EXPECT_EQ(database.integer("PRAGMA user_version"), 2);
  EXPECT_EQ(database.integer("SELECT count(*) FROM sqlite_schema WHERE name = 'three'"), 0);
  migrate(database, kGood);
}

TEST_F(MigrateTest, RefusesASchemaThatItDoesNotKnow) {
  Database database(file(), {});
  migrate(database, kGood);
  const Error e = error_of([&] { migrate(database, std::span(kSteps).first(1)); });
  EXPECT_EQ(e.kind(), ErrorKind::corrupt);
  EXPECT_THAT(e.message(), HasSubstr("version 2"));
}

TEST_F(MigrateTest, NumbersItsOwnStepsFromOneOn) {
  int expected = 1;
  for (const Migration& step : migrations()) {
    EXPECT_EQ(step.version, expected++);
    EXPECT_THAT(step.sql, HasSubstr("CREATE"));
  }
  EXPECT_GT(expected, 1);
}

}  // namespace
}  // namespace resmgr::journal
