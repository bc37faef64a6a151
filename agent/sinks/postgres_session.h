// A connection to PostgreSQL that never outlasts its time: a server that hangs, or a lock that is
// held, ends a call with an error and not with a wait. libpqxx stays behind the postgres_* files.
#ifndef RESMGR_AGENT_SINKS_POSTGRES_SESSION_H_
#define RESMGR_AGENT_SINKS_POSTGRES_SESSION_H_

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>

#include "agent/sinks/postgres_address.h"
#include "agent/sinks/postgres_connection.h"
#include "agent/sinks/sink.h"

namespace resmgr::sinks {

// For one thread, but interrupt().
class PostgresSession {
 public:
  explicit PostgresSession(const PostgresOptions& options);
  ~PostgresSession();
  PostgresSession(const PostgresSession&) = delete;
  PostgresSession& operator=(const PostgresSession&) = delete;

  // Runs `body` on the connection, making one first where there is none; `on_connect` is then run
  // before it. Whatever libpqxx throws becomes an outcome; where that is not `rejected`, the
  // connection is given up. `body` returns delivered() or what else it finds.
  Outcome run(const std::function<void(PostgresConnection&)>& on_connect,
              const std::function<Outcome(PostgresConnection&)>& body);

  // From another thread: ends a call under way, and every later one. It can't cut short the
  // connecting itself, which has a time limit of its own (5 s for each address).
  void interrupt() noexcept;

  const PostgresAddress& address() const { return address_; }

 private:
  void connect(const std::function<void(PostgresConnection&)>& on_connect);
  void give_up();
  // The socket is shut down at the deadline; none = no call is under way.
  void set_deadline(std::optional<std::chrono::steady_clock::time_point> deadline);
  void watch(const std::stop_token& stop);
  void cut() const noexcept;  // under mutex_
  Outcome outcome_of(const pqxx::sql_error& error) const;
  std::string words(const std::exception& error) const;

  const PostgresOptions options_;
  const PostgresAddress address_;
  std::unique_ptr<PostgresConnection> connection_;

  std::mutex mutex_;  // over what follows
  std::condition_variable_any changed_;
  int socket_ = -1;  // of the connection, as long as that lives
  std::optional<std::chrono::steady_clock::time_point> deadline_;
  bool interrupted_ = false;
  bool timed_out_ = false;
  std::jthread watchdog_;
};

// Thrown in on_connect or body where nothing can be delivered until somebody acts.
class PostgresRefusal final : public Error {
 public:
  PostgresRefusal(std::string message, std::string hint)
      : Error(ErrorKind::rejected, std::move(message), std::move(hint)) {}
};

}  // namespace resmgr::sinks

#endif  // RESMGR_AGENT_SINKS_POSTGRES_SESSION_H_
