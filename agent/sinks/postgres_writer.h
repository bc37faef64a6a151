// Puts rows into the table `tasks`, set-wise.
#ifndef RESMGR_AGENT_SINKS_POSTGRES_WRITER_H_
#define RESMGR_AGENT_SINKS_POSTGRES_WRITER_H_

#include <span>
#include <string>
#include <vector>

#include "agent/sinks/postgres_connection.h"
#include "agent/sinks/postgres_rows.h"
#include "agent/sinks/sink.h"

namespace resmgr::sinks {

// Whose rows they are.
struct PostgresOrigin {
  std::string agent_id;
  std::string journal_id;
};

enum class PostgresWay {
  copy_new,  // what is thought to be new by COPY, which takes a third of the time; the rest as
             // below
  upsert,    // all in the way that is right in any case
};

class PostgresWriter {
 public:
  // `table` is its quoted name.
  explicit PostgresWriter(const std::string& table);

  // Throws what libpqxx throws; with copy_new, pqxx::sql_error also for what the other way takes: a
  // row that was there all the same, or a table that takes no COPY. Throws Error(corrupt) for a
  // payload that is no task.
  void write(PostgresConnection& connection, pqxx::work& transaction,
             std::span<const Message> messages, const PostgresOrigin& origin,
             PostgresWay way) const;

 private:
  struct Made {
    std::string copied;  // rows that are to be copied, in the binary format
    PostgresRows rows;
    std::vector<std::size_t> others;  // the numbers of those that are not
  };
  static Made make(std::span<const Message> messages, const PostgresOrigin& origin,
                   PostgresWay way);
  void upsert(pqxx::work& transaction, const Made& made, const PostgresOrigin& origin) const;

  const std::string table_;
  const std::string upsert_;  // the statement
};

}  // namespace resmgr::sinks

#endif  // RESMGR_AGENT_SINKS_POSTGRES_WRITER_H_
