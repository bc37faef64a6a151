// Journals that are pumped into one real PostgreSQL, each test in a database of its own.
#ifndef RESMGR_TESTS_INTEGRATION_POSTGRES_FIXTURE_H_
#define RESMGR_TESTS_INTEGRATION_POSTGRES_FIXTURE_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "agent/journal/journal.h"
#include "agent/sinks/postgres_sink.h"
#include "agent/sinks/pump.h"
#include "tests/fakes/fake_clock.h"
#include "tests/support/eventually.h"
#include "tests/support/postgres_server.h"
#include "tests/support/temp_dir.h"

namespace resmgr::sinks {

// A journal, and a pump from it, as an agent has them.
class Host {
 public:
  Host(const std::string& url, std::string name, const std::string& schema = "public");

  void open();
  // As a killed process leaves it and the next one finds it.
  void restart();
  void connect_to(const std::string& url);

  // Steps until there is nothing to do at once; what the last step said.
  std::optional<Millis> settle();
  // Steps, as soon as it may, until all is delivered.
  bool deliver_all();
  SinkStatus status() const { return pump->status(); }
  std::string cause() const { return status().last_error; }

  journal::TaskRow admit();
  void change(journal::TaskRow& row, std::string_view event_type);
  // The events of a whole life: start requested, created, started, ready …
  journal::TaskRow run();
  void end(journal::TaskRow& row);
  journal::TaskRow fail();

  FakeClock clock;
  support::TempDir dir;
  std::unique_ptr<journal::Journal> journal;
  std::unique_ptr<Pump> pump;
  PostgresOptions options;
  PumpOptions pump_options;

 private:
  void make_pump();
};

class PostgresTest : public testing::Test {
 protected:
  static void SetUpTestSuite();
  static void TearDownTestSuite();

  PostgresTest();

  static support::PostgresServer& server() { return *server_; }
  std::string url(const std::string& user = "postgres") const {
    return server().url(user, database_);
  }
  std::string query(const std::string& sql) const { return server().query(sql, database_); }

  // What the rows should be, of the journals' own tasks, and what they are.
  static std::string expected(const std::vector<Host*>& hosts);
  std::string found(const std::string& schema = "public") const;

  std::string database_;

 private:
  inline static std::unique_ptr<support::PostgresServer> server_;
};

}  // namespace resmgr::sinks

#endif  // RESMGR_TESTS_INTEGRATION_POSTGRES_FIXTURE_H_
