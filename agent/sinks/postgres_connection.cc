#include "agent/sinks/postgres_connection.h"

#include <new>
#include <utility>

namespace resmgr::sinks {

#if PQXX_VERSION_MAJOR < 7

namespace {

thread_local PGconn* latest_connection = nullptr;

// It would make a lost connection anew, silently: without our settings, and with a socket that the
// watchdog does not know.
void stay_broken(pqxx::connection_base& connection) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  connection.inhibit_reactivation(true);
#pragma GCC diagnostic pop
}

}  // namespace

PostgresPolicy::handle PostgresPolicy::do_startconnect(handle original) {
  latest_connection = connect_direct::do_startconnect(original);
  return latest_connection;
}

PGconn* PostgresPolicy::latest() { return latest_connection; }

PostgresConnection::PostgresConnection(const std::string& options)
    : PostgresConnectionBase(options), libpq_(PostgresPolicy::latest()) {
  stay_broken(*this);
}

#else

namespace {

PGconn* connect_to(const std::string& options) {
  PGconn* const made = PQconnectdb(options.c_str());
  if (made == nullptr) throw std::bad_alloc();
  if (PQstatus(made) == CONNECTION_OK) return made;
  const std::string reason = PQerrorMessage(made);
  PQfinish(made);
  throw pqxx::broken_connection(reason);
}

}  // namespace

PostgresConnection::PostgresConnection(const std::string& options)
    : PostgresConnection(connect_to(options)) {}

PostgresConnection::PostgresConnection(PGconn* libpq)
    : PostgresConnectionBase(seize_raw_connection(libpq)), libpq_(libpq) {}

#endif

}  // namespace resmgr::sinks
