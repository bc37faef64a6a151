#include "agent/sinks/postgres_session.h"

#include <sys/socket.h>

#include <algorithm>
#include <utility>

namespace resmgr::sinks {
namespace {

constexpr Millis kLockTimeout{10'000};
constexpr std::size_t kLongestReason = 300;

// The first line says what; DETAIL, and the statement, may hold much else.
std::string first_line(std::string text) {
  text.resize(std::min(text.find('\n'), text.size()));
  for (const std::string_view prefix : {"ERROR:", "FATAL:"}) {
    if (text.starts_with(prefix)) text.erase(0, prefix.size());
  }
  text.erase(0, text.find_first_not_of(' '));
  if (text.size() > kLongestReason) text.resize(kLongestReason);
  return text;
}

// What to do about a connection that did not come about; empty: nothing that we know of.
std::string hint_for(std::string_view reason) {
  struct Known {
    std::string_view words;
    std::string_view hint;
  };
  constexpr Known kKnown[] = {
      {"certificate verify failed",
       "name the CA of the server's certificate in [postgres] ca_file; if it is that one, see "
       "whether the certificate expired"},
      {"does not match host name",
       "write a name that the certificate is for into [postgres] url, or have a certificate made "
       "for this one"},
      // So it calls the signature of another authority of the same name.
      {"SSL error: EVP lib", "name the CA of the server's certificate in [postgres] ca_file"},
      {"root certificate file", "name the CA of the server's certificate in [postgres] ca_file"},
      {"does not support SSL", "turn TLS on in the server (ssl = on), or set another sslmode"},
      {"password", "give it in [postgres] password_file, RESMGR_POSTGRES_PASSWORD or .pgpass"},
  };
  for (const Known& known : kKnown) {
    if (reason.find(known.words) != std::string_view::npos) return std::string(known.hint);
  }
  return {};
}

// libpq tells of each address that it tried. The first need not be the one that says something: of
// a host with two addresses one may be refused, and the other show a wrong certificate.
std::string telling_line(const std::string& text) {
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    std::string line = text.substr(begin, end - begin);
    if (!hint_for(line).empty()) return line;
    begin = end + 1;
  }
  return text;
}

bool is_of(const std::string& state, std::string_view beginning) {
  return state.starts_with(beginning);
}

// libpqxx 6 tells some of them by the exception's type alone.
std::string state_of(const pqxx::sql_error& error) {
  if (!error.sqlstate().empty()) return error.sqlstate();
  if (dynamic_cast<const pqxx::insufficient_privilege*>(&error) != nullptr) return "42501";
  if (dynamic_cast<const pqxx::data_exception*>(&error) != nullptr) return "22000";
  if (dynamic_cast<const pqxx::integrity_constraint_violation*>(&error) != nullptr) return "23000";
  if (dynamic_cast<const pqxx::syntax_error*>(&error) != nullptr) return "42601";
  return "";
}

// The server's own limits, so that a call of ours that is gone leaves nothing behind.
void set_limits(PostgresConnection& connection, Millis timeout) {
  pqxx::nontransaction transaction(connection);
  const auto millis = std::to_string(timeout.count());
  transaction.exec("SET TIME ZONE 'UTC'");
  transaction.exec("SET statement_timeout = " + millis);
  transaction.exec("SET idle_in_transaction_session_timeout = " + millis);
  transaction.exec("SET lock_timeout = " + std::to_string(std::min(timeout, kLockTimeout).count()));
}

}  // namespace

PostgresSession::PostgresSession(const PostgresOptions& options)
    : options_(options),
      address_(options),
      watchdog_([this](const std::stop_token& stop) { watch(stop); }) {}

PostgresSession::~PostgresSession() {
  watchdog_.request_stop();
  watchdog_.join();
  give_up();
}

Outcome PostgresSession::run(const std::function<void(PostgresConnection&)>& on_connect,
                             const std::function<Outcome(PostgresConnection&)>& body) {
  set_deadline(std::chrono::steady_clock::now() + options_.timeout);
  Outcome outcome;
  try {
    if (!connection_) connect(on_connect);
    outcome = body(*connection_);
  } catch (const PostgresRefusal& refusal) {
    outcome = Outcome::refused(refusal.message(), refusal.hint());
  } catch (const pqxx::in_doubt_error&) {
    outcome = Outcome::retry("the connection broke in the middle of a commit");
  } catch (const pqxx::sql_error& error) {
    outcome = outcome_of(error);
  } catch (const Error& error) {
    // What can't be read will not be read the next time either.
    outcome = error.kind() == ErrorKind::corrupt ? Outcome::rejected(error.message())
                                                 : Outcome::retry(error.message());
  } catch (const std::exception& error) {
    // libpqxx 6 says then what it could not do without one.
    const bool broke = connection_ && !connection_->is_open();
    outcome = Outcome::retry(broke ? "the connection broke" : words(error));
    if (!connection_) {
      outcome.reason = address_.without_secrets(first_line(telling_line(error.what())));
      outcome.hint = hint_for(outcome.reason);
    }
  }
  set_deadline(std::nullopt);
  const bool keep =
      outcome.kind == Outcome::Kind::delivered || outcome.kind == Outcome::Kind::rejected;
  if (!keep) {
    const std::lock_guard lock(mutex_);
    if (timed_out_) outcome.reason = "it did not answer in time";
  }
  if (!keep) give_up();
  return outcome;
}

void PostgresSession::connect(const std::function<void(PostgresConnection&)>& on_connect) {
  {
    const std::lock_guard lock(mutex_);
    if (interrupted_) throw Error(ErrorKind::unavailable, "the agent stops");
  }
  connection_ = std::make_unique<PostgresConnection>(address_.connection_text());
  {
    const std::lock_guard lock(mutex_);
    socket_ = connection_->sock();
    if (interrupted_ || timed_out_) cut();
  }
  set_limits(*connection_, options_.timeout);
  on_connect(*connection_);
}

void PostgresSession::give_up() {
  {
    const std::lock_guard lock(mutex_);
    socket_ = -1;
  }
  connection_.reset();
}

void PostgresSession::interrupt() noexcept {
  const std::lock_guard lock(mutex_);
  interrupted_ = true;
  cut();
}

void PostgresSession::cut() const noexcept {
  if (socket_ >= 0) static_cast<void>(::shutdown(socket_, SHUT_RDWR));
}

void PostgresSession::set_deadline(std::optional<std::chrono::steady_clock::time_point> deadline) {
  const std::lock_guard lock(mutex_);
  deadline_ = deadline;
  if (deadline) timed_out_ = false;
  changed_.notify_all();
}

void PostgresSession::watch(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    if (!deadline_) {
      changed_.wait(lock, stop, [&] { return deadline_.has_value(); });
      continue;
    }
    const auto watched = deadline_;
    if (changed_.wait_until(lock, stop, *watched, [&] { return deadline_ != watched; })) continue;
    if (stop.stop_requested()) return;
    timed_out_ = true;
    cut();
    deadline_.reset();
  }
}

Outcome PostgresSession::outcome_of(const pqxx::sql_error& error) const {
  const std::string state = state_of(error);
  const std::string reason = words(error);
  // A value or a constraint: of all errors the ones that a row is to blame for.
  if (is_of(state, "22") || is_of(state, "23")) return Outcome::rejected(reason);
  if (state == "42501") {
    return Outcome::refused(
        reason, "GRANT USAGE, CREATE ON SCHEMA " + options_.schema +
                    " to the agent's role, or make a schema of its own (CREATE SCHEMA resmgr "
                    "AUTHORIZATION role) and name it in [postgres] schema");
  }
  if (is_of(state, "42") || is_of(state, "3F")) {
    return Outcome::refused(reason, "see that the agent's tables are as its migrations made them");
  }
  return Outcome::retry(reason);
}

std::string PostgresSession::words(const std::exception& error) const {
  return address_.without_secrets(first_line(error.what()));
}

}  // namespace resmgr::sinks
