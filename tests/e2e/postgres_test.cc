// An agent whose PostgreSQL comes and goes: it serves all the while, and the rows are there in the
// end.

#include "tests/e2e/fixture.h"
#include "tests/support/postgres_server.h"

namespace resmgr::e2e {
namespace {

using ::testing::HasSubstr;

class PostgresE2eTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { support::ensure_hello_image(); }

  PostgresE2eTest() {
    options_.config = "[sinks]\nbackoff_max = \"1s\"\n";
    options_.env["RESMGR_POSTGRES_URL"] = server_.url();
    agent_ = std::make_unique<support::AgentProcess>(options_);
  }

  std::string start() const {
    const auto finished = agent_->cli({"start", "hello", "--quiet"});
    EXPECT_EQ(finished.code, 0) << finished.err;
    return finished.out.substr(0, finished.out.find('\n'));
  }
  std::string row(const std::string& id) const {
    return server_.query(
        "SELECT Status, Port > 0, Duration = StopTime - StartTime FROM tasks"
        " WHERE Id = '" +
        id + "'");
  }
  bool has_row(const std::string& id, const std::string& text) const {
    return support::eventually([&] {
      try {
        return row(id) == text;
      } catch (const std::runtime_error&) {
        return false;  // the table is still to come
      }
    });
  }
  std::string sink_line() const {
    const std::string text = agent_->cli({"status", "-o", "table"}).out;
    const auto begin = text.find("Sink");
    return begin == std::string::npos ? text : text.substr(begin);
  }

  support::PostgresServer server_;
  support::AgentOptions options_;
  std::unique_ptr<support::AgentProcess> agent_;
};

TEST_F(PostgresE2eTest, ServesWithoutItAndCatchesUp) {
  const std::string first = start();
  EXPECT_TRUE(has_row(first, "Running|t|\n"));
  server_.kill9();
  EXPECT_EQ(agent_->cli({"stop", first}).code, 0);
  const std::string second = start();
  EXPECT_TRUE(support::eventually([&] {
    return sink_line().find("postgres failing") != std::string::npos;
  })) << sink_line();
  EXPECT_THAT(sink_line(), HasSubstr("events behind"));
  agent_->kill9();
  agent_->start();
  EXPECT_EQ(agent_->cli({"stop", second}).code, 0);
  server_.start();
  EXPECT_EQ(agent_->cli({"sync", "now", "postgres"}).code, 0);
  EXPECT_TRUE(has_row(first, "Stopped|t|t\n"));
  EXPECT_TRUE(has_row(second, "Stopped|t|t\n"));
  EXPECT_TRUE(support::eventually([&] {
    return sink_line().find("postgres current") != std::string::npos;
  })) << sink_line();
  EXPECT_EQ(agent_->stop(), 0);
}

TEST_F(PostgresE2eTest, AServerThatHangsHoldsUpNeitherCallersNorTheStop) {
  const std::string first = start();
  EXPECT_TRUE(has_row(first, "Running|t|\n"));
  server_.freeze();
  EXPECT_EQ(agent_->cli({"stop", first}).code, 0);
  EXPECT_EQ(agent_->stop(), 0);
  server_.thaw();
  agent_->start();
  EXPECT_TRUE(has_row(first, "Stopped|t|t\n"));
}

}  // namespace
}  // namespace resmgr::e2e
