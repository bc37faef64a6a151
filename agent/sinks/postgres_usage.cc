#include "agent/sinks/postgres_usage.h"

#include <algorithm>
#include <pqxx/pqxx>

#include "agent/sinks/postgres_schema.h"
#include "agent/sinks/postgres_session.h"

namespace resmgr::sinks {
namespace {

constexpr Millis kLongest{5'000};

PostgresOptions briefly(PostgresOptions options) {
  options.timeout = std::min(options.timeout, kLongest);
  return options;
}

}  // namespace

struct PostgresUsage::State {
  explicit State(const PostgresOptions& its_options)
      : options(briefly(its_options)), session(options) {}

  const PostgresOptions options;
  PostgresSession session;
};

PostgresUsage::PostgresUsage(const PostgresOptions& options)
    : state_(std::make_unique<State>(options)) {}

PostgresUsage::~PostgresUsage() = default;

std::optional<std::string> PostgresUsage::hash_before(const std::string& task_id,
                                                      const std::string& journal_id) {
  std::optional<std::string> hash;
  state_->session.run([](PostgresConnection&) {},
                      [&](PostgresConnection& connection) {
                        const std::string table =
                            postgres_table(connection, state_->options.schema, "tasks");
                        pqxx::work transaction(connection);
                        const auto rows = transaction.exec_params(
                            "SELECT UsageHash FROM " + table +
                                " WHERE Id = $1::UUID AND JournalId <> $2::UUID"
                                " AND StopTime IS NOT NULL AND UsageHash IS NOT NULL",
                            task_id, journal_id);
                        if (!rows.empty()) hash = rows[0][0].as<std::string>();
                        return Outcome::delivered();
                      });
  return hash;
}

}  // namespace resmgr::sinks
