// A connection to the journal's file: opening, statements that stay prepared, and SQLite's errors
// as ours. SQLiteCpp and SQLite stay behind this wall.
//
// Statements are SQLite's own handles and not SQLiteCpp's: those copy each text that is bound, and
// count a reference for each column that is read, which was a fifth of a list's time.
#ifndef RESMGR_AGENT_JOURNAL_DATABASE_H_
#define RESMGR_AGENT_JOURNAL_DATABASE_H_

#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <vector>

#include "common/clock.h"
#include "common/error.h"

struct sqlite3;
struct sqlite3_stmt;

namespace SQLite {  // NOLINT(readability-identifier-naming): it is its own
class Database;
}

namespace resmgr::journal {

// What SQLite answered. The kind is unavailable (disk full, read-only or failing; locked by another
// process; no memory), corrupt, or internal.
class DatabaseError final : public Error {
 public:
  // `primary_code` is one of https://www.sqlite.org/rescode.html.
  DatabaseError(int primary_code, std::string_view sqlite_message);

  // The file holds what this program would never write.
  static DatabaseError damaged();
  // SQLite undid the transaction on its own.
  static DatabaseError aborted();
  // No space is left.
  static DatabaseError full();

  const std::string& cause() const { return cause_; }
  // A constraint of the schema does not hold: of all errors the one that is a statement's own.
  bool is_constraint() const;
  // Freeing space on the disk may help.
  bool may_lack_space() const;
  // As it is told to those whose own transaction did nothing wrong.
  Error of_writing() const;

 private:
  struct Fault {
    ErrorKind kind;
    std::string cause;
    std::string hint;
  };
  static Fault fault_of(int primary_code, std::string_view sqlite_message);
  DatabaseError(int primary_code, const Fault& fault);

  int code_;
  std::string cause_;
};

class Statement {
 public:
  Statement(sqlite3* connection, std::string_view sql);
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  // Parameters count from 1. A text must live until reset().
  void bind(int index, std::string_view text);
  void bind(int index, double number);
  void bind(int index, std::nullptr_t);
  template <std::integral T>
  void bind(int index, T number) {
    bind_integer(index, static_cast<std::int64_t>(number));
  }
  template <typename T>
  void bind(int index, const std::optional<T>& value) {
    if (value) {
      bind(index, *value);
    } else {
      bind(index, nullptr);
    }
  }

  // Whether there is a (further) row.
  bool step();
  // Columns of the row, from 0. A text lives until the next step() or reset().
  std::int64_t integer(int column) const;
  double real(int column) const;
  std::string_view text(int column) const;
  bool is_null(int column) const;

  void reset();

 private:
  void bind_integer(int index, std::int64_t number);
  void check(int result) const;

  sqlite3* connection_;
  sqlite3_stmt* handle_ = nullptr;
};

// For one thread at a time.
class Database {
 public:
  enum class Access { read_write, read_only };
  struct Options {
    Access access = Access::read_write;
    Millis busy_timeout{5'000};
    int cache_kib = 512;  // pages of the file that this connection keeps in memory
  };

  // Makes the file (mode 0600) if it may write and there is none. Its companions (-wal, -shm) get
  // the file's mode from SQLite.
  Database(const std::string& file, const Options& options);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // Runs statements that give no rows, or whose rows nobody wants.
  void exec(const std::string& statements);
  // The first column of the only row.
  std::int64_t integer(std::string_view sql);
  // The first column of each row, of the first `most`.
  std::vector<std::string> texts(std::string_view sql, int most);

  // Prepared at its first use, and kept. `sql` must live as long as this. Don't use it while it is
  // in use: Query sees to that.
  Statement& prepared(std::string_view sql);

  // All that are prepared by now, for who wants to look at their plans.
  std::vector<std::string_view> statements() const;

  bool in_transaction() const;
  // Undoes the transaction, if there is one, and says nothing: the error that led here says it.
  void roll_back() noexcept;
  // Rows that the last INSERT, UPDATE or DELETE touched.
  int changes() const;
  std::int64_t last_insert_rowid() const;

  // How many pages the write-ahead log had after this connection's last commit.
  int log_pages() const { return log_pages_; }
  // Moves what it can of the log into the file; with a `wait`, all of it if readers of older views
  // end within that time. An error is none of the caller's business: nothing is lost, and the next
  // one tries again.
  void checkpoint(Millis wait) noexcept;

 private:
  sqlite3* handle() const;

  std::unique_ptr<SQLite::Database> connection_;
  std::unordered_map<std::string_view, std::unique_ptr<Statement>> statements_;
  Millis busy_timeout_;
  int log_pages_ = 0;
};

// One use of a prepared statement: binds the arguments to ?1, ?2, … and resets it at the end. The
// texts among them must outlive it.
class Query {
 public:
  template <typename... Args>
  Query(Database& database, std::string_view sql, Args&&... args)
      : statement_(database.prepared(sql)) {
    static_assert((!std::is_same_v<Args, std::string> && ...), "this text would be gone");
    int index = 0;
    (statement_.bind(++index, args), ...);
  }
  ~Query() { statement_.reset(); }
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;

  Statement* operator->() { return &statement_; }
  Statement& operator*() { return statement_; }
  // For a statement that gives no rows.
  void run() {
    while (statement_.step()) {
    }
  }

 private:
  Statement& statement_;
};

}  // namespace resmgr::journal

#endif  // RESMGR_AGENT_JOURNAL_DATABASE_H_
