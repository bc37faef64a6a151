#include "agent/sinks/postgres_address.h"

#include <libpq-fe.h>

#include <cstdlib>
#include <map>
#include <memory>
#include <utility>

#include "common/error.h"

namespace resmgr::sinks {
namespace {

using Parameters = std::map<std::string, std::string>;

// What is explicitly there; libpq fills in the rest by itself.
Parameters parse(const std::string& url) {
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(
      PQconninfoParse(url.c_str(), nullptr), &PQconninfoFree);
  if (!options) {
    // libpq would say what it stumbled over, which may be a part of the password.
    throw Error(ErrorKind::config, "cannot use postgres.url: it is no connection URL of PostgreSQL",
                "postgresql://USER@HOST:5432/DATABASE, with the password in .pgpass; in a URL "
                "special characters are percent-encoded");
  }
  Parameters parameters;
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
    if (option->val != nullptr) parameters[option->keyword] = option->val;
  }
  return parameters;
}

void set_default(Parameters& parameters, const char* keyword, const char* variable,
                 const std::string& value) {
  if (variable != nullptr && std::getenv(variable) != nullptr) return;
  parameters.emplace(keyword, value);
}

std::string quoted(const std::string& value) {
  std::string text = "'";
  for (const char c : value) {
    if (c == '\'' || c == '\\') text += '\\';
    text += c;
  }
  return text + "'";
}

std::string shown_form(const Parameters& parameters) {
  const auto value = [&](const char* keyword) {
    const auto found = parameters.find(keyword);
    return found == parameters.end() ? std::string() : found->second;
  };
  std::string text = value("user");
  if (!text.empty()) text += '@';
  text += value("host").empty() ? value("hostaddr") : value("host");
  if (!value("port").empty()) text += ":" + value("port");
  if (!value("dbname").empty()) text += "/" + value("dbname");
  return text.empty() ? "PostgreSQL" : text;
}

}  // namespace

PostgresAddress::PostgresAddress(const PostgresOptions& options) {
  Parameters parameters = parse(options.url);
  shown_ = shown_form(parameters);
  if (const auto found = parameters.find("password"); found != parameters.end()) {
    password_ = found->second;
    url_has_password_ = true;
  }
  if (options.password.given()) parameters["password"] = password_ = options.password.bytes();
  if (!options.ca_file.empty()) {
    parameters["sslrootcert"] = options.ca_file;
    // libpq's own default looks at no certificate.
    set_default(parameters, "sslmode", "PGSSLMODE", "verify-full");
  }
  set_default(parameters, "connect_timeout", "PGCONNECT_TIMEOUT", "5");
  set_default(parameters, "application_name", "PGAPPNAME", "resmgr-agent");
  set_default(parameters, "client_encoding", nullptr, "UTF8");
  // A peer whose host is gone answers nothing, not even that.
  set_default(parameters, "keepalives_idle", nullptr, "10");
  set_default(parameters, "keepalives_interval", nullptr, "5");
  set_default(parameters, "keepalives_count", nullptr, "3");
  set_default(parameters, "tcp_user_timeout", nullptr, std::to_string(options.timeout.count()));
  for (const auto& [keyword, value] : parameters) {
    connection_text_ += keyword + "=" + quoted(value) + " ";
  }
}

std::string PostgresAddress::without_secrets(std::string_view text) const {
  std::string clean(text);
  if (password_.empty()) return clean;
  for (std::size_t at = clean.find(password_); at != std::string::npos;
       at = clean.find(password_, at)) {
    clean.replace(at, password_.size(), "********");
    at += 8;
  }
  return clean;
}

}  // namespace resmgr::sinks
