// Journals that are pumped into one real PostgreSQL, each test in a database of its own.
#ifndef RESMGR_TESTS_INTEGRATION_POSTGRES_FIXTURE_H_
#define RESMGR_TESTS_INTEGRATION_POSTGRES_FIXTURE_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "agent/sinks/postgres_sink.h"
#include "tests/contract/journal_host.h"
#include "tests/support/eventually.h"
#include "tests/support/postgres_server.h"

namespace resmgr::sinks {

class Host : public JournalHost {
 public:
  Host(const std::string& url, const std::string& its_name, const std::string& schema = "public");
  void connect_to(const std::string& url);

  PostgresOptions& options;  // of the sinks that are made from now on

 private:
  explicit Host(std::shared_ptr<PostgresOptions> its);
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
