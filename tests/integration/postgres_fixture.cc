#include "tests/integration/postgres_fixture.h"

#include <set>

#include "common/ids.h"
#include "tests/support/task_rows.h"

namespace resmgr::sinks {
namespace {

std::shared_ptr<PostgresOptions> options_of(const std::string& url, std::string name,
                                            const std::string& schema) {
  PostgresOptions options;
  options.url = url;
  options.schema = schema;
  options.agent_id = new_uuid_v4();
  options.host = std::move(name);
  return std::make_shared<PostgresOptions>(options);
}

}  // namespace

Host::Host(const std::string& url, const std::string& its_name, const std::string& schema)
    : Host(options_of(url, its_name, schema)) {}

Host::Host(std::shared_ptr<PostgresOptions> its)
    : JournalHost(its->host, [its] { return std::make_unique<PostgresSink>(*its); }),
      options(*its) {}

void Host::connect_to(const std::string& url) {
  options.url = url;
  make_pump();
}

void PostgresTest::SetUpTestSuite() { server_ = std::make_unique<support::PostgresServer>(); }

void PostgresTest::TearDownTestSuite() { server_.reset(); }

PostgresTest::PostgresTest() {
  static int count = 0;
  database_ = "test" + std::to_string(++count);
  server().query("CREATE DATABASE " + database_);
}

std::string PostgresTest::expected(const std::vector<Host*>& hosts) {
  std::set<std::string> lines;
  for (const Host* const host : hosts) {
    const auto rows = host->journal->reading(
        [](journal::Reader& reader) { return reader.tasks({}, 100'000, ""); });
    for (const auto& row : rows) {
      if (!support::has_row(row.task)) continue;
      lines.insert(support::row_of(row.task) + "|" + host->name + "|" + host->journal->id() + "\n");
    }
  }
  std::string text;
  for (const std::string& line : lines) text += line;
  return text;
}

std::string PostgresTest::found(const std::string& schema) const {
  return support::rows_in(server(), database_, schema, ", Host, JournalId");
}

}  // namespace resmgr::sinks
