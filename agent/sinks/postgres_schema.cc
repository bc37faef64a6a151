#include "agent/sinks/postgres_schema.h"

#include <array>

#include "agent/sinks/postgres_session.h"
#include "common/log.h"

namespace resmgr::sinks {
namespace {

// {schema} stands for the quoted schema. The first nine columns are the data model's, unquoted and
// as it has them. A later migration only adds, so that older agents of a fleet go on.
constexpr std::array kMigrations = {
    R"sql(
CREATE TABLE {schema}.tasks (
  Id UUID PRIMARY KEY,
  UserId UUID,
  ServiceType VARCHAR,
  ContainerId VARCHAR,
  Port INT,
  StartTime TIMESTAMP,
  StopTime TIMESTAMP,
  Duration INTERVAL,
  Status VARCHAR,
  Phase VARCHAR,
  StatusReason VARCHAR,
  ExitCode INT,
  TimePrecision VARCHAR,
  UsageHash VARCHAR,
  CreatedAt TIMESTAMP,
  Host VARCHAR,
  Seq BIGINT,
  AgentId UUID,
  JournalId UUID
);
CREATE INDEX tasks_of_user ON {schema}.tasks (UserId, StartTime);
CREATE INDEX tasks_running ON {schema}.tasks (StartTime) WHERE Status = 'Running';
CREATE INDEX tasks_of_host ON {schema}.tasks (Host, StartTime);
COMMENT ON TABLE {schema}.tasks IS
  'Tasks of all resmgr agents that write here. Times are UTC. Made and kept by resmgr-agent.';

CREATE TABLE {schema}.resmgr_cursors (
  JournalId UUID PRIMARY KEY,
  AgentId UUID NOT NULL,
  Host VARCHAR NOT NULL,
  Seq BIGINT NOT NULL,
  Digest VARCHAR NOT NULL,
  MovedAt TIMESTAMP NOT NULL DEFAULT now()
);
COMMENT ON TABLE {schema}.resmgr_cursors IS
  'How far the table tasks has come in the journal of each agent.';
)sql",
};

// 'rsmg': the first half of the key of the lock that migrating agents hold; the schema's hash is
// the second.
constexpr char kLock[] = "SELECT pg_advisory_xact_lock(1920167271, hashtext($1))";

constexpr char kExists[] =
    "SELECT 1 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " WHERE n.nspname = $1 AND c.relname = $2";

bool exists(pqxx::transaction_base& transaction, const std::string& schema,
            const std::string& table) {
  return !transaction.exec_params(kExists, schema, table).empty();
}

int version_of(pqxx::transaction_base& transaction, const std::string& schema,
               const std::string& table) {
  if (!exists(transaction, schema, "resmgr_migrations")) return 0;
  return transaction.exec("SELECT coalesce(max(Version), 0) FROM " + table)[0][0].as<int>();
}

void refuse_missing(pqxx::transaction_base& transaction, const std::string& schema) {
  const auto found =
      transaction.exec_params("SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1", schema);
  if (!found.empty()) return;
  throw PostgresRefusal("cannot use schema '" + schema + "': there is none of that name",
                        "CREATE SCHEMA " + schema +
                            " AUTHORIZATION the agent's role, or another "
                            "name in [postgres] schema");
}

void refuse_foreign(pqxx::transaction_base& transaction, const std::string& schema) {
  for (const char* const table : {"tasks", "resmgr_cursors"}) {
    if (!exists(transaction, schema, table)) continue;
    throw PostgresRefusal(
        "cannot use table '" + schema + "." + table + "': it was made by another program",
        "CREATE SCHEMA resmgr, and schema = \"resmgr\" in [postgres]");
  }
}

void tell_of_quoted(pqxx::transaction_base& transaction, const std::string& schema) {
  if (!exists(transaction, schema, "Tasks")) return;
  log::warning(
      "Schema {Schema} has a table \"Tasks\" too, which another program made under a quoted name: "
      "SELECT … FROM tasks reads the agent's, SELECT … FROM \"Tasks\" the other's",
      {{"Schema", schema}});
}

std::string with_schema(std::string text, const std::string& quoted) {
  constexpr std::string_view kPlace = "{schema}";
  for (auto at = text.find(kPlace); at != std::string::npos; at = text.find(kPlace, at)) {
    text.replace(at, kPlace.size(), quoted);
    at += quoted.size();
  }
  return text;
}

// Whether there was anything to do.
bool migrate(PostgresConnection& connection, pqxx::work& transaction, const std::string& schema) {
  const std::string table = postgres_table(connection, schema, "resmgr_migrations");
  constexpr int kNewest = static_cast<int>(kMigrations.size());
  refuse_missing(transaction, schema);
  // A role that may only write rows is enough once the tables are there.
  if (version_of(transaction, schema, table) >= kNewest) return false;
  transaction.exec_params(kLock, schema);
  int version = version_of(transaction, schema, table);
  if (version == 0) {
    refuse_foreign(transaction, schema);
    tell_of_quoted(transaction, schema);
    transaction.exec("CREATE TABLE IF NOT EXISTS " + table +
                     " (Version INT PRIMARY KEY, AppliedAt TIMESTAMP NOT NULL DEFAULT now())");
  }
  const std::string quoted = connection.quote_name(schema);
  for (; version < kNewest; ++version) {
    transaction.exec(with_schema(kMigrations.at(static_cast<std::size_t>(version)), quoted));
    transaction.exec_params("INSERT INTO " + table + " (Version) VALUES ($1)", version + 1);
  }
  return true;
}

}  // namespace

std::string postgres_table(PostgresConnection& connection, const std::string& schema,
                           const std::string& name) {
  return connection.quote_name(schema) + "." + name;
}

void migrate_postgres(PostgresConnection& connection, const std::string& schema) {
  pqxx::work transaction(connection);
  if (migrate(connection, transaction, schema)) transaction.commit();
}

void try_migrating_postgres(PostgresConnection& connection, const std::string& schema) {
  pqxx::work transaction(connection);
  migrate(connection, transaction, schema);
  transaction.abort();
}

}  // namespace resmgr::sinks
