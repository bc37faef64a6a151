// COPY … FROM STDIN of whole rows, over a connection of libpqxx.
#ifndef RESMGR_AGENT_SINKS_POSTGRES_COPY_H_
#define RESMGR_AGENT_SINKS_POSTGRES_COPY_H_

#include <memory>
#include <pqxx/pqxx>
#include <span>
#include <string>
#include <vector>

namespace resmgr::sinks {

// While it lives, the transaction does nothing else.
class PostgresCopy {
 public:
  // `table` is its quoted name. Here and below: throws what libpqxx throws.
  PostgresCopy(pqxx::work& transaction, const std::string& table,
               const std::vector<std::string>& columns);
  ~PostgresCopy();
  PostgresCopy(const PostgresCopy&) = delete;
  PostgresCopy& operator=(const PostgresCopy&) = delete;

  // One text a column, as PostgreSQL reads it; null: the column is.
  void add(std::span<const char* const> fields);
  // Only now it is known whether the server took them.
  void complete();

 private:
  class Stream;
  const std::unique_ptr<Stream> stream_;
};

}  // namespace resmgr::sinks

#endif  // RESMGR_AGENT_SINKS_POSTGRES_COPY_H_
