// COPY … FROM STDIN of whole rows in the binary format, which libpqxx does not have.
#ifndef RESMGR_AGENT_SINKS_POSTGRES_COPY_H_
#define RESMGR_AGENT_SINKS_POSTGRES_COPY_H_

#include <string>
#include <string_view>
#include <vector>

#include "agent/sinks/postgres_connection.h"

namespace resmgr::sinks {

// While it lives, the transaction does nothing else. What was added is given up unless complete()
// was called.
class PostgresCopy {
 public:
  // `table` is its quoted name. Here and below: throws what libpqxx throws.
  PostgresCopy(pqxx::work& transaction, PostgresConnection& connection, const std::string& table,
               const std::vector<std::string>& columns);
  ~PostgresCopy();
  PostgresCopy(const PostgresCopy&) = delete;
  PostgresCopy& operator=(const PostgresCopy&) = delete;

  // Whole rows, one after the other: what begin_postgres_row() and the encoders make.
  void add(std::string_view rows);
  // Only now it is known whether the server took them.
  void complete();

 private:
  void put(std::string_view bytes);
  void give_up() noexcept;
  void drain() noexcept;

  PGconn* const libpq_;
  const std::string command_;
  bool open_ = true;
};

}  // namespace resmgr::sinks

#endif  // RESMGR_AGENT_SINKS_POSTGRES_COPY_H_
