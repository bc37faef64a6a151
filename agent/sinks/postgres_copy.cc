#include "agent/sinks/postgres_copy.h"

#include <memory>
#include <string_view>

#include "agent/sinks/postgres_binary.h"

namespace resmgr::sinks {
namespace {

struct Clear {
  void operator()(PGresult* result) const { PQclear(result); }
};
using Result = std::unique_ptr<PGresult, Clear>;

std::string copy_into(const std::string& table, const std::vector<std::string>& columns) {
  std::string names;
  for (const auto& column : columns) names += (names.empty() ? "" : ", ") + column;
  return "COPY " + table + " (" + names + ") FROM STDIN (FORMAT binary)";
}

}  // namespace

PostgresCopy::PostgresCopy(pqxx::work& transaction, PostgresConnection& connection,
                           const std::string& table, const std::vector<std::string>& columns)
    : libpq_(connection.libpq()), command_(copy_into(table, columns)) {
  transaction.exec(command_);
  try {
    put(kPostgresSignature);
  } catch (...) {
    give_up();
    throw;
  }
}

PostgresCopy::~PostgresCopy() {
  if (open_) give_up();
}

void PostgresCopy::add(std::string_view rows) { put(rows); }

void PostgresCopy::complete() {
  put(kPostgresTrailer);
  open_ = false;
  if (PQputCopyEnd(libpq_, nullptr) != 1) {
    drain();
    throw pqxx::broken_connection(PQerrorMessage(libpq_));
  }
  // The first result says how it went; libpq is ready for another command once there is none.
  const Result result(PQgetResult(libpq_));
  drain();
  if (result && PQresultStatus(result.get()) == PGRES_COMMAND_OK) return;
  const std::string message = result ? PQresultErrorMessage(result.get()) : PQerrorMessage(libpq_);
  if (PQstatus(libpq_) != CONNECTION_OK) throw pqxx::broken_connection(message);
  throw pqxx::sql_error(message, command_,
                        result ? PQresultErrorField(result.get(), PG_DIAG_SQLSTATE) : nullptr);
}

void PostgresCopy::put(std::string_view bytes) {
  if (PQputCopyData(libpq_, bytes.data(), static_cast<int>(bytes.size())) == 1) return;
  throw pqxx::broken_connection(PQerrorMessage(libpq_));
}

void PostgresCopy::give_up() noexcept {
  static_cast<void>(PQputCopyEnd(libpq_, "given up"));
  drain();
}

// Where the end could not be sent, libpq says so without an end.
void PostgresCopy::drain() noexcept {
  while (const Result result{PQgetResult(libpq_)}) {
    if (PQresultStatus(result.get()) == PGRES_COPY_IN) return;
  }
}

}  // namespace resmgr::sinks
