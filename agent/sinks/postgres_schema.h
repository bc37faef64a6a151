// The agent's tables in PostgreSQL, and the migrations that make them.
#ifndef RESMGR_AGENT_SINKS_POSTGRES_SCHEMA_H_
#define RESMGR_AGENT_SINKS_POSTGRES_SCHEMA_H_

#include <string>

#include "agent/sinks/postgres_connection.h"

namespace resmgr::sinks {

// `schema."name"` of one of the agent's tables, quoted as SQL has it.
std::string postgres_table(PostgresConnection& connection, const std::string& schema,
                           const std::string& name);

// Brings the tables up to date. Agents that start together wait for each other; a schema that a
// newer agent made is left as it is, for migrations only add. Throws PostgresRefusal where the
// schema is missing, or holds a table of another program under one of these names.
void migrate_postgres(PostgresConnection& connection, const std::string& schema);
// Does the same and undoes it.
void try_migrating_postgres(PostgresConnection& connection, const std::string& schema);

}  // namespace resmgr::sinks

#endif  // RESMGR_AGENT_SINKS_POSTGRES_SCHEMA_H_
