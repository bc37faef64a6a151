// Tasks as rows of the table `tasks`: arrays, one a column, as PostgreSQL reads them.
#ifndef RESMGR_AGENT_SINKS_POSTGRES_ROWS_H_
#define RESMGR_AGENT_SINKS_POSTGRES_ROWS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "agent/sinks/sink.h"

namespace resmgr::sinks {

struct PostgresColumn {
  std::string_view name;
  std::string_view type;
};

// The data model's nine, then ours. AgentId and JournalId follow them; they are the same in every
// row of a batch.
inline constexpr std::array kPostgresColumns = std::to_array<PostgresColumn>({
    {"Id", "UUID"},
    {"UserId", "UUID"},
    {"ServiceType", "VARCHAR"},
    {"ContainerId", "VARCHAR"},
    {"Port", "INT"},
    {"StartTime", "TIMESTAMP"},
    {"StopTime", "TIMESTAMP"},
    {"Duration", "INTERVAL"},
    {"Status", "VARCHAR"},
    {"Phase", "VARCHAR"},
    {"StatusReason", "VARCHAR"},
    {"ExitCode", "INT"},
    {"TimePrecision", "VARCHAR"},
    {"UsageHash", "VARCHAR"},
    {"CreatedAt", "TIMESTAMP"},
    {"Host", "VARCHAR"},
    {"Seq", "BIGINT"},
});

class PostgresRows {
 public:
  // The last row of each task, of those that have one: a row appears when the container started or
  // when the start failed. Throws Error(corrupt) for a payload that is no task.
  explicit PostgresRows(std::span<const Message> messages);

  std::size_t size() const { return size_; }
  // "{…}": a literal of kPostgresColumns[column]'s array type.
  const std::string& column(std::size_t column) const { return columns_.at(column); }

 private:
  class Reader;
  void add(const Reader& task, std::int64_t seq);
  void put(std::size_t column, std::optional<std::string_view> value);

  std::array<std::string, kPostgresColumns.size()> columns_;
  std::size_t size_ = 0;
};

}  // namespace resmgr::sinks

#endif  // RESMGR_AGENT_SINKS_POSTGRES_ROWS_H_
