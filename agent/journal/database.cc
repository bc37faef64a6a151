#include "agent/journal/database.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace resmgr::journal {
namespace {

constexpr char kUnavailable[] = "journal-unavailable";

constexpr char kRecover[] =
    "stop the agent, and run resmgr-agent journal restore FILE, or resmgr-agent journal rebuild";

constexpr mode_t kOwnerOnly = S_IRUSR | S_IWUSR;

// After a burst the log's file shrinks to this when it is begun anew.
constexpr int kLogBytesKept = 16 << 20;

// SQLite would make the file with the umask's mode. An existing file is never opened here: closing
// it would drop the locks that another connection of this process holds on it (fcntl(2)).
void make_private(const std::string& file) {
  const int made = ::open(file.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, kOwnerOnly);
  if (made >= 0) {
    ::close(made);
  } else if (errno == ENOSPC || errno == EDQUOT) {
    throw DatabaseError(SQLITE_FULL, "");
  } else if (errno == EROFS) {
    throw DatabaseError(SQLITE_READONLY, "");
  }
  for (const char* companion : {"", "-wal", "-shm"}) {
    // What may not be changed is another user's, and SQLite says whether it can be used.
    static_cast<void>(::chmod((file + companion).c_str(), kOwnerOnly));
  }
}

std::string pragmas(const Database::Options& options) {
  std::string text =
      "PRAGMA trusted_schema = OFF;"
      "PRAGMA temp_store = MEMORY;"
      "PRAGMA cache_size = -" +
      std::to_string(options.cache_kib) + ";";
  if (options.access == Database::Access::read_only) return text;
  text += "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = " +
          std::to_string(kLogBytesKept) + ";";
  return text;
}

int remember_log_pages(void* log_pages, sqlite3* /*connection*/, const char* /*schema*/,
                       int pages) {
  *static_cast<int*>(log_pages) = pages;
  return SQLITE_OK;
}

[[noreturn]] void rethrow(const SQLite::Exception& e) {
  throw DatabaseError(e.getErrorCode() & 0xff, e.what());
}

}  // namespace

DatabaseError::DatabaseError(int primary_code, std::string_view sqlite_message)
    : DatabaseError(primary_code, fault_of(primary_code, sqlite_message)) {}

DatabaseError::DatabaseError(int primary_code, const Fault& fault)
    : Error(fault.kind, "cannot use journal: " + fault.cause, fault.hint),
      code_(primary_code),
      cause_(fault.cause) {
  if (kind() == ErrorKind::unavailable) problem = kUnavailable;
}

DatabaseError DatabaseError::damaged() { return {SQLITE_CORRUPT, ""}; }

DatabaseError DatabaseError::aborted() { return {SQLITE_ABORT, ""}; }

DatabaseError DatabaseError::full() { return {SQLITE_FULL, ""}; }

bool DatabaseError::is_constraint() const { return code_ == SQLITE_CONSTRAINT; }

// A quota that is used up, and a -shm file that can't grow, come as other errors than 'full'.
bool DatabaseError::may_lack_space() const {
  return code_ == SQLITE_FULL || code_ == SQLITE_IOERR || code_ == SQLITE_CANTOPEN;
}

Error DatabaseError::of_writing() const {
  const ErrorKind kind_told =
      kind() == ErrorKind::corrupt ? ErrorKind::corrupt : ErrorKind::unavailable;
  Error error(kind_told, "cannot write journal: " + cause_, hint());
  if (kind_told == ErrorKind::unavailable) error.problem = kUnavailable;
  return error;
}

DatabaseError::Fault DatabaseError::fault_of(int primary_code, std::string_view sqlite_message) {
  switch (primary_code) {
    case SQLITE_FULL:
      return {ErrorKind::unavailable, "no space is left on its disk",
              "free space on the disk of the data directory"};
    case SQLITE_READONLY:
      return {ErrorKind::unavailable, "its file or disk is read-only",
              "make the data directory writable for the agent"};
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
      return {ErrorKind::unavailable, "its file can't be opened",
              "see that the data directory is there, and that the agent may read and write it"};
    case SQLITE_IOERR:
      return {ErrorKind::unavailable, "its disk failed to read or write",
              "see whether the disk was mounted read-only, and what the kernel's log says of it"};
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
      return {ErrorKind::unavailable, "another process holds it",
              "end the program that has the file open"};
    case SQLITE_ABORT:
      return {ErrorKind::unavailable, "its transaction was undone", ""};
    case SQLITE_NOMEM:
      return {ErrorKind::unavailable, "out of memory", ""};
    case SQLITE_CORRUPT:
      return {ErrorKind::corrupt, "its file is damaged", kRecover};
    case SQLITE_NOTADB:
      return {ErrorKind::corrupt, "its file is no journal", kRecover};
    default:
      return {ErrorKind::internal, std::string(sqlite_message), ""};
  }
}

Statement::Statement(sqlite3* connection, std::string_view sql) : connection_(connection) {
  check(sqlite3_prepare_v3(connection, sql.data(), static_cast<int>(sql.size()),
                           SQLITE_PREPARE_PERSISTENT, &handle_, nullptr));
}

Statement::~Statement() { sqlite3_finalize(handle_); }

void Statement::bind(int index, std::string_view text) {
  // A null pointer would bind NULL.
  const char* const data = text.data() == nullptr ? "" : text.data();
  check(sqlite3_bind_text64(handle_, index, data, text.size(), SQLITE_STATIC, SQLITE_UTF8));
}

void Statement::bind(int index, double number) {
  check(sqlite3_bind_double(handle_, index, number));
}

void Statement::bind(int index, std::nullptr_t) { check(sqlite3_bind_null(handle_, index)); }

void Statement::bind_integer(int index, std::int64_t number) {
  check(sqlite3_bind_int64(handle_, index, number));
}

bool Statement::step() {
  const int result = sqlite3_step(handle_);
  if (result == SQLITE_ROW) return true;
  if (result == SQLITE_DONE) return false;
  check(result);
  return false;
}

std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(handle_, column); }

double Statement::real(int column) const { return sqlite3_column_double(handle_, column); }

std::string_view Statement::text(int column) const {
  // As a blob: as a text it would be copied, to put a zero byte behind it. In this order, for the
  // first call settles what the second one counts.
  const void* const data = sqlite3_column_blob(handle_, column);
  const int size = sqlite3_column_bytes(handle_, column);
  return {static_cast<const char*>(data), static_cast<std::size_t>(size)};
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(handle_, column) == SQLITE_NULL;
}

void Statement::reset() {
  // It repeats the error of the last step(), which was thrown then.
  static_cast<void>(sqlite3_reset(handle_));
}

void Statement::check(int result) const {
  if (result != SQLITE_OK) throw DatabaseError(result & 0xff, sqlite3_errmsg(connection_));
}

Database::Database(const std::string& file, const Options& options)
    : busy_timeout_(options.busy_timeout) {
  const bool writes = options.access == Access::read_write;
  if (writes) make_private(file);
  try {
    const int flags = writes ? SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE : SQLite::OPEN_READONLY;
    connection_ = std::make_unique<SQLite::Database>(
        file, flags | SQLite::OPEN_NOMUTEX, static_cast<int>(options.busy_timeout.count()));
    connection_->exec(pragmas(options));
    if (!writes) return;
    if (connection_->execAndGet("PRAGMA journal_mode = WAL").getString() != "wal") {
      throw DatabaseError(SQLITE_CANTOPEN, "");
    }
  } catch (const SQLite::Exception& e) {
    rethrow(e);
  }
  sqlite3_wal_hook(handle(), &remember_log_pages, &log_pages_);
}

Database::~Database() = default;

sqlite3* Database::handle() const { return connection_->getHandle(); }

void Database::exec(const std::string& statements) {
  try {
    connection_->exec(statements);
  } catch (const SQLite::Exception& e) {
    rethrow(e);
  }
}

std::int64_t Database::integer(std::string_view sql) {
  Statement statement(handle(), sql);
  if (!statement.step()) throw DatabaseError::damaged();
  return statement.integer(0);
}

std::vector<std::string> Database::texts(std::string_view sql, int most) {
  Statement statement(handle(), sql);
  std::vector<std::string> rows;
  while (std::ssize(rows) < most && statement.step()) rows.emplace_back(statement.text(0));
  return rows;
}

Statement& Database::prepared(std::string_view sql) {
  auto found = statements_.find(sql);
  if (found == statements_.end()) {
    found = statements_.emplace(sql, std::make_unique<Statement>(handle(), sql)).first;
  }
  return *found->second;
}

std::vector<std::string_view> Database::statements() const {
  std::vector<std::string_view> all;
  for (const auto& [sql, statement] : statements_) all.push_back(sql);
  return all;
}

bool Database::in_transaction() const { return sqlite3_get_autocommit(handle()) == 0; }

void Database::roll_back() noexcept {
  if (in_transaction()) connection_->tryExec("ROLLBACK");
}

int Database::changes() const { return sqlite3_changes(handle()); }

std::int64_t Database::last_insert_rowid() const { return sqlite3_last_insert_rowid(handle()); }

void Database::checkpoint(Millis wait) noexcept {
  const int mode = wait > Millis{0} ? SQLITE_CHECKPOINT_RESTART : SQLITE_CHECKPOINT_PASSIVE;
  sqlite3_busy_timeout(handle(), static_cast<int>(wait.count()));
  static_cast<void>(sqlite3_wal_checkpoint_v2(handle(), nullptr, mode, nullptr, nullptr));
  sqlite3_busy_timeout(handle(), static_cast<int>(busy_timeout_.count()));
}

}  // namespace resmgr::journal
