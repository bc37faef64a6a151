// A connection of libpqxx whose libpq connection can be had, for what libpqxx has no words for.
#ifndef RESMGR_AGENT_SINKS_POSTGRES_CONNECTION_H_
#define RESMGR_AGENT_SINKS_POSTGRES_CONNECTION_H_

#include <libpq-fe.h>

#include <pqxx/pqxx>
#include <string>

namespace resmgr::sinks {

#if PQXX_VERSION_MAJOR < 7

// Version 6 shows libpq's connection to its policy alone, and the policy to nobody.
class PostgresPolicy : public pqxx::connect_direct {
 public:
  explicit PostgresPolicy(const std::string& options) : connect_direct(options) {}
  handle do_startconnect(handle original) override;
  // What this thread connected last.
  static PGconn* latest();
};

using PostgresConnectionBase = pqxx::basic_connection_base<PostgresPolicy>;

#else

using PostgresConnectionBase = pqxx::connection;

#endif

// For one thread at a time.
class PostgresConnection final : public PostgresConnectionBase {
 public:
  // Connects. Throws what libpqxx throws.
  explicit PostgresConnection(const std::string& options);
  // Lives as long as this does.
  PGconn* libpq() const { return libpq_; }

 private:
#if PQXX_VERSION_MAJOR >= 7
  explicit PostgresConnection(PGconn* libpq);
#endif
  PGconn* const libpq_;
};

}  // namespace resmgr::sinks

#endif  // RESMGR_AGENT_SINKS_POSTGRES_CONNECTION_H_
