#include "tests/bench/bare_sqlite.h"

#include <cstdint>
#include <stdexcept>

#include "agent/journal/migrate.h"

namespace resmgr::bench {
namespace {

void bind(sqlite3_stmt* statement, int index, const std::string& text) {
  sqlite3_bind_text(statement, index, text.data(), static_cast<int>(text.size()), SQLITE_STATIC);
}

void require(int result, sqlite3* database) {
  if (result != SQLITE_OK && result != SQLITE_DONE) {
    throw std::runtime_error(sqlite3_errmsg(database));
  }
}

}  // namespace

BareWriter::BareWriter(const std::string& file) {
  check(sqlite3_open(file.c_str(), &database_));
  const auto exec = [&](const char* sql) {
    check(sqlite3_exec(database_, sql, nullptr, nullptr, nullptr));
  };
  exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -1024");
  for (const journal::Migration& step : journal::migrations()) exec(step.sql);
  insert_ = prepare(
      "INSERT INTO tasks (task_id, user_id, service_type, container_id, container_port, host,"
      " created_at, status, status_reason, precision, usage_hash, phase, version, ended_by,"
      " failure, spec_hash, memory_bytes, cpus, cpu_ms, peak_memory_bytes) VALUES"
      " (?1, ?2, ?3, '', 0, ?4, ?5, 'Starting', '', 'exact', '', 'admitted', 1, '', '', ?6, ?7,"
      " ?8, 0, 0)");
  append_ = prepare(
      "INSERT INTO events (time, type, task_id, user_id, details, task)"
      " VALUES (?1, 'task.start_requested', ?2, ?3, '{}', ?4)");
  count_ = prepare("UPDATE task_counts SET tasks = tasks + ?1 WHERE status = 'Starting'");
  begin_ = prepare("BEGIN IMMEDIATE");
  commit_ = prepare("COMMIT");
}

BareWriter::~BareWriter() {
  for (sqlite3_stmt* statement : statements_) sqlite3_finalize(statement);
  sqlite3_close(database_);
}

void BareWriter::commit(std::span<const Admission> admissions) {
  run(begin_);
  for (const auto& [row, json] : admissions) {
    bind(insert_, 1, row.task.task_id);
    bind(insert_, 2, row.task.user_id);
    bind(insert_, 3, row.task.service_type);
    bind(insert_, 4, row.task.host);
    sqlite3_bind_int64(insert_, 5, to_millis(row.task.created_at));
    bind(insert_, 6, row.spec_hash);
    sqlite3_bind_int64(insert_, 7, row.memory_bytes);
    sqlite3_bind_double(insert_, 8, row.cpus);
    run(insert_);
    sqlite3_bind_int64(append_, 1, to_millis(row.task.created_at));
    bind(append_, 2, row.task.task_id);
    bind(append_, 3, row.task.user_id);
    bind(append_, 4, json);
    run(append_);
  }
  sqlite3_bind_int64(count_, 1, static_cast<std::int64_t>(admissions.size()));
  run(count_);
  run(commit_);
}

sqlite3_stmt* BareWriter::prepare(const char* sql) {
  sqlite3_stmt* statement = nullptr;
  check(sqlite3_prepare_v2(database_, sql, -1, &statement, nullptr));
  statements_.push_back(statement);
  return statement;
}

void BareWriter::run(sqlite3_stmt* statement) {
  check(sqlite3_step(statement));
  sqlite3_reset(statement);
}

void BareWriter::check(int result) const { require(result, database_); }

BareReader::BareReader(const std::string& file, const std::string& sql) {
  require(sqlite3_open_v2(file.c_str(), &database_, SQLITE_OPEN_READONLY, nullptr), database_);
  require(sqlite3_prepare_v2(database_, sql.c_str(), -1, &statement_, nullptr), database_);
}

BareReader::~BareReader() {
  sqlite3_finalize(statement_);
  sqlite3_close(database_);
}

std::size_t BareReader::read(const std::string& argument) {
  bind(statement_, 1, argument);
  std::size_t bytes = 0;
  while (sqlite3_step(statement_) == SQLITE_ROW) {
    for (int i = 0; i < sqlite3_column_count(statement_); ++i) {
      sqlite3_column_text(statement_, i);
      bytes += static_cast<std::size_t>(sqlite3_column_bytes(statement_, i));
    }
  }
  sqlite3_reset(statement_);
  return bytes;
}

}  // namespace resmgr::bench
