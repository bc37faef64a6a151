// A PostgreSQL server of the test's own.
#ifndef RESMGR_TESTS_SUPPORT_POSTGRES_SERVER_H_
#define RESMGR_TESTS_SUPPORT_POSTGRES_SERVER_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/subprocess.h"
#include "tests/support/temp_dir.h"

namespace resmgr::support {

// Listens on a unix socket in a directory of its own, and trusts whoever comes. It is gone at the
// end, with its data. As root it runs as the user postgres: it refuses to run as root.
class PostgresServer {
 public:
  // Returns once it answers. Throws std::runtime_error with its log if it never does. `env` is
  // added to its environment; {dir} in it stands for directory().
  explicit PostgresServer(std::map<std::string, std::string> env = {});
  ~PostgresServer();
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;

  // Of the superuser, or of `user`.
  std::string url(const std::string& user = "postgres",
                  const std::string& database = "postgres") const;
  // Where its socket lies.
  std::string directory() const { return dir_.path(); }
  // Runs SQL as the superuser; rows as lines, columns separated by '|', NULL empty. Throws
  // std::runtime_error with the server's words.
  std::string query(const std::string& sql, const std::string& database = "postgres") const;

  void kill9();
  // After kill9().
  void start();
  // SIGSTOP and SIGCONT for the server and every backend: it takes connections and says nothing.
  void freeze() const;
  void thaw() const;
  // Ends the connections of every agent; how many there were.
  int cut_agents() const;

 private:
  std::vector<std::string> as_its_user(std::vector<std::string> command) const;
  void signal_all(int number) const;
  bool answers() const;

  TempDir dir_;
  std::map<std::string, std::string> env_;
  std::string programs_;
  std::unique_ptr<Subprocess> server_;
};

// A session that stays open while it lives, and has run `sql`: it holds a lock, say.
class PostgresSessionHolder {
 public:
  PostgresSessionHolder(const PostgresServer& server, const std::string& database,
                        const std::string& sql);
  ~PostgresSessionHolder();
  PostgresSessionHolder(const PostgresSessionHolder&) = delete;
  PostgresSessionHolder& operator=(const PostgresSessionHolder&) = delete;

 private:
  const PostgresServer& server_;
  std::unique_ptr<Subprocess> psql_;
};

}  // namespace resmgr::support

#endif  // RESMGR_TESTS_SUPPORT_POSTGRES_SERVER_H_
