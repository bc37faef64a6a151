// Tasks as rows of the table `tasks`, in the texts that PostgreSQL reads.
#ifndef RESMGR_AGENT_SINKS_POSTGRES_ROWS_H_
#define RESMGR_AGENT_SINKS_POSTGRES_ROWS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/sinks/postgres_binary.h"
#include "agent/sinks/sink.h"

namespace resmgr::sinks {

struct PostgresColumn {
  std::string_view name;
  std::string_view type;
  PostgresEncoder encode;
};

// The data model's nine, then ours. AgentId and JournalId follow them; they are the same in every
// row of a batch.
inline constexpr std::array kPostgresColumns = std::to_array<PostgresColumn>({
    {"Id", "UUID", encode_uuid},
    {"UserId", "UUID", encode_uuid},
    {"ServiceType", "VARCHAR", encode_varchar},
    {"ContainerId", "VARCHAR", encode_varchar},
    {"Port", "INT", encode_int},
    {"StartTime", "TIMESTAMP", encode_timestamp},
    {"StopTime", "TIMESTAMP", encode_timestamp},
    {"Duration", "INTERVAL", encode_interval},
    {"Status", "VARCHAR", encode_varchar},
    {"Phase", "VARCHAR", encode_varchar},
    {"StatusReason", "VARCHAR", encode_varchar},
    {"ExitCode", "INT", encode_int},
    {"TimePrecision", "VARCHAR", encode_varchar},
    {"UsageHash", "VARCHAR", encode_varchar},
    {"CreatedAt", "TIMESTAMP", encode_timestamp},
    {"Host", "VARCHAR", encode_varchar},
    {"Seq", "BIGINT", encode_bigint},
});

class PostgresRows {
 public:
  // The last row of each task, of those that have one: a row appears when the container started or
  // when the start failed. Throws Error(corrupt) for a payload that is no task.
  explicit PostgresRows(std::span<const Message> messages);

  std::size_t size() const { return rows_.size(); }
  // Null: the column is. Without zero bytes, which no text of PostgreSQL can hold. Lives as long as
  // this does.
  const char* field(std::size_t row, std::size_t column) const;
  // As Message::begins.
  bool begins(std::size_t row) const { return rows_[row].begins; }
  // "{…}": a literal of kPostgresColumns[column]'s array type, of these rows.
  std::string array(std::size_t column, std::span<const std::size_t> rows) const;

 private:
  class Reader;
  struct Row {
    std::array<std::uint32_t, kPostgresColumns.size()> fields{};  // where they begin, or kNull
    bool begins = false;
  };
  static constexpr std::uint32_t kNull = 0xffff'ffff;
  void add(const Reader& task, const Message& message);
  std::uint32_t keep(std::optional<std::string_view> value);

  std::string texts_;  // of all fields, each with a zero byte at its end
  std::vector<Row> rows_;
};

}  // namespace resmgr::sinks

#endif  // RESMGR_AGENT_SINKS_POSTGRES_ROWS_H_
