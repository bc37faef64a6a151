// SQLite with nothing around it, on the journal's own schema: what the journal is measured by.
#ifndef RESMGR_TESTS_BENCH_BARE_SQLITE_H_
#define RESMGR_TESTS_BENCH_BARE_SQLITE_H_

#include <sqlite3.h>

#include <span>
#include <string>
#include <vector>

#include "agent/journal/task_row.h"

namespace resmgr::bench {

// A task and its public row as JSON.
struct Admission {
  journal::TaskRow row;
  std::string json;
};

class BareWriter {
 public:
  explicit BareWriter(const std::string& file);
  ~BareWriter();
  BareWriter(const BareWriter&) = delete;
  BareWriter& operator=(const BareWriter&) = delete;

  // What the journal writes for these admissions, in one transaction.
  void commit(std::span<const Admission> admissions);

 private:
  sqlite3_stmt* prepare(const char* sql);
  void run(sqlite3_stmt* statement);
  void check(int result) const;

  sqlite3* database_ = nullptr;
  std::vector<sqlite3_stmt*> statements_;
  sqlite3_stmt* insert_ = nullptr;
  sqlite3_stmt* append_ = nullptr;
  sqlite3_stmt* count_ = nullptr;
  sqlite3_stmt* begin_ = nullptr;
  sqlite3_stmt* commit_ = nullptr;
};

// One prepared SELECT with one text parameter, on a connection of its own.
class BareReader {
 public:
  BareReader(const std::string& file, const std::string& sql);
  ~BareReader();
  BareReader(const BareReader&) = delete;
  BareReader& operator=(const BareReader&) = delete;

  // Steps through the rows and looks at every column's text; returns how many bytes there were.
  std::size_t read(const std::string& argument);

 private:
  sqlite3* database_ = nullptr;
  sqlite3_stmt* statement_ = nullptr;
};

}  // namespace resmgr::bench

#endif  // RESMGR_TESTS_BENCH_BARE_SQLITE_H_
