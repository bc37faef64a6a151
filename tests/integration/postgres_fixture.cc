#include "tests/integration/postgres_fixture.h"

#include <set>

#include "common/ids.h"
#include "common/time_format.h"

namespace resmgr::sinks {
namespace {

std::string time_or_nothing(const std::optional<Instant>& time) {
  return time ? format_rfc3339(*time) : "";
}

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
      const Task& task = row.task;
      if (!task.start_time && is_active(task.status)) continue;
      const bool active = is_active(task.status);
      const auto duration = task.duration();
      lines.insert(task.task_id + "|" + task.user_id + "|" + task.service_type + "|" +
                   task.container_id + "|" +
                   (task.container_port == 0 ? "" : std::to_string(task.container_port)) + "|" +
                   time_or_nothing(task.start_time) + "|" + time_or_nothing(task.stop_time) + "|" +
                   (duration ? std::to_string(duration->count()) : "") + "|" +
                   (active ? "Running" : std::string(to_string(task.status))) + "|" +
                   std::string(to_string(task.status)) + "|" + host->name + "|" +
                   host->journal->id() + "\n");
    }
  }
  std::string text;
  for (const std::string& line : lines) text += line;
  return text;
}

std::string PostgresTest::found(const std::string& schema) const {
  const std::string time = R"('YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')";
  return query("SELECT Id, UserId, ServiceType, ContainerId, Port, to_char(StartTime, " + time +
               "), to_char(StopTime, " + time +
               "), (extract(epoch FROM Duration) * 1000)::BIGINT, Status, Phase, Host, JournalId"
               " FROM " +
               schema + ".tasks ORDER BY Id::TEXT COLLATE \"C\"");
}

}  // namespace resmgr::sinks
