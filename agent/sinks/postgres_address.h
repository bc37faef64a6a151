// Which PostgreSQL, and how it is spoken of: a password is never part of that.
#ifndef RESMGR_AGENT_SINKS_POSTGRES_ADDRESS_H_
#define RESMGR_AGENT_SINKS_POSTGRES_ADDRESS_H_

#include <string>
#include <string_view>

#include "common/clock.h"
#include "common/destination.h"

namespace resmgr::sinks {

struct PostgresOptions {
  // postgresql://[user[:password]@][host][:port][/database][?…], or key=value pairs. What it does
  // not say comes from PG* variables, ~/.pgpass and the service file, as for every client of
  // PostgreSQL: "postgresql://" alone takes all of it from there.
  std::string url;
  // PEM; the server is then held to its name (sslmode verify-full) where neither the URL nor
  // PGSSLMODE says otherwise. Empty: as sslrootcert or PGSSLROOTCERT say.
  std::string ca_file;
  Secret password;  // none: as the URL, PGPASSWORD or .pgpass say
  std::string schema = "public";
  Millis timeout{30'000};  // of one delivery
  std::string agent_id;
  std::string host;  // name of this agent's, for people
};

class PostgresAddress {
 public:
  // Throws Error(config), without the URL's text, if the URL can't be read, or the password's file.
  explicit PostgresAddress(const PostgresOptions& options);

  // For libpq. Secret.
  const std::string& connection_text() const { return connection_text_; }
  bool url_has_password() const { return url_has_password_; }
  // "user@host:port/database", of what the URL says.
  const std::string& shown() const { return shown_; }
  // `text` without the password, should it hold it.
  std::string without_secrets(std::string_view text) const;

 private:
  std::string connection_text_;
  std::string shown_;
  std::string password_;
  bool url_has_password_ = false;
};

}  // namespace resmgr::sinks

#endif  // RESMGR_AGENT_SINKS_POSTGRES_ADDRESS_H_
