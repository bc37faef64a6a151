// Which PostgreSQL, and how it is spoken of: a password is never part of that.
#ifndef RESMGR_AGENT_SINKS_POSTGRES_ADDRESS_H_
#define RESMGR_AGENT_SINKS_POSTGRES_ADDRESS_H_

#include <string>
#include <string_view>

#include "common/clock.h"

namespace resmgr::sinks {

struct PostgresOptions {
  // postgresql://[user[:password]@][host][:port][/database][?…], or key=value pairs. What it does
  // not say comes from PG* variables, ~/.pgpass and the service file, as for every client of
  // PostgreSQL: "postgresql://" alone takes all of it from there.
  std::string url;
  std::string ca_file;  // PEM; empty: as sslrootcert or PGSSLROOTCERT say
  std::string schema = "public";
  Millis timeout{30'000};  // of one delivery
  std::string agent_id;
  std::string host;  // name of this agent's, for people
};

class PostgresAddress {
 public:
  // Throws Error(config), without the URL's text, if the URL can't be read.
  explicit PostgresAddress(const PostgresOptions& options);

  // For libpq. Secret.
  const std::string& connection_text() const { return connection_text_; }
  // "user@host:port/database", of what the URL says.
  const std::string& shown() const { return shown_; }
  // `text` without the password, should it hold it.
  std::string without_secrets(std::string_view text) const;

 private:
  std::string connection_text_;
  std::string shown_;
  std::string password_;
};

}  // namespace resmgr::sinks

#endif  // RESMGR_AGENT_SINKS_POSTGRES_ADDRESS_H_
